use super::counter;
use tessera_command::prelude::*;

pub struct Incr;

impl Write for Incr {
    const SPEC: Spec = Spec {
        name: "incr",
        summary: "Adds one to the integer at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::IncrBy, Event::New],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        counter::add(key, 1, db, reply)
    }
}
