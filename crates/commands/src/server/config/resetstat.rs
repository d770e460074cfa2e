use tessera_command::prelude::*;

pub struct ResetStat;

impl Everywhere for ResetStat {
    const SPEC: Spec = Spec {
        name: "config|resetstat",
        summary: "Sets the counters that INFO reports to 0.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.reset_statistics();
        reply.ok();
        Ok(())
    }
}
