use tessera_command::prelude::*;

pub struct Latest;

impl Session for Latest {
    const SPEC: Spec = Spec {
        name: "latency|latest",
        summary: "Answers the last moment of each event.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.host.with_latency_monitor(&mut |monitor| {
            reply.array(monitor.events().len());
            for (name, series) in monitor.events() {
                let latest = series.latest().unwrap_or_default();
                reply.array(4);
                reply.bulk(name.as_bytes());
                reply.integer(latest.unix_s);
                reply.integer(latest.latency_ms as i64);
                reply.integer(series.max_ms() as i64);
            }
        });
        Ok(())
    }
}
