use super::answer::Listing;
use super::combining;
use super::inputs::{Request, Syntax};
use tessera_command::prelude::*;

pub struct ZInter;

impl Gather for ZInter {
    const SPEC: Spec = Spec {
        name: "zinter",
        summary: "Tells the members that all of several sorted sets have.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N*K+M*log(M)) with N the members of the smallest input, K the inputs and M the members of the \
            result.",

        categories: Categories::SORTED_SET,
        keys: &[KeySpec::counted(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("weight").after("WEIGHTS").optional().multiple(),
            one_of("aggregate", &[token("sum", "SUM"), token("min", "MIN"), token("max", "MAX")])
                .after("AGGREGATE")
                .optional(),
            token("withscores", "WITHSCORES").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Request::parse(words, "zinter", Syntax { weighs: true, shows_scores: true, ..Syntax::default() })
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
        let combined = combining::intersect(inputs, request.aggregate);
        Listing { with_scores: request.with_scores }.all(combined.iter(), reply);
        Ok(())
    }
}
