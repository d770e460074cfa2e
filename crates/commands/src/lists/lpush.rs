use super::push::{self, Push};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct LPush;

impl Write for LPush {
    const SPEC: Spec = Spec {
        name: "lpush",
        summary: "Adds elements at the front of a list, which begins to exist if need be.",
        since: "1.0.0",
        history: &[("2.4.0", "Takes several elements.")],
        events: &[Event::LPush, Event::New],
        ..push::SPEC
    };
    type Args<'a> = Push<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Push<'a>, Error> {
        Push::parse(words)
    }

    fn execute(push: &Push<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        push.execute(End::Front, db, reply)
    }
}
