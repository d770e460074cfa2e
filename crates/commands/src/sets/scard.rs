use tessera_command::prelude::*;
use tessera_values::Set;

pub struct SCard;

impl Read for SCard {
    const SPEC: Spec = Spec {
        name: "scard",
        summary: "Tells how many members a set has.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::SET,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let set = db.collection::<Set>(key)?;
        reply.integer(set.map_or(0, CollectionRef::len) as i64);
        Ok(())
    }
}
