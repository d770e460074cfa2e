use super::FLAGS;
use tessera_command::help;
use tessera_command::prelude::*;

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "debug|help",
        summary: "Lists the subcommands.",
        since: "1.0.0",
        group: Group::Server,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,

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
