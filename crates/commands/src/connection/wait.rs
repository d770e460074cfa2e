use tessera_command::prelude::*;

pub struct WaitForReplicas;

/// Redis lets the client wait although there is nobody to wait for; nobody can come here, so that it is answered at
/// once.
impl Session for WaitForReplicas {
    const SPEC: Spec = Spec {
        name: "wait",
        summary: "Answers how many replicas have what the client wrote: 0, at once, as there can be none.",
        since: "3.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        categories: Categories::CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        policy: Policy::AsTips,
        grammar: &[integer("numreplicas"), integer("timeout")],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.integer()?;
        super::check_wait_timeout(words)
    }

    fn execute((): &(), _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(0);
        Ok(())
    }
}
