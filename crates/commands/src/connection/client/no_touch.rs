use super::on_or_off;
use tessera_command::prelude::*;

pub struct NoTouch;

impl Session for NoTouch {
    const SPEC: Spec = Spec {
        name: "client|no-touch",
        summary: "Whether commands of this connection leave no trace of use at the keys they read.",
        since: "7.2.0",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[one_of("enabled", &[token("on", "ON"), token("off", "OFF")])],
        ..Spec::BASE
    };
    type Args<'a> = bool;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        on_or_off(words)
    }

    fn execute(enabled: &bool, session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.client.no_touch = *enabled;
        reply.ok();
        Ok(())
    }
}
