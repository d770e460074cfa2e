//! Glob patterns as Redis understands them: KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET.
//!
//! `*` any run of bytes, `?` one byte, `[abc]`, `[^abc]` and `[a-z]` one byte of a set, `\` takes the next byte
//! literally. The corner cases are Redis's own: an unclosed set is closed by the end of the pattern, a range may be
//! written backwards, its bounds compare as signed bytes, and no pattern made of stars alone matches the empty string.

/// How many runs of `*` a pattern may use before it matches nothing, as in Redis.
const MAX_STAR_RUNS: usize = 1000;

/// Whether letters of different case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Bytes must be equal.
    Sensitive,
    /// ASCII letters match without regard to their case, except after a backslash inside a set.
    Insensitive,
}

/// Whether `text` matches `pattern`, respecting case.
///
/// Takes time in the order of the product of both lengths at worst, and no memory.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_with(pattern, text, Case::Sensitive)
}

/// Whether `text` matches `pattern`.
///
/// Only the last run of `*` is ever tried again: if what follows it is found nowhere in the rest of the text, no other
/// choice for an earlier run can help.
pub fn matches_with(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let mut pattern_at = 0;
    let mut text_at = 0;
    let mut star_runs = 0;
    // Where to go on when the text stops matching: the pattern after the last run, and the text it was tried at.
    let mut retry: Option<(usize, usize)> = None;

    loop {
        if text_at == text.len() {
            if text_at > 0 {
                pattern_at += star_run_len(&pattern[pattern_at..]);
            }
            if pattern_at == pattern.len() {
                return true;
            }
        } else if pattern_at < pattern.len() {
            let run_len = star_run_len(&pattern[pattern_at..]);
            if run_len > 0 {
                pattern_at += run_len;
                if pattern_at == pattern.len() {
                    return true;
                }
                star_runs += 1;
                if star_runs > MAX_STAR_RUNS {
                    return false;
                }
                retry = Some((pattern_at, text_at));
                continue;
            }
            if let Some(len) = match_one(&pattern[pattern_at..], text[text_at], case) {
                pattern_at += len;
                text_at += 1;
                continue;
            }
        }
        // Nothing more to try at the end of the text: a run of stars that takes all of it leaves nothing for the rest.
        match &mut retry {
            Some((after_star, tried_at)) if *tried_at + 1 < text.len() => {
                *tried_at += 1;
                (pattern_at, text_at) = (*after_star, *tried_at);
            }
            _ => return false,
        }
    }
}

/// Whether `pattern` can match more than one text: it holds `*`, `?` or `[`.
pub fn is_pattern(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

fn star_run_len(pattern: &[u8]) -> usize {
    pattern.iter().take_while(|&&byte| byte == b'*').count()
}

/// Matches the first element of `pattern`, which is not empty and not `*`, with one byte: the element's length if it
/// matches.
fn match_one(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', set @ ..] => match_set(set, byte, case).map(|len| 1 + len),
        [b'\\', literal, ..] => equal(*literal, byte, case).then_some(2),
        [literal, ..] => equal(*literal, byte, case).then_some(1),
        [] => None,
    }
}

/// Matches the inside of a set, with its closing bracket: its length if the byte is in it.
fn match_set(set: &[u8], byte: u8, case: Case) -> Option<usize> {
    let negated = set.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    loop {
        match &set[at..] {
            [] => break,
            [b'\\', literal, ..] => {
                found |= *literal == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [first, b'-', last, ..] => {
                found |= in_range(*first, *last, byte, case);
                at += 3;
            }
            [literal, ..] => {
                found |= equal(*literal, byte, case);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

fn equal(left: u8, right: u8, case: Case) -> bool {
    match case {
        Case::Sensitive => left == right,
        Case::Insensitive => left.eq_ignore_ascii_case(&right),
    }
}

fn in_range(first: u8, last: u8, byte: u8, case: Case) -> bool {
    // Redis compares plain `char`s, which are signed where Redis is the reference: 0x80 to 0xff come before 0x00.
    // The bounds are swapped first and folded second, which matters for a range across the letters' case.
    let (low, high) = if first.cast_signed() <= last.cast_signed() { (first, last) } else { (last, first) };
    let fold = |byte: u8| match case {
        Case::Sensitive => byte.cast_signed(),
        Case::Insensitive => byte.to_ascii_lowercase().cast_signed(),
    };
    (fold(low)..=fold(high)).contains(&fold(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        let cases: &[(&str, &str, bool)] = &[
            ("", "", true),
            ("", "a", false),
            ("*", "", false),
            ("*", "a", true),
            ("***", "abc", true),
            ("a*", "a", true),
            ("a*c", "abbc", true),
            ("a*c", "abbd", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("?", "", false),
            ("?*", "a", true),
            ("*?", "a", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hbllo", true),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h[a-b]llo", "hcllo", false),
            ("[", "[", false),
            ("[^", "x", true),
            ("[^", "xy", false),
            ("[a", "a", true),
            ("[a-", "-", true),
            ("[a-]", "]", true),
            ("[]", "]", false),
            ("[^]", "]", true),
            (r"[\]]", "]", true),
            (r"[\", r"\", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"\", r"\", true),
            (r"\a", "a", true),
            ("abc", "ABC", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                *expected,
                "{pattern:?} against {text:?}"
            );
        }
    }

    #[test]
    fn case_can_be_ignored() {
        let insensitive =
            |pattern: &str, text: &str| matches_with(pattern.as_bytes(), text.as_bytes(), Case::Insensitive);
        assert!(insensitive("MAX*[TX]", "maxclienT"));
        assert!(insensitive("[A-C]", "b"));
        assert!(insensitive("[a-c]", "B"));
        // A backslash in a set compares exactly.
        assert!(!insensitive(r"[\A]", "a"));
        assert!(insensitive(r"\A", "a"));
    }

    #[test]
    fn ranges_compare_signed_bytes() {
        assert!(matches(b"[\x80-a]", b"\xff"));
        assert!(matches(b"[\x80-a]", b"\x00"));
        assert!(!matches(b"[a-\xff]", b"\x80"));
    }

    #[test]
    fn many_stars_take_bounded_time() {
        let pattern = b"a*".repeat(900);
        let mut text = b"a".repeat(50_000);
        assert!(matches(&pattern, &text));
        text.push(b'b');
        assert!(!matches(&[&pattern[..], b"c"].concat(), &text));
    }

    #[test]
    fn too_many_runs_of_stars_match_nothing() {
        let text = b"a".repeat(3000);
        assert!(matches(&b"*a".repeat(1000), &text));
        assert!(!matches(&b"*a".repeat(1001), &text));
    }
}
