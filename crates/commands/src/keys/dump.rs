use tessera_command::prelude::*;
use tessera_storage::rdb::dump;

pub struct Dump;

impl Read for Dump {
    const SPEC: Spec = Spec {
        name: "dump",
        summary: "Answers the value of a key in the format of snapshots, for RESTORE.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "O(N), where N is the length of the value",
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let compress = db.settings().compress_dumps;
        match db.find(key) {
            Some(entry) => reply.bulk(&dump(entry.value(), compress)),
            None => reply.null(),
        }
        Ok(())
    }
}
