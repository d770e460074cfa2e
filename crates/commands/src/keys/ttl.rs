use super::expiry::Form;
use tessera_command::prelude::*;

pub struct Ttl;

impl Read for Ttl {
    const SPEC: Spec = Spec {
        name: "ttl",
        summary: "Tells how many seconds a key has left to live.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        history: &[("2.8.0", "Answers -2 when there is no such key.")],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        super::expiry::answer(key, Form::SecondsLeft, db, reply);
        Ok(())
    }
}
