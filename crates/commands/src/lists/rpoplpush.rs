use super::moving::{self, Moving};
use tessera_command::prelude::*;

pub struct RPopLPush;

impl Gather for RPopLPush {
    const SPEC: Spec = Spec {
        name: "rpoplpush",
        summary: "Takes the last element of a list, adds it at the front of another, and answers it.",
        since: "1.2.0",
        group: Group::List,
        complexity: "O(1)",
        flags: Flags::DENY_OOM,
        categories: Categories::LIST,
        keys: moving::KEYS,
        events: moving::EVENTS_OF_BACK_TO_FRONT,
        grammar: &[key("source", 0), key("destination", 1)],
        deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
        ..Spec::BASE
    };
    type Args<'a> = Moving<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Moving<'a>, Error> {
        Moving::from_back_to_front(words)
    }

    fn needs<'a>(moving: &Moving<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        moving.needs(needs);
        Ok(())
    }

    fn decide(
        moving: &Moving<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        moving.decide(found, changes, reply)
    }
}
