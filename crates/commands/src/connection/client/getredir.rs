use tessera_command::prelude::*;

pub struct GetRedir;

impl Session for GetRedir {
    const SPEC: Spec = Spec {
        name: "client|getredir",
        summary: "Answers -1: nothing is told of keys that the client may keep copies of.",
        since: "6.0.0",
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

    fn execute((): &(), _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(-1);
        Ok(())
    }
}
