use super::bounds;
use super::removal;
use tessera_command::prelude::*;
use tessera_values::sorted_set::Span;

pub struct ZRemRangeByLex;

impl Write for ZRemRangeByLex {
    const SPEC: Spec = Spec {
        name: "zremrangebylex",
        summary: "Removes the members from one to another, where all have the same score.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those removed.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::ZRemRangeByLex, Event::Del],
        grammar: &[key("key", 0), string("min"), string("max")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Span<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, bounds::members(words.word()?, words.word()?)?))
    }

    fn execute(
        (key, span): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        removal::remove(key, Event::ZRemRangeByLex, |set| set.ranks_of(span), db, reply)
    }
}
