use tessera_command::prelude::*;

pub struct Echo;

impl Session for Echo {
    const SPEC: Spec = Spec {
        name: "echo",
        summary: "Answers with the message.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        categories: Categories::CONNECTION,
        grammar: &[string("message")],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(message: &&[u8], _home: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.bulk(message);
        Ok(())
    }
}
