use super::moving::{self, Moving};
use tessera_command::prelude::*;

pub struct LMove;

impl Gather for LMove {
    const SPEC: Spec = Spec {
        name: "lmove",
        summary: "Takes an element from an end of a list, adds it at an end of another, and answers it.",
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
        ],
        ..Spec::BASE
    };
    type Args<'a> = Moving<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Moving<'a>, Error> {
        Moving::parse(words)
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
