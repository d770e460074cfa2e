use super::pairs::{self, DATA, Pairs};
use tessera_command::prelude::*;

pub struct HMSet;

impl Write for HMSet {
    const SPEC: Spec = Spec {
        name: "hmset",
        summary: "Sets fields of a hash to values.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::HSet, Event::New],
        element: Some(2),
        grammar: &[key("key", 0), DATA],
        deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
        ..Spec::BASE
    };
    type Args<'a> = Pairs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Pairs<'a>, Error> {
        pairs::parse(words)
    }

    fn execute(args: &Pairs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        pairs::set(args, db)?;
        reply.ok();
        Ok(Effect::Verbatim)
    }
}
