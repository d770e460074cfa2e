use tessera_command::prelude::*;

pub struct List;

impl Session for List {
    const SPEC: Spec = Spec {
        name: "module|list",
        summary: "Answers an empty list: modules cannot be loaded.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT),
        tips: &["nondeterministic_output_order"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.array(0);
        Ok(())
    }
}
