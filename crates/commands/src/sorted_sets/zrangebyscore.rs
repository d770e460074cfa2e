use super::ranging::{self, RangeArgs};
use super::selection::{By, Syntax};
use tessera_command::prelude::*;

pub struct ZRangeByScore;

impl Read for ZRangeByScore {
    const SPEC: Spec = Spec {
        name: "zrangebyscore",
        summary: "Tells the members of a range of scores.",
        since: "1.0.5",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N the members there are and M those answered.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            double("min"),
            double("max"),
            token("withscores", "WITHSCORES").optional().since("2.0.0"),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        history: &[("2.0.0", "Option `WITHSCORES`.")],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
        ..Spec::BASE
    };
    type Args<'a> = RangeArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<RangeArgs<'a>, Error> {
        ranging::parse(words, Syntax { by: Some(By::Score), is_reversed: Some(false), takes_scores: true })
    }

    fn execute(args: &RangeArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        ranging::execute(args, db, reply)
    }
}

impl Streamed for ZRangeByScore {
    fn stream<'a>(
        args: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        ranging::stream(args, db, reply)
    }
}
