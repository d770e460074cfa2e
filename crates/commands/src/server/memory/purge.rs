use tessera_command::prelude::*;

pub struct Purge;

impl Everywhere for Purge {
    const SPEC: Spec = Spec {
        name: "memory|purge",
        summary: "Has the allocator give unused memory back to the system.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) in the memory that the allocator keeps.",
        policy: Policy::AsTips,
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    const MERGE: Merge = Merge::AllOk;
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), node: &mut NodePart<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        node.host.purge_memory();
        reply.ok();
        Ok(())
    }
}
