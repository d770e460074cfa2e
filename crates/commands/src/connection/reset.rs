use tessera_command::host::Action;
use tessera_command::prelude::*;

pub struct Reset;

impl Session for Reset {
    const SPEC: Spec = Spec {
        name: "reset",
        summary: "Puts the connection back into the state of a new one.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::NOT_QUEUED)
            .with(Flags::ENDS_QUEUE),
        categories: Categories::CONNECTION,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        if session.client.monitor {
            session.host.act(Action::EndMonitor);
        }
        session.host.act(Action::DropTransaction);
        session.client.reset(session.host.config().require_pass.is_none());
        // The answer is already in the protocol of a new connection.
        reply.set_protocol(session.client.protocol);
        reply.simple("RESET");
        Ok(())
    }
}
