use super::gathering;
use super::request::Request;
use tessera_command::prelude::*;

pub struct SortRo;

impl Gather for SortRo {
    const SPEC: Spec = Spec {
        name: "sort_ro",
        summary: "Sorts the elements of a list, a set or a sorted set.",
        since: "7.0.0",
        group: Group::Generic,
        complexity: "O(N+M*log(M)) with N elements of which M are told; O(N) where nothing is sorted.",

        categories: Categories::SET
            .with(Categories::SORTED_SET)
            .with(Categories::LIST)
            .with(Categories::DANGEROUS),
        keys: &[
            KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS)),
            KeySpec::unknown(KeyFlags::RO.with(KeyFlags::ACCESS)).notes(super::PATTERNS_NOTE),
        ],

        grammar: &[
            key("key", 0),
            pattern("by-pattern").after("BY").display("pattern").of_keys(1).optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
            pattern("get-pattern").after("GET").display("pattern").of_keys(1).optional().multiple_token(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            token("sorting", "ALPHA").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        Request::parse(words, false)
    }

    fn needs<'a>(request: &Request<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        gathering::needs(request, needs);
        Ok(())
    }

    fn needs_more(request: &Request<'_>) -> bool {
        gathering::needs_more(request)
    }

    fn text_needs(request: &Request<'_>, _: Context, found: &[Found<'_>], needs: &mut Vec<TextNeed>) {
        gathering::text_needs(request, found, needs);
    }

    fn decide(
        request: &Request<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        gathering::decide(request, context, found, changes, reply)
    }
}
