use tessera_command::prelude::*;

pub struct BgSave;

/// What is told to who asks for a snapshot while one is under way.
pub const IN_PROGRESS: Error = Error::Text("ERR Background save already in progress");

impl Session for BgSave {
    const SPEC: Spec = Spec {
        name: "bgsave",
        summary: "Begins to save all databases, and answers at once.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::NO_ASYNC_LOADING),
        grammar: &[token("schedule", "SCHEDULE").optional().since("3.2.2")],
        history: &[("3.2.2", "Option `SCHEDULE`.")],
        ..Spec::BASE
    };
    type Args<'a> = ();

    /// SCHEDULE changes nothing: it is about a rewrite of the log being under way, and there is no log.
    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.take("SCHEDULE");
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        if !session.host.begin_snapshot(true) {
            return Err(IN_PROGRESS);
        }
        // One that is begun by a transaction has what the rest of it does.
        let is_later = session.client.in_transaction;
        reply.simple(if is_later { "Background saving scheduled" } else { "Background saving started" });
        Ok(())
    }
}
