use super::push::{self, Push};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct LPushX;

impl Write for LPushX {
    const SPEC: Spec = Spec {
        name: "lpushx",
        summary: "Adds elements at the front of a list that is there.",
        since: "2.2.0",
        history: &[("4.0.0", "Takes several elements.")],
        events: &[Event::LPush],
        ..push::SPEC
    };
    type Args<'a> = Push<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Push<'a>, Error> {
        Push::parse(words)
    }

    fn execute(push: &Push<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        push.execute_if_there(End::Front, db, reply)
    }
}
