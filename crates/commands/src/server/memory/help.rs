use tessera_command::help;
use tessera_command::prelude::*;

const LINES: &[&str] = &[
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
];

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "memory|help",
        summary: "Lists the subcommands.",
        since: "4.0.0",
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
        help::write_lines("MEMORY", LINES, reply);
        Ok(())
    }
}
