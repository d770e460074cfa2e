use super::bounds;
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::sorted_set::Span;

pub struct ZCount;

impl Read for ZCount {
    const SPEC: Spec = Spec {
        name: "zcount",
        summary: "Counts the members of a range of scores.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) with N the members there are.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), double("min"), double("max")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Span<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, bounds::scores(words.word()?, words.word()?)?))
    }

    fn execute((key, span): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(db.collection::<SortedSet>(key)?.map_or(0, |set| set.ranks_of(span).len() as i64));
        Ok(())
    }
}
