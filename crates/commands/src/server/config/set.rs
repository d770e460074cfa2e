use tessera_command::prelude::*;

pub struct Set;

impl Session for Set {
    const SPEC: Spec = Spec {
        name: "config|set",
        summary: "Changes parameters, all or none of those given.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of parameters given.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        grammar: &[block("data", &[string("parameter"), string("value")]).multiple()],
        history: &[("7.0.0", "Several parameters in one call.")],
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        secrets: Secrets::Parameters,
        ..Spec::BASE
    };
    type Args<'a> = Vec<(&'a [u8], &'a [u8])>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let mut pairs = Vec::with_capacity(words.left() / 2);
        while let Some(name) = words.next_word() {
            pairs.push((name, words.word()?));
        }
        Ok(pairs)
    }

    fn execute(
        pairs: &Self::Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        session.host.config_set(pairs, session.client.is_local)?;
        reply.ok();
        Ok(())
    }
}
