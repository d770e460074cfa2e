use super::bounds;
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::sorted_set::Span;

pub struct ZLexCount;

impl Read for ZLexCount {
    const SPEC: Spec = Spec {
        name: "zlexcount",
        summary: "Counts the members from one to another, where all have the same score.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)) with N the members there are.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0), string("min"), string("max")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Span<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, bounds::members(words.word()?, words.word()?)?))
    }

    fn execute((key, span): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.integer(db.collection::<SortedSet>(key)?.map_or(0, |set| set.ranks_of(span).len() as i64));
        Ok(())
    }
}
