use tessera_command::help;
use tessera_command::prelude::*;

const LINES: &[&str] = &[
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
];

pub struct Help;

impl Session for Help {
    const SPEC: Spec = Spec {
        name: "latency|help",
        summary: "Lists the subcommands.",
        since: "2.8.13",
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
        help::write_lines("LATENCY", LINES, reply);
        Ok(())
    }
}
