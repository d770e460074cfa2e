use tessera_command::prelude::*;

pub struct Get;

impl Session for Get {
    const SPEC: Spec = Spec {
        name: "config|get",
        summary: "Answers parameters that match patterns, and their values.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of patterns and parameters.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        grammar: &[string("parameter").multiple()],
        history: &[("7.0.0", "Several patterns in one call.")],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(
        patterns: &Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let patterns: Vec<&[u8]> = patterns.iter().collect();
        let found = session.host.config().get(&patterns);
        reply.map(found.len());
        for (name, value) in found {
            reply.bulk(&name);
            reply.bulk(&value);
        }
        Ok(())
    }
}
