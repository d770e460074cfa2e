use crate::scanning;
use tessera_command::cursor;
use tessera_command::prelude::*;
use tessera_command::spec::CountOption;
use tessera_keyspace::Entry;
use tessera_keyspace::table::CURSOR_BITS;
use tessera_values::glob;

/// Keys visited in a call without COUNT.
const COUNT_DEFAULT: usize = 10;

/// The types of which keys are told.
enum Types {
    All,
    Only(Type),
    /// What was asked for is the name of no type.
    None,
}

impl Types {
    fn include(&self, value: ValueRef<'_>) -> bool {
        match self {
            Types::All => true,
            Types::Only(wanted) => value.value_type() == *wanted,
            Types::None => false,
        }
    }
}

/// What the words ask for.
pub struct Request<'a> {
    position: u64,
    count: usize,
    /// Not the pattern `*`, which takes all.
    pattern: Option<&'a [u8]>,
    types: Types,
}

impl Request<'_> {
    fn matches(&self, entry: Entry<'_>) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, entry.key()))
            && self.types.include(entry.value())
    }
}

pub struct Scan;

impl Read for Scan {
    const SPEC: Spec = Spec {
        name: "scan",
        summary: "Walks over the keys of the database, some at each call.",
        since: "2.8.0",
        group: Group::Generic,
        complexity: "O(COUNT) for a call, O(N) for a whole walk over N keys.",
        spread: Some(Spread::Cursor {
            cursor: 1,
            count: CountOption { word: "COUNT", default: COUNT_DEFAULT },
        }),
        categories: Categories::KEYSPACE,
        tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
        grammar: &[
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
            string("type").after("TYPE").optional().since("6.0.0"),
        ],
        history: &[("6.0.0", "Option `TYPE`.")],
        policy: Policy::AsTips,
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        let position = cursor::parse(words.word()?).ok_or(cursor::INVALID)?;
        let mut request = Request { position, count: COUNT_DEFAULT, pattern: None, types: Types::All };
        while !words.is_empty() {
            if words.take("NOVALUES") {
                return Err(scanning::NOVALUES_ELSEWHERE);
            }
            if words.left() < 2 {
                return Err(Error::SYNTAX);
            }
            if words.take("COUNT") {
                let count = words.integer()?;
                request.count =
                    usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Error::SYNTAX)?;
            } else if words.take("MATCH") {
                request.pattern = Some(words.word()?).filter(|pattern| pattern != b"*");
            } else if words.take("TYPE") {
                request.types = Type::named(words.word()?).map_or(Types::None, Types::Only);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(request)
    }

    fn execute(request: &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let mut keys = Vec::new();
        let mut found = 0;
        let mut elements = Reply::new(&mut keys, reply.protocol());
        let next = if request.position >> CURSOR_BITS == 0 {
            db.scan(request.position, request.count, |entry| {
                if request.matches(entry) {
                    elements.bulk(entry.key());
                    found += 1;
                }
            })
        } else {
            // No cursor of ours: nothing lies behind it.
            None
        };
        reply.array(2);
        // A cursor is never 0 again behind the start, which lets 0 stand for the end.
        reply.bulk(next.unwrap_or(0).to_string().as_bytes());
        reply.array(found);
        reply.raw(&keys);
        Ok(())
    }
}
