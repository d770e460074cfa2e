use super::key_words;
use tessera_command::prelude::*;

pub struct GetKeys;

impl Session for GetKeys {
    const SPEC: Spec = Spec {
        name: "command|getkeys",
        summary: "Tells which words of a command are keys.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) in the number of words.",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[string("command"), string("arg").optional().multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(
        words: &Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let keys = key_words::find(session.host.registry(), *words)?;
        reply.array(keys.len());
        for key in keys {
            reply.bulk(&words[key.index]);
        }
        Ok(())
    }
}
