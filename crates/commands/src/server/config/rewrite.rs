use tessera_command::prelude::*;

pub struct Rewrite;

impl Session for Rewrite {
    const SPEC: Spec = Spec {
        name: "config|rewrite",
        summary: "Writes the parameters in force into the configuration file.",
        since: "2.8.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.host.config_rewrite()?;
        reply.ok();
        Ok(())
    }
}
