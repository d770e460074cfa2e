use tessera_command::prelude::*;

pub struct Reset;

impl Session for Reset {
    const SPEC: Spec = Spec {
        name: "latency|reset",
        summary: "Forgets the moments of the given events, or of all.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        grammar: &[string("event").optional().multiple()],
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(
        events: &Args<'_>,
        session: &mut SessionContext<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        session.host.with_latency_monitor(&mut |monitor| {
            let count = if events.is_empty() {
                monitor.reset(None)
            } else {
                events.iter().map(|event| monitor.reset(Some(event))).sum()
            };
            reply.integer(count as i64);
        });
        Ok(())
    }
}
