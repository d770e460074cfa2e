use tessera_command::prelude::*;

pub struct Count;

impl Session for Count {
    const SPEC: Spec = Spec {
        name: "command|count",
        summary: "Counts the commands.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<(), Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(session.host.registry().commands().len() as i64);
        Ok(())
    }
}
