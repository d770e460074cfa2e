use super::ranging::{self, RangeArgs};
use super::selection::{By, Syntax};
use tessera_command::prelude::*;

pub struct ZRevRange;

impl Read for ZRevRange {
    const SPEC: Spec = Spec {
        name: "zrevrange",
        summary: "Tells the members of a range of ranks, the last one first.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N the members there are and M those answered.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            integer("start"),
            integer("stop"),
            token("withscores", "WITHSCORES").optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
        ..Spec::BASE
    };
    type Args<'a> = RangeArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<RangeArgs<'a>, Error> {
        ranging::parse(words, Syntax { by: Some(By::Rank), is_reversed: Some(true), takes_scores: true })
    }

    fn execute(args: &RangeArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        ranging::execute(args, db, reply)
    }
}

impl Streamed for ZRevRange {
    fn stream<'a>(
        args: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        ranging::stream(args, db, reply)
    }
}
