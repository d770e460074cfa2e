use super::key_words;
use tessera_command::introspect;
use tessera_command::prelude::*;

pub struct GetKeysAndFlags;

impl Session for GetKeysAndFlags {
    const SPEC: Spec = Spec {
        name: "command|getkeysandflags",
        summary: "Tells which words of a command are keys, and what it does with them.",
        since: "7.0.0",
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
            reply.array(2);
            reply.bulk(&words[key.index]);
            introspect::key_flags(key.flags, reply);
        }
        Ok(())
    }
}
