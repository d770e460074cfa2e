use super::popping::{self, End, PopArgs};
use tessera_command::prelude::*;

pub struct ZPopMin;

impl Write for ZPopMin {
    const SPEC: Spec = Spec {
        name: "zpopmin",
        summary: "Removes the members with the lowest scores and tells them.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those removed.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::ZPopMin, Event::Del],
        grammar: &[key("key", 0), integer("count").optional()],
        ..Spec::BASE
    };
    type Args<'a> = PopArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<PopArgs<'a>, Error> {
        popping::parse(words)
    }

    fn execute(args: &PopArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        popping::execute(args, End::Min, db, reply)
    }
}
