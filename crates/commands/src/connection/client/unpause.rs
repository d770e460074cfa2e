use tessera_command::prelude::*;

pub struct Unpause;

impl Everywhere for Unpause {
    const SPEC: Spec = Spec {
        name: "client|unpause",
        summary: "Ends a pause.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(N) in the number of connections held back.",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.pause_mut().end();
        reply.ok();
        Ok(())
    }
}
