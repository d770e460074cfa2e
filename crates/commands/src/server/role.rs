use tessera_command::prelude::*;

pub struct Role;

impl Session for Role {
    const SPEC: Spec = Spec {
        name: "role",
        summary: "Answers that the server is a master, without replicas.",
        since: "2.8.12",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE).with(Flags::FAST),
        categories: Categories::ADMIN.with(Categories::DANGEROUS),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.array(3);
        reply.bulk(b"master");
        reply.integer(0);
        reply.array(0);
        Ok(())
    }
}
