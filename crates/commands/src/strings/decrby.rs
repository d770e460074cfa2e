use super::counter;
use tessera_command::prelude::*;

pub struct DecrBy;

impl Write for DecrBy {
    const SPEC: Spec = Spec {
        name: "decrby",
        summary: "Takes a number from the integer at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::IncrBy, Event::New],
        grammar: &[key("key", 0), integer("decrement")],
        ..Spec::BASE
    };
    /// The key, and what to add: the decrement's negative.
    type Args<'a> = (&'a [u8], i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let (key, decrement) = (words.word()?, words.integer()?);
        let increment = decrement.checked_neg().ok_or(Error::Text("ERR decrement would overflow"))?;
        Ok((key, increment))
    }

    fn execute(
        (key, increment): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        counter::add(key, *increment, db, reply)
    }
}
