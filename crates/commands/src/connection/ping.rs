use tessera_command::prelude::*;

pub struct Ping;

impl Session for Ping {
    const SPEC: Spec = Spec {
        name: "ping",
        summary: "Answers, to show that the server lives and the connection works.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::FAST.with(Flags::TELLS_OF_DISK),
        categories: Categories::CONNECTION,
        grammar: &[string("message").optional()],
        policy: Policy::AsTips,
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    type Args<'a> = Option<&'a [u8]>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let message = words.next_word();
        if !words.is_empty() {
            return Err(Error::Arity);
        }
        Ok(message)
    }

    fn execute(
        message: &Option<&[u8]>,
        _home: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        match message {
            Some(message) => reply.bulk(message),
            None => reply.simple("PONG"),
        }
        Ok(())
    }
}
