use tessera_command::prelude::*;
use tessera_values::List;

pub struct LLen;

impl Read for LLen {
    const SPEC: Spec = Spec {
        name: "llen",
        summary: "Tells how many elements a list has.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let list = db.collection::<List>(key)?;
        reply.integer(list.map_or(0, CollectionRef::len) as i64);
        Ok(())
    }
}
