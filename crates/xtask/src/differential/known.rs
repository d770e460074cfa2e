//! What the server that is compared with is known to answer otherwise than Redis 7.2.

use tessera_resp::scan;

/// Looks at a command's words, the server's reply and ours.
type IsIt = fn(&[Vec<u8>], &[u8], &[u8]) -> bool;

/// A known difference.
pub struct Known {
    /// Versions of the server that have it, as the start of `redis_version`; nothing for all of them.
    pub version: &'static str,
    /// What differs and why.
    pub reason: &'static str,
    /// Whether this is it: the command's words or the bytes of a whole connection, the server's reply, ours.
    pub is_it: IsIt,
}

fn is(words: &[Vec<u8>], names: &[&str]) -> bool {
    names.len() <= words.len()
        && names.iter().zip(words).all(|(name, word)| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a command may leave a server of this version in another state than Redis 7.2, which then shows in any later
/// reply. Such are not sent.
pub fn is_unequal_after(version: &str, words: &[Vec<u8>]) -> bool {
    if !version.starts_with("7.0.") {
        return false;
    }
    let has = |name: &[u8]| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    // A client's name may hold a NUL byte since 7.2.
    let names_nul = words.iter().any(|word| word.contains(&0)) && has(b"SETNAME");
    // 7.0 takes a timeout of more than some hundred million years for one that is over.
    let is_blocking = words[0].to_ascii_uppercase().starts_with(b"B") && !is(words, &["BITCOUNT"]);
    let waits_long = |word: &Vec<u8>| {
        let seconds = std::str::from_utf8(word).ok().and_then(|text| text.parse::<f64>().ok());
        seconds.is_some_and(|seconds| seconds > 9e15)
    };
    let waits_long = is_blocking && !is(words, &["BITOP"]) && words.iter().any(waits_long);
    // 7.2 looks at the lower half of the index only.
    let index = words.get(2).and_then(|word| std::str::from_utf8(word).ok()?.parse::<i64>().ok());
    let is_far = is(words, &["LSET"]) && index.is_some_and(|index| i32::try_from(index).is_err());
    // HELLO with SETNAME and a mistake behind it: 7.0 keeps the name, 7.2 does not.
    names_nul
        || is_far
        || waits_long
        || may_damage_log(words)
        || (is(words, &["HELLO"]) && words.len() != 4 && has(b"SETNAME"))
}

/// Whether a server of this version would not even queue a command that Redis 7.2 does, which aborts the transaction.
pub fn is_not_queued(version: &str, words: &[Vec<u8>]) -> bool {
    version.starts_with("7.0.") && (is(words, &["ZRANK"]) || is(words, &["ZREVRANK"])) && words.len() == 4
}

/// Whether a command may leave a damaged HyperLogLog somewhere, or a HyperLogLog where another one may damage it.
///
/// Debian's 7.0 has a mend that is younger than 7.2.0: a sparse HyperLogLog whose runs make up all registers, and
/// behind which a run of a value follows, is refused as corrupt wherever registers are merged, shown or made dense, by
/// PFCOUNT of several keys, PFMERGE, PFDEBUG, and by PFADD at the size at which it becomes dense. 7.2 does not look
/// behind the last register there. So HyperLogLogs stay at the keys that have their name, and nothing else writes to
/// those.
fn may_damage_log(words: &[Vec<u8>]) -> bool {
    let name = words[0].to_ascii_uppercase();
    let at = |index: usize| words.get(index).is_some_and(|word| word.starts_with(b"hll:"));
    match name.as_slice() {
        b"SET" => words.get(2).is_some_and(|word| word.starts_with(b"HYLL")),
        b"APPEND" | b"SETRANGE" | b"SETBIT" | b"BITFIELD" => at(1),
        b"BITOP" => words.iter().skip(2).any(|word| word.starts_with(b"hll:")),
        b"PFADD" | b"PFMERGE" => !at(1),
        b"RENAME" | b"RENAMENX" | b"COPY" => at(1) && !at(2),
        _ => false,
    }
}

/// All of them. Everything else must be equal.
pub const KNOWN: &[Known] = &[
    Known {
        version: "",
        reason: "commands of more than 1,048,576 words are refused at once, where Redis would wait for up to 2^31 - 1",
        is_it: |_, expected, got| {
            got.strip_suffix(b"-ERR Protocol error: invalid multibulk length\r\n")
                .is_some_and(|before| expected.starts_with(before))
        },
    },
    Known {
        version: "7.0.",
        reason: "scores are printed with other digits",
        is_it: |words, expected, got| {
            let name = words[0].to_ascii_uppercase();
            let has_scores = name.starts_with(b"Z") || name.starts_with(b"BZ") || name.starts_with(b"GEO");
            has_scores && with_plain_numbers(expected) == with_plain_numbers(got)
        },
    },
    Known {
        version: "7.0.",
        reason: "short lists are no listpacks, nor are small sets",
        is_it: |words, expected, got| {
            is(words, &["OBJECT", "ENCODING"])
                && scan::text(got) == Some(b"listpack")
                && matches!(scan::text(expected), Some(b"quicklist" | b"hashtable"))
        },
    },
    Known {
        version: "7.0.",
        reason: "ZRANDMEMBER tells a whole sorted set backwards",
        is_it: |words, expected, got| {
            let sorted = |reply| {
                let mut parts = with_plain_numbers(reply);
                parts.sort_unstable();
                parts
            };
            is(words, &["ZRANDMEMBER"]) && sorted(expected) == sorted(got)
        },
    },
    Known {
        version: "7.0.",
        reason: "LPOS takes the least of all integers for a rank",
        is_it: |words, _, got| {
            is(words, &["LPOS"]) && got.starts_with(b"-ERR value is out of range, value must")
        },
    },
    Known {
        version: "7.0.",
        reason: "ZRANK and ZREVRANK take no WITHSCORE",
        is_it: |words, expected, _| {
            (is(words, &["ZRANK"]) || is(words, &["ZREVRANK"]))
                && words.len() == 4
                && expected.starts_with(b"-ERR wrong number of arguments")
        },
    },
];

/// A reply in which every number, in whatever digits, is told in the same way.
fn with_plain_numbers(reply: &[u8]) -> Vec<String> {
    if let Some(elements) = scan::elements(reply) {
        let inner = elements.flat_map(with_plain_numbers);
        return std::iter::once(String::from("aggregate")).chain(inner).collect();
    }
    let text = scan::text(reply).or_else(|| reply.strip_prefix(b",")?.strip_suffix(b"\r\n"));
    let number = text.and_then(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok());
    vec![match number {
        Some(number) => format!("{number:?}"),
        None => reply.escape_ascii().to_string(),
    }]
}
