use tessera_command::prelude::*;

pub struct History;

impl Session for History {
    const SPEC: Spec = Spec {
        name: "latency|history",
        summary: "Answers the moments of an event and how long each took.",
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
        session.host.with_latency_monitor(&mut |monitor| match monitor.event(event) {
            None => reply.array(0),
            Some((_, series)) => {
                reply.array(series.samples().len());
                for sample in series.samples() {
                    reply.array(2);
                    reply.integer(sample.unix_s);
                    reply.integer(sample.latency_ms as i64);
                }
            }
        });
        Ok(())
    }
}
