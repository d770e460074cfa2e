use super::sparkline;
use tessera_command::prelude::*;

pub struct Graph;

impl Session for Graph {
    const SPEC: Spec = Spec {
        name: "latency|graph",
        summary: "Draws the moments of an event.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        grammar: &[string("event")],
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.word()
    }

    fn execute(event: &&[u8], session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let now_s = session.host.unix_us().div_euclid(1_000_000);
        let mut graph = None;
        session.host.with_latency_monitor(&mut |monitor| {
            graph = monitor.event(event).map(|(name, series)| sparkline::draw(name, series, now_s));
        });
        match graph {
            Some(graph) => reply.verbatim("txt", graph.as_bytes()),
            None => {
                return Err(Error::built([b"ERR No samples available for event '", *event, b"'"].concat()));
            }
        }
        Ok(())
    }
}
