use super::access::change;
use tessera_command::prelude::*;

pub struct HDel;

impl Write for HDel {
    const SPEC: Spec = Spec {
        name: "hdel",
        summary: "Removes fields of a hash, and the hash with its last one; answers how many there were.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::HDel, Event::Del],
        element: Some(2),
        grammar: &[key("key", 0), string("field").multiple()],
        history: &[("2.4.0", "More than one field.")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute(
        (key, fields): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let removed = change(db, key, fields.iter(), Event::HDel, |hash| {
            let removed = fields.iter().filter(|field| hash.remove(field)).count();
            (removed, removed > 0)
        })?;
        let removed = removed.unwrap_or(0);
        reply.integer(removed as i64);
        Ok(if removed > 0 { Effect::Verbatim } else { Effect::None })
    }
}
