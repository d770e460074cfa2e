use tessera_command::prelude::*;

pub struct RandomKey;

impl Read for RandomKey {
    const SPEC: Spec = Spec {
        name: "randomkey",
        summary: "Picks one of the database's keys at random.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        spread: Some(Spread::AnyShard),
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<(), Error> {
        words.end()
    }

    fn execute((): &(), db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.bulk_or_null(db.random_key().map(|entry| entry.key()));
        Ok(())
    }
}
