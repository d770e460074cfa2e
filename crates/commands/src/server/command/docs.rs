use tessera_command::introspect;
use tessera_command::prelude::*;

pub struct Docs;

impl Session for Docs {
    const SPEC: Spec = Spec {
        name: "command|docs",
        summary: "Documents commands by name, or all.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of commands asked for.",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::CONNECTION,
        tips: &["nondeterministic_output_order"],
        grammar: &[string("command-name").optional().multiple()],
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
            reply.map(registry.commands().len());
            for command in registry.commands() {
                reply.bulk(command.full_name.as_bytes());
                introspect::docs(command, reply);
            }
            return Ok(());
        }
        let opened = reply.open();
        let mut known = 0;
        for command in names.iter().filter_map(|name| registry.find_full(name)) {
            reply.bulk(command.full_name.as_bytes());
            introspect::docs(command, reply);
            known += 1;
        }
        reply.close_map(opened, known);
        Ok(())
    }
}
