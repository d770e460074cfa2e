use tessera_command::prelude::*;

pub struct Id;

impl Session for Id {
    const SPEC: Spec = Spec {
        name: "client|id",
        summary: "Answers the connection's number.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(session.client.id as i64);
        Ok(())
    }
}
