use tessera_command::prelude::*;

pub struct DbSize;

impl Read for DbSize {
    const SPEC: Spec = Spec {
        name: "dbsize",
        summary: "Counts the keys of the database.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        spread: Some(Spread::AllShards(Merge::Sum)),
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<(), Error> {
        words.end()
    }

    fn execute((): &(), db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(db.database().len() as i64);
        Ok(())
    }
}
