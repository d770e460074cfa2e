use super::counter;
use tessera_command::prelude::*;

pub struct IncrBy;

impl Write for IncrBy {
    const SPEC: Spec = Spec {
        name: "incrby",
        summary: "Adds a number to the integer at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::IncrBy, Event::New],
        grammar: &[key("key", 0), integer("increment")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.integer()?))
    }

    fn execute(
        (key, increment): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        counter::add(key, *increment, db, reply)
    }
}
