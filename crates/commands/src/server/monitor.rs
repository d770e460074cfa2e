use tessera_command::host::Action;
use tessera_command::prelude::*;

pub struct Monitor;

impl Session for Monitor {
    const SPEC: Spec = Spec {
        name: "monitor",
        summary: "Shows this connection every command that any connection sends.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        if session.client.in_transaction {
            return Err(Error::Text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
        }
        // Who monitors already is not answered: a reply would break into the stream.
        if !session.client.monitor {
            session.client.monitor = true;
            session.host.act(Action::Monitor);
            reply.ok();
        }
        Ok(())
    }
}
