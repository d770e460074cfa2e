use super::pop::{self, WaitingPop};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct BrPop;

impl Blocking for BrPop {
    const SPEC: Spec = Spec {
        name: "brpop",
        summary: "Takes the last element of the first list that has one, and waits until there is one.",
        events: &[Event::RPop, Event::Del],
        ..pop::WAITING_SPEC
    };
    const WAITS_FOR: Type = Type::List;
    type Args<'a> = WaitingPop<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<WaitingPop<'a>, Error> {
        WaitingPop::parse(words)
    }

    fn wait<'a>(pop: &Self::Args<'a>) -> Wait<'a> {
        pop.wait()
    }

    fn serve(
        pop: &WaitingPop<'_>,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        pop.serve(End::Back, key, db, reply)
    }

    fn give_up(reply: &mut Reply<'_>) {
        reply.null_array();
    }
}
