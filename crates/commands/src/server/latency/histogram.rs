use tessera_command::host::HistogramCounts;
use tessera_command::prelude::*;

pub struct Histograms;

impl Session for Histograms {
    const SPEC: Spec = Spec {
        name: "latency|histogram",
        summary: "Answers how often the given commands, or all, took up to how long.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) in the number of commands answered.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        grammar: &[string("command").optional().multiple()],
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(
        names: &Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let registry = session.host.registry();
        let totals = session.host.command_totals();
        let opened = reply.open();
        let mut len = 0;
        let mut answer = |command: &'static Command, reply: &mut Reply<'_>| {
            if command.is_counted_apart()
                && let Some(total) = totals.by_number.get(registry.number(command))
                && total.latency.total() > 0
            {
                reply.bulk(command.full_name.as_bytes());
                write(&total.latency, reply);
                len += 1;
            }
        };
        if names.is_empty() {
            registry.numbered().iter().for_each(|command| answer(command, reply));
        } else {
            for command in names.iter().filter_map(|name| registry.find_full(name)) {
                answer(command, reply);
                command.subcommands.iter().for_each(|subcommand| answer(subcommand, reply));
            }
        }
        reply.close_map(opened, len);
        Ok(())
    }
}

fn write(counts: &HistogramCounts, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"calls");
    reply.integer(counts.total() as i64);
    reply.bulk(b"histogram_usec");
    let pairs = counts.cumulative_by_doubling_us();
    reply.map(pairs.len());
    for (duration_us, count) in pairs {
        reply.integer(duration_us as i64);
        reply.integer(count as i64);
    }
}
