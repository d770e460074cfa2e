use super::push::{self, Push};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct RPush;

impl Write for RPush {
    const SPEC: Spec = Spec {
        name: "rpush",
        summary: "Adds elements at the back of a list, which begins to exist if need be.",
        since: "1.0.0",
        history: &[("2.4.0", "Takes several elements.")],
        events: &[Event::RPush, Event::New],
        ..push::SPEC
    };
    type Args<'a> = Push<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Push<'a>, Error> {
        Push::parse(words)
    }

    fn execute(push: &Push<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        push.execute(End::Back, db, reply)
    }
}
