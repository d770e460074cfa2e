use tessera_command::prelude::*;

pub struct Reset;

impl Session for Reset {
    const SPEC: Spec = Spec {
        name: "slowlog|reset",
        summary: "Forgets all entries.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) in the number of entries.",
        flags: Flags::ADMIN.with(Flags::LOADING).with(Flags::STALE),
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.host.with_slowlog(&mut |log| log.reset());
        reply.ok();
        Ok(())
    }
}
