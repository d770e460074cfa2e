use tessera_command::host::Action;
use tessera_command::prelude::*;

pub struct Quit;

impl Session for Quit {
    const SPEC: Spec = Spec {
        name: "quit",
        summary: "Closes the connection.",
        since: "1.0.0",
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
        deprecated: Some(("7.2.0", "closing the connection, without asking")),
        arity: Some(-1),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.rest();
        Ok(())
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.ok();
        session.host.act(Action::CloseAfterReply);
        Ok(())
    }
}
