use super::FLAGS;
use tessera_command::prelude::*;

pub struct Log;

impl Session for Log {
    const SPEC: Spec = Spec {
        name: "debug|log",
        summary: "Writes a line into the server's log.",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,
        grammar: &[string("message")],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(
        message: &&[u8],
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        session.host.log(&[b"DEBUG LOG: ", *message].concat());
        reply.ok();
        Ok(())
    }
}
