use crate::connection::names::validate_name;
use tessera_command::prelude::*;

pub struct SetName;

impl Session for SetName {
    const SPEC: Spec = Spec {
        name: "client|setname",
        summary: "Names the connection; the empty name takes the name away.",
        since: "2.6.9",
        group: Group::Connection,
        complexity: "O(1)",
        flags: Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE),
        categories: Categories::CONNECTION,
        grammar: &[string("connection-name")],
        policy: Policy::AsTips,
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        validate_name(words.word()?)
    }

    fn execute(name: &&[u8], session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        session.client.name = (*name).into();
        reply.ok();
        Ok(())
    }
}
