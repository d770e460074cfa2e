use super::pairs::{self, DATA, Pairs};
use tessera_command::prelude::*;

pub struct HSet;

impl Write for HSet {
    const SPEC: Spec = Spec {
        name: "hset",
        summary: "Sets fields of a hash to values and answers how many of the fields are new.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::HSet, Event::New],
        element: Some(2),
        grammar: &[key("key", 0), DATA],
        history: &[("4.0.0", "More than one field and value.")],
        ..Spec::BASE
    };
    type Args<'a> = Pairs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Pairs<'a>, Error> {
        pairs::parse(words)
    }

    fn execute(args: &Pairs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let created = pairs::set(args, db)?;
        reply.integer(created);
        Ok(Effect::Verbatim)
    }
}
