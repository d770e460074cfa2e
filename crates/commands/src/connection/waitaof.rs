use tessera_command::prelude::*;

pub struct WaitForLogs;

/// Answered at once, as WAIT is.
impl Session for WaitForLogs {
    const SPEC: Spec = Spec {
        name: "waitaof",
        summary: "Answers how many logs have what the client wrote: there is none here, and there are no replicas.",
        since: "7.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT,
        categories: Categories::CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        policy: Policy::AsTips,
        grammar: &[integer("numlocal"), integer("numreplicas"), integer("timeout")],
        ..Spec::BASE
    };
    /// The client wants to wait for the server's own log.
    type Args<'a> = bool;

    fn parse<'a>(words: &mut Words<'a>) -> Result<bool, Error> {
        let wants_own = match words.integer()? {
            number @ (0 | 1) => number == 1,
            _ => return Err(Error::Text("ERR value is out of range, value must between 0 and 1")),
        };
        // Redis says the same of what is no number.
        if !words.integer().is_ok_and(|replicas| replicas >= 0) {
            return Err(Error::Text("ERR value is out of range, must be positive"));
        }
        super::check_wait_timeout(words)?;
        Ok(wants_own)
    }

    fn execute(wants_own: &bool, _: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        if *wants_own {
            return Err(Error::Text(
                "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
            ));
        }
        reply.array(2);
        reply.integer(0);
        reply.integer(0);
        Ok(())
    }
}
