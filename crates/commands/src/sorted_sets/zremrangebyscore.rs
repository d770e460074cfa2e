use super::bounds;
use super::removal;
use tessera_command::prelude::*;
use tessera_values::sorted_set::Span;

pub struct ZRemRangeByScore;

impl Write for ZRemRangeByScore {
    const SPEC: Spec = Spec {
        name: "zremrangebyscore",
        summary: "Removes the members of a range of scores.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those removed.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::ZRemRangeByScore, Event::Del],
        grammar: &[key("key", 0), double("min"), double("max")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Span<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, bounds::scores(words.word()?, words.word()?)?))
    }

    fn execute(
        (key, span): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        removal::remove(key, Event::ZRemRangeByScore, |set| set.ranks_of(span), db, reply)
    }
}
