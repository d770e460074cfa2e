use super::ranging::{self, RangeArgs};
use super::selection::{By, Syntax};
use tessera_command::prelude::*;

pub struct ZRangeByLex;

impl Read for ZRangeByLex {
    const SPEC: Spec = Spec {
        name: "zrangebylex",
        summary: "Tells the members from one to another, where all have the same score.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N the members there are and M those answered.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            string("min"),
            string("max"),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
        ],
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
        ..Spec::BASE
    };
    type Args<'a> = RangeArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<RangeArgs<'a>, Error> {
        ranging::parse(words, Syntax { by: Some(By::Lex), is_reversed: Some(false), takes_scores: true })
    }

    fn execute(args: &RangeArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        ranging::execute(args, db, reply)
    }
}

impl Streamed for ZRangeByLex {
    fn stream<'a>(
        args: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        ranging::stream(args, db, reply)
    }
}
