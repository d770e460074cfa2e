use tessera_command::prelude::*;
use tessera_command::{Registry, introspect};

/// The description of every command.
pub fn all(registry: &Registry, reply: &mut Reply<'_>) {
    reply.array(registry.commands().len());
    for command in registry.commands() {
        introspect::info(command, reply);
    }
}

pub struct Info;

impl Session for Info {
    const SPEC: Spec = Spec {
        name: "command|info",
        summary: "Describes commands by name, or all.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) in the number of commands asked for.",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        grammar: &[string("command-name").optional().multiple()],
        history: &[("7.0.0", "Without names it describes all commands.")],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(
        names: &Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let registry = session.host.registry();
        if names.is_empty() {
            all(registry, reply);
            return Ok(());
        }
        reply.array(names.len());
        for name in names.iter() {
            match registry.find_full(name) {
                Some(command) => introspect::info(command, reply),
                None => reply.null(),
            }
        }
        Ok(())
    }
}
