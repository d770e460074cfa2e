use super::pop::{self, Pop};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct LPop;

impl Write for LPop {
    const SPEC: Spec = Spec {
        name: "lpop",
        summary: "Takes elements from the front of a list and answers them.",
        events: &[Event::LPop, Event::Del],
        ..pop::SPEC
    };
    type Args<'a> = Pop<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Pop<'a>, Error> {
        Pop::parse(words)
    }

    fn execute(pop: &Pop<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        pop.execute(End::Front, db, reply)
    }
}
