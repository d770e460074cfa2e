use super::combining;
use super::inputs::{Request, Syntax};
use tessera_command::prelude::*;

pub struct ZInterCard;

impl Gather for ZInterCard {
    const SPEC: Spec = Spec {
        name: "zintercard",
        summary: "Counts the members that all of several sorted sets have.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(N*K) with N the members of the smallest input and K the inputs.",

        categories: Categories::SORTED_SET,
        keys: &[KeySpec::counted(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[integer("numkeys"), key("key", 0).multiple(), integer("limit").after("LIMIT").optional()],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Request::parse(words, "zintercard", Syntax { counts: true, ..Syntax::default() })
    }

    fn needs<'a>(request: &Self::Args<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        request.need(needs);
        Ok(())
    }

    fn decide(
        request: &Self::Args<'_>,
        _: Context,
        found: &[Found<'_>],
        _: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let inputs = request.inputs(found)?;
        reply.integer(combining::count_common(inputs, request.limit.unwrap_or(usize::MAX)) as i64);
        Ok(())
    }
}
