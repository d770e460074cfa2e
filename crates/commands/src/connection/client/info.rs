use tessera_command::host::ClientInfo;
use tessera_command::prelude::*;

pub struct Info;

impl Session for Info {
    const SPEC: Spec = Spec {
        name: "client|info",
        summary: "Describes the connection in a line.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let info = ClientInfo { client: session.client, connection: session.host.caller_connection() };
        let mut line = Vec::new();
        info.push_line(session.host.unix_us() / 1000, &mut line);
        reply.verbatim("txt", &line);
        Ok(())
    }
}
