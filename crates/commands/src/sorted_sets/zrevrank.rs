use super::ranking::{self, RankArgs};
use tessera_command::prelude::*;

pub struct ZRevRank;

impl Read for ZRevRank {
    const SPEC: Spec = Spec {
        name: "zrevrank",
        summary: "Tells how many members come behind one.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) with N the members there are.",
        flags: Flags::FAST,
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(2),
        grammar: &[key("key", 0), string("member"), token("withscore", "WITHSCORE").optional()],
        history: &[("7.2.0", "Option `WITHSCORE`.")],
        ..Spec::BASE
    };
    type Args<'a> = RankArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<RankArgs<'a>, Error> {
        ranking::parse(words)
    }

    fn execute(args: &RankArgs<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        ranking::execute(args, true, db, reply)
    }
}
