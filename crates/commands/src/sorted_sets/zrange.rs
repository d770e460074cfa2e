use super::ranging::{self, RangeArgs};
use super::selection::Syntax;
use tessera_command::prelude::*;

pub struct ZRange;

impl Read for ZRange {
    const SPEC: Spec = Spec {
        name: "zrange",
        summary: "Tells the members of a range of ranks, scores or bytes.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) with N the members there are and M those answered.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            string("start"),
            string("stop"),
            one_of("sortby", &[token("byscore", "BYSCORE"), token("bylex", "BYLEX")])
                .optional()
                .since("6.2.0"),
            token("rev", "REV").optional().since("6.2.0"),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional().since("6.2.0"),
            token("withscores", "WITHSCORES").optional(),
        ],
        history: &[("6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
        ..Spec::BASE
    };
    type Args<'a> = RangeArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<RangeArgs<'a>, Error> {
        ranging::parse(words, Syntax { by: None, is_reversed: None, takes_scores: true })
    }

    fn execute(args: &RangeArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        ranging::execute(args, db, reply)
    }
}

impl Streamed for ZRange {
    fn stream<'a>(
        args: &Self::Args<'a>,
        db: View<'_>,
        reply: &mut Reply<'_>,
    ) -> Option<(&'a [u8], Box<dyn Stream>)> {
        ranging::stream(args, db, reply)
    }
}
