use super::bounds;
use super::removal;
use tessera_command::prelude::*;

pub struct ZRemRangeByRank;

impl Write for ZRemRangeByRank {
    const SPEC: Spec = Spec {
        name: "zremrangebyrank",
        summary: "Removes the members of a range of ranks.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) with N the members there are and M those removed.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::DELETE))],
        events: &[Event::ZRemRangeByRank, Event::Del],
        grammar: &[key("key", 0), integer("start"), integer("stop")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], i64, i64);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.integer()?, words.integer()?))
    }

    fn execute(
        &(key, start, stop): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        removal::remove(key, Event::ZRemRangeByRank, |set| bounds::ranks(start, stop, set.len()), db, reply)
    }
}
