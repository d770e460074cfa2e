use tessera_command::prelude::*;

pub struct StrLen;

impl Read for StrLen {
    const SPEC: Spec = Spec {
        name: "strlen",
        summary: "Answers the length of the string at a key.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RO)],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(db.string(key)?.map_or(0, StringRef::len_bytes) as i64);
        Ok(())
    }
}
