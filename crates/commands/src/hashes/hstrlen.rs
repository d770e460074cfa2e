use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HStrLen;

impl Read for HStrLen {
    const SPEC: Spec = Spec {
        name: "hstrlen",
        summary: "Answers the length of the value of a field of a hash.",
        since: "3.2.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
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
        let found = hash.and_then(|hash| hash.get(field, db.now_ms()));
        reply.integer(found.map_or(0, |value| value.len_bytes() as i64));
        Ok(())
    }
}
