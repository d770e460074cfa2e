use tessera_command::prelude::*;

pub struct Len;

impl Session for Len {
    const SPEC: Spec = Spec {
        name: "slowlog|len",
        summary: "Answers how many entries there are.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::LOADING).with(Flags::STALE),
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.host.with_slowlog(&mut |log| reply.integer(log.len() as i64));
        Ok(())
    }
}
