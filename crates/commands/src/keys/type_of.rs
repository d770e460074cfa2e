use tessera_command::prelude::*;

pub struct Type;

impl Read for Type {
    const SPEC: Spec = Spec {
        name: "type",
        summary: "Tells what kind of value a key holds.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.simple(db.find_untouched(key).map_or("none", |entry| entry.value().value_type().name()));
        Ok(())
    }
}
