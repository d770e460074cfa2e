use super::expiry::Form;
use tessera_command::prelude::*;

pub struct PExpireTime;

impl Read for PExpireTime {
    const SPEC: Spec = Spec {
        name: "pexpiretime",
        summary: "Tells at which Unix time in milliseconds a key expires.",
        since: "7.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        super::expiry::answer(key, Form::UnixMilliseconds, db, reply);
        Ok(())
    }
}
