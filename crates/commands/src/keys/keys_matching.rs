use tessera_command::prelude::*;
use tessera_values::glob;

pub struct Keys;

impl Read for Keys {
    const SPEC: Spec = Spec {
        name: "keys",
        summary: "Lists all keys that match a glob pattern.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N) in the number of keys in the database.",
        spread: Some(Spread::AllShards(Merge::Concat)),
        categories: Categories::KEYSPACE.with(Categories::DANGEROUS),
        tips: &["nondeterministic_output_order"],
        grammar: &[pattern("pattern")],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(pattern: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let opened = reply.open();
        let mut matching = 0;
        let table = db.database().table();
        for entry in table.iter().filter(|entry| !table.is_over(*entry, db.now_ms())) {
            // A star alone also stands for the empty key, which a pattern in general does not match.
            if *pattern == b"*" || glob::matches(pattern, entry.key()) {
                reply.bulk(entry.key());
                matching += 1;
            }
        }
        reply.close_array(opened, matching);
        Ok(())
    }
}
