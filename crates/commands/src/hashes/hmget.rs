use super::access::bulk_or_null;
use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HMGet;

impl Read for HMGet {
    const SPEC: Spec = Spec {
        name: "hmget",
        summary: "Answers the values of fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("field").multiple()],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute((key, fields): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let hash = db.collection::<Hash>(key)?;
        reply.array(fields.len());
        for field in fields.iter() {
            bulk_or_null(reply, hash.and_then(|hash| hash.get(field, db.now_ms())));
        }
        Ok(())
    }
}
