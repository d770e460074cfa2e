use tessera_command::prelude::*;

pub struct Encoding;

impl Read for Encoding {
    const SPEC: Spec = Spec {
        name: "object|encoding",
        summary: "Tells how the value of a key is kept in memory.",
        since: "2.2.3",
        group: Group::Generic,
        complexity: "O(1)",
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(2, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.bulk_or_null(db.find_untouched(key).map(|entry| entry.value().encoding_name().as_bytes()));
        Ok(())
    }
}
