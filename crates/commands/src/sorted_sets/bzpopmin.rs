use super::popping::End;
use super::waiting::WaitingPop;
use tessera_command::prelude::*;

pub struct BZPopMin;

impl Blocking for BZPopMin {
    const SPEC: Spec = Spec {
        name: "bzpopmin",
        summary: "Removes the member with the lowest score from the first sorted set that is there, and waits until \
            one is.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) with N the members there are.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::range(1, -2, 1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::ZPopMin, Event::Del],
        grammar: &[key("key", 0).multiple(), double("timeout")],
        history: &[("6.0.0", "`timeout` is a floating point number.")],
        ..Spec::BASE
    };
    const WAITS_FOR: Type = Type::SortedSet;
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
        pop.serve(End::Min, key, db, reply)
    }

    fn give_up(reply: &mut Reply<'_>) {
        reply.null_array();
    }
}
