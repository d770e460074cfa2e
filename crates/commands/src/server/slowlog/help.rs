use tessera_command::help;
use tessera_command::prelude::*;

const LINES: &[&str] = &[
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
];

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "slowlog|help",
        summary: "Lists the subcommands.",
        since: "6.2.0",
        group: Group::Server,
        complexity: "O(1)",
        spread: Spread::Nowhere,
        flags: Flags::LOADING.with(Flags::STALE),
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), _home: &mut Home<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        help::write_lines("SLOWLOG", LINES, reply);
        Ok(())
    }
}
