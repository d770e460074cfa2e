use super::moving::{self, Moving};
use crate::timeout::Timeout;
use tessera_command::prelude::*;

pub struct BlMove;

impl Blocking for BlMove {
    const SPEC: Spec = Spec {
        name: "blmove",
        summary: "Takes an element from an end of a list and adds it at an end of another; waits until there is one.",
        since: "6.2.0",
        group: Group::List,
        complexity: "O(1)",
        flags: Flags::DENY_OOM,
        categories: Categories::LIST,
        keys: moving::KEYS,
        events: moving::EVENTS,
        grammar: &[
            key("source", 0),
            key("destination", 1),
            one_of("wherefrom", super::ENDS),
            one_of("whereto", super::ENDS),
            double("timeout"),
        ],
        ..Spec::BASE
    };
    const WAITS_FOR: Type = Type::List;
    type Args<'a> = (Moving<'a>, Timeout);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((Moving::parse(words)?, Timeout::parse(words.word()?)?))
    }

    fn wait<'a>((moving, timeout): &Self::Args<'a>) -> Wait<'a> {
        let target = Target { key: moving.destination, transfer: moving.transfer() };
        Wait { keys: vec![moving.source], timeout_ms: timeout.ms(), target: Some(target) }
    }

    fn serve(
        (moving, _): &Self::Args<'_>,
        _key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        if moving.serve(db, reply)?.is_none() {
            return Ok(None);
        }
        Ok(Some(moving.record(db)))
    }

    fn give_up(reply: &mut Reply<'_>) {
        reply.null_array();
    }

    fn refuse_to_wait(reply: &mut Reply<'_>) {
        reply.null();
    }
}
