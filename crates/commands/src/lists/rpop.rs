use super::pop::{self, Pop};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct RPop;

impl Write for RPop {
    const SPEC: Spec = Spec {
        name: "rpop",
        summary: "Takes elements from the back of a list and answers them.",
        events: &[Event::RPop, Event::Del],
        ..pop::SPEC
    };
    type Args<'a> = Pop<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Pop<'a>, Error> {
        Pop::parse(words)
    }

    fn execute(pop: &Pop<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        pop.execute(End::Back, db, reply)
    }
}
