//! What the server that is compared with is known to answer otherwise than Redis 7.2.

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

/// Whether a command may leave Redis 7.0 in another state than 7.2, which then shows in any later reply. Such are
/// not sent.
pub fn is_unequal_after(words: &[Vec<u8>]) -> bool {
    let has = |name: &[u8]| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    // A client's name may hold a NUL byte since 7.2.
    let names_nul = words.iter().any(|word| word.contains(&0)) && has(b"SETNAME");
    // HELLO with SETNAME and a mistake behind it: 7.0 keeps the name, 7.2 does not.
    names_nul || (is(words, &["HELLO"]) && words.len() != 4 && has(b"SETNAME"))
}

/// All of them. Everything else must be equal.
pub const KNOWN: &[Known] = &[Known {
    version: "",
    reason: "commands of more than 1,048,576 words are refused at once, where Redis would wait for up to 2^31 - 1",
    is_it: |_, expected, got| {
        got.strip_suffix(b"-ERR Protocol error: invalid multibulk length\r\n")
            .is_some_and(|before| expected.starts_with(before))
    },
}];
