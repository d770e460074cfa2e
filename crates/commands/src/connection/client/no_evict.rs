use super::on_or_off;
use tessera_command::prelude::*;

pub struct NoEvict;

impl Session for NoEvict {
    const SPEC: Spec = Spec {
        name: "client|no-evict",
        summary: "Whether this connection is spared when memory of clients is short.",
        since: "7.0.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])],
        ..Spec::BASE
    };
    type Args<'a> = bool;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        on_or_off(words)
    }

    fn execute(enabled: &bool, session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.client.no_evict = *enabled;
        reply.ok();
        Ok(())
    }
}
