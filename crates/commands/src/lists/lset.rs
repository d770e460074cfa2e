use super::{form_setting, index};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::List;

pub struct LSet;

impl Write for LSet {
    const SPEC: Spec = Spec {
        name: "lset",
        summary: "Puts another element in the place of the one with an index.",
        since: "1.0.0",
        group: Group::List,
        complexity: "That of LINDEX.",
        flags: Flags::DENY_OOM,
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::LSet],
        grammar: &[key("key", 0), integer("index"), string("element")],
        ..Spec::BASE
    };
    /// Key, an index that is looked at if there is a list, element.
    type Args<'a> = (&'a [u8], &'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?, words.word()?))
    }

    fn execute(
        (key, word, element): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let done = db.change(key, Event::LSet, |list: &mut List| {
            let Some(at) = parse_i64(word) else { return (Err(Error::NOT_AN_INTEGER), false) };
            // Redis 7.2 looks at the lower 32 bits here, and only here.
            let at = i64::from(at as i32);
            // An index beyond the end may change the list's form all the same.
            let at = index::element(at, list.len()).unwrap_or(usize::MAX);
            if list.set(at, element, setting) { (Ok(()), true) } else { (Err(Error::OUT_OF_RANGE), false) }
        })?;
        done.ok_or(Error::NO_SUCH_KEY)??;
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
