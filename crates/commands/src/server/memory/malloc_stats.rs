use tessera_command::prelude::*;

pub struct MallocStats;

impl Session for MallocStats {
    const SPEC: Spec = Spec {
        name: "memory|malloc-stats",
        summary: "Answers what the allocator reports of itself.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) in the memory that the allocator keeps.",
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        match session.host.allocator_report() {
            Some(report) => reply.verbatim("txt", report.as_bytes()),
            None => reply.bulk(b"Stats not supported for the current allocator"),
        }
        Ok(())
    }
}
