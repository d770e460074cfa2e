use tessera_command::help;
use tessera_command::prelude::*;

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "latency|help",
        summary: "Lists the subcommands.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::LOADING.with(Flags::STALE),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        help::write(session.host.registry(), Self::SPEC.name, reply);
        Ok(())
    }
}
