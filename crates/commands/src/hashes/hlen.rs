use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HLen;

impl Read for HLen {
    const SPEC: Spec = Spec {
        name: "hlen",
        summary: "Answers how many fields a hash has.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let hash = db.collection::<Hash>(key)?;
        reply.integer(hash.map_or(0, |hash| hash.live_len(db.now_ms()) as i64));
        Ok(())
    }
}
