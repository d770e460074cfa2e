use super::access::bulk_or_null;
use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HGet;

impl Read for HGet {
    const SPEC: Spec = Spec {
        name: "hget",
        summary: "Answers the value of a field of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("field")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute((key, field): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let hash = db.collection::<Hash>(key)?;
        bulk_or_null(reply, hash.and_then(|hash| hash.get(field, db.now_ms())));
        Ok(())
    }
}
