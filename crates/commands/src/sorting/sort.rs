use super::gathering;
use super::request::Request;
use tessera_command::keys::KeyAt;
use tessera_command::prelude::*;

pub struct Sort;

const STORE_NOTE: &str = "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear \
    anywhere in \
                          the argument array";

/// Words that follow an option, which may be anything.
const SKIPPED: &[(&[u8], usize)] = &[(b"limit", 2), (b"get", 1), (b"by", 1)];

/// The key behind the last STORE.
fn destination(args: Args<'_>, found: &mut Vec<KeyAt>) {
    let (mut last, mut index) = (None, 2);
    while let Some(word) = args.get(index) {
        if word.eq_ignore_ascii_case(b"store") && index + 1 < args.len() {
            last = Some(index + 1);
        }
        let skipped = SKIPPED.iter().find(|(option, _)| word.eq_ignore_ascii_case(option));
        index += 1 + skipped.map_or(0, |(_, words)| *words);
    }
    found.extend(last.map(|index| KeyAt { index, flags: KeyFlags::OW.with(KeyFlags::UPDATE) }));
}

impl Gather for Sort {
    const SPEC: Spec = Spec {
        name: "sort",
        summary: "Sorts the elements of a list, a set or a sorted set, and perhaps keeps them as a list.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(N+M*log(M)) with N elements of which M are told; O(N) where nothing is sorted.",
        flags: Flags::DENY_OOM,
        categories: Categories::SET
            .with(Categories::SORTED_SET)
            .with(Categories::LIST)
            .with(Categories::DANGEROUS),
        keys: &[
            KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS)),
            KeySpec::unknown(KeyFlags::RO.with(KeyFlags::ACCESS)).notes(super::PATTERNS_NOTE),
            KeySpec::unknown(KeyFlags::OW.with(KeyFlags::UPDATE)).notes(STORE_NOTE),
        ],
        events: &[Event::SortStore, Event::Del, Event::New],
        own_keys: Some(destination),
        grammar: &[
            key("key", 0),
            pattern("by-pattern").after("BY").display("pattern").of_keys(1).optional(),
            block("limit", &[integer("offset"), integer("count")]).after("LIMIT").optional(),
            pattern("get-pattern").after("GET").display("pattern").of_keys(1).optional().multiple_token(),
            one_of("order", &[token("asc", "ASC"), token("desc", "DESC")]).optional(),
            token("sorting", "ALPHA").optional(),
            key("destination", 2).after("STORE").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        Request::parse(words, true)
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
