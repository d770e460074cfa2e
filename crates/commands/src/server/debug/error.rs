use super::FLAGS;
use tessera_command::prelude::*;

pub struct ErrorReply;

impl Session for ErrorReply {
    const SPEC: Spec = Spec {
        name: "debug|error",
        summary: "Answers an error of this text.",
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

    fn execute(message: &&[u8], _home: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let text = message.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
        let line: Vec<u8> = [b'-'].into_iter().chain(text).chain(*b"\r\n").collect();
        // Unlike other errors it keeps blanks at its end.
        reply.raw(&line);
        Ok(())
    }
}
