use super::FLAGS;
use tessera_command::help;
use tessera_command::prelude::*;

const LINES: &[&str] = &[
    "ERROR <string>",
    "    Return a Redis protocol error with <string> as message. Useful for clients",
    "    unit tests to simulate Redis errors.",
    "LOG <message>",
    "    Write <message> to the server log.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    Stop the server for <seconds>. Decimals allowed.",
];

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "debug|help",
        summary: "Lists the subcommands.",
        since: "1.0.0",
        group: Group::Server,
        spread: Spread::Nowhere,
        flags: FLAGS,
        protected: true,
        private_subcommands: true,

        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), _home: &mut Home<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        help::write_lines("DEBUG", LINES, reply);
        Ok(())
    }
}
