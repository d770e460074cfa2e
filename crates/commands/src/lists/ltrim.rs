use super::{form_setting, index};
use tessera_command::prelude::*;
use tessera_values::List;

pub struct LTrim;

impl Write for LTrim {
    const SPEC: Spec = Spec {
        name: "ltrim",
        summary: "Takes away the elements of a list that are not between two indices.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) with N the number of elements taken away.",
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::LTrim, Event::Del],
        grammar: &[key("key", 0), integer("start"), integer("stop")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.integer()?, words.integer()?))
    }

    fn execute(
        (key, start, stop): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let removed = db.change(key, Event::LTrim, |list: &mut List| {
            let len = list.len();
            let (first, count) = index::range(*start, *stop, len).unwrap_or((len, 0));
            list.trim(first, len - first - count, setting);
            // Redis tells of it also if nothing goes.
            (len - count, true)
        })?;
        reply.ok();
        Ok(if removed.unwrap_or(0) > 0 { Effect::Verbatim } else { Effect::None })
    }
}
