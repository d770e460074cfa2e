use super::moving::{self, Moving};
use crate::timeout::Timeout;
use tessera_command::prelude::*;

pub struct BrPopLPush;

impl Blocking for BrPopLPush {
    const SPEC: Spec = Spec {
        name: "brpoplpush",
        summary: "Takes the last element of a list and adds it at the front of another; waits until there is one.",
        since: "2.2.0",
        group: Group::List,
        complexity: "O(1)",
        flags: Flags::DENY_OOM,
        categories: Categories::LIST,
        keys: moving::KEYS,
        events: moving::EVENTS_OF_BACK_TO_FRONT,
        grammar: &[key("source", 0), key("destination", 1), double("timeout")],
        history: &[("6.0.0", "`timeout` may have a fraction.")],
        deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
        ..Spec::BASE
    };
    const WAITS_FOR: Type = Type::List;
    type Args<'a> = (Moving<'a>, Timeout);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((Moving::from_back_to_front(words)?, Timeout::parse(words.word()?)?))
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
        db.record(&[b"RPOPLPUSH", moving.source, moving.destination]);
        Ok(Some(Effect::Rewritten))
    }

    fn give_up(reply: &mut Reply<'_>) {
        reply.null_array();
    }

    fn refuse_to_wait(reply: &mut Reply<'_>) {
        reply.null();
    }
}
