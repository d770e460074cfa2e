use tessera_command::help;
use tessera_command::prelude::*;

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "object|help",
        summary: "Lists the subcommands.",
        since: "6.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE),
        categories: Categories::KEYSPACE,
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<(), Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        help::write(session.host.registry(), Self::SPEC.name, reply);
        Ok(())
    }
}
