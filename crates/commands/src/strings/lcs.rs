use super::subsequence::{self, Match};
use tessera_command::prelude::*;

pub struct Lcs;

/// The parsed words of LCS. Its options are looked at after the keys.
pub struct LcsArgs<'a> {
    keys: [&'a [u8]; 2],
    options: Words<'a>,
}

#[derive(Default)]
struct Options {
    len: bool,
    indices: bool,
    match_len: bool,
    match_min_len_bytes: i64,
}

impl Options {
    fn parse(mut words: Words<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        while !words.is_empty() {
            if words.take("IDX") {
                options.indices = true;
            } else if words.take("LEN") {
                options.len = true;
            } else if words.take("WITHMATCHLEN") {
                options.match_len = true;
            } else if words.take("MINMATCHLEN") {
                options.match_min_len_bytes = words.integer()?;
            } else {
                return Err(Error::SYNTAX);
            }
        }
        if options.len && options.indices {
            return Err(Error::Text("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(options)
    }
}

impl Gather for Lcs {
    const SPEC: Spec = Spec {
        name: "lcs",
        summary: "Finds the longest subsequence that two strings have in common.",
        since: "7.0.0",
        group: Group::String,
        complexity: "O(N*M) with N and M the lengths of the strings.",
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, 1, 1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key1", 0),
            key("key2", 0),
            token("len", "LEN").optional(),
            token("idx", "IDX").optional(),
            integer("min-match-len").after("MINMATCHLEN").optional(),
            token("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = LcsArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<LcsArgs<'a>, Error> {
        Ok(LcsArgs { keys: [words.word()?, words.word()?], options: *words })
    }

    fn needs<'a>(args: &LcsArgs<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.extend(args.keys.map(|key| Need { key, db: None, what: What::Value }));
        Ok(())
    }

    fn decide(
        args: &LcsArgs<'_>,
        context: Context,
        found: &[Found<'_>],
        _changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let (mut first_digits, mut second_digits) = (Digits::new(), Digits::new());
        let first = bytes_of(&found[0], &mut first_digits)?;
        let second = bytes_of(&found[1], &mut second_digits)?;
        let options = Options::parse(args.options)?;
        check_effort(first, second, context)?;
        if options.indices {
            answer_indices(first, second, &options, reply);
        } else if options.len {
            reply.integer(i64::from(subsequence::len_bytes(first, second)));
        } else {
            let mut runs = Vec::new();
            subsequence::matches(first, second, |found| runs.push(found.first));
            let common: Vec<u8> = runs.into_iter().rev().flat_map(|run| &first[run]).copied().collect();
            reply.bulk(&common);
        }
        Ok(())
    }
}

fn bytes_of<'v>(found: &Found<'v>, digits: &'v mut Digits) -> Result<&'v [u8], Error> {
    match found.value {
        None => Ok(b""),
        Some(ValueRef::String(string)) => Ok(string.as_bytes(digits)),
        Some(_) => Err(Error::Text("ERR The specified keys must contain string values")),
    }
}

/// Bounds time and memory as Redis does: its table has four bytes for each pair of positions.
fn check_effort(first: &[u8], second: &[u8], context: Context) -> Result<(), Error> {
    let longest = u64::from(u32::MAX) - 1;
    let (first_len, second_len) = (first.len() as u64, second.len() as u64);
    if first_len >= longest || second_len >= longest {
        return Err(Error::Text("ERR String too long for LCS"));
    }
    let table_bytes = (u128::from(first_len) + 1) * (u128::from(second_len) + 1) * 4;
    if table_bytes > u128::from(context.settings.string_max_len_bytes) {
        return Err(Error::Text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    Ok(())
}

fn answer_indices(first: &[u8], second: &[u8], options: &Options, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"matches");
    let opened = reply.open();
    let mut count = 0;
    let len_bytes = subsequence::matches(first, second, |Match { first, second }| {
        let match_len_bytes = (first.end() - first.start() + 1) as i64;
        if match_len_bytes < options.match_min_len_bytes {
            return;
        }
        count += 1;
        reply.array(2 + usize::from(options.match_len));
        for range in [first, second] {
            reply.array(2);
            reply.integer(*range.start() as i64);
            reply.integer(*range.end() as i64);
        }
        if options.match_len {
            reply.integer(match_len_bytes);
        }
    });
    reply.close_array(opened, count);
    reply.bulk(b"len");
    reply.integer(i64::from(len_bytes));
}
