//! Patterns of any bytes end in bounded time; escaped, every text matches itself and nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_values::glob::{is_pattern, matches};

fuzz_target!(|data: &[u8]| {
    let Some((&len, rest)) = data.split_first() else { return };
    let (pattern, text) = rest.split_at(usize::from(len).min(rest.len()));
    let found = matches(pattern, text);
    if !is_pattern(pattern) && !pattern.contains(&b'\\') {
        assert_eq!(found, pattern == text);
    }
    if text.is_empty() {
        // Redis's matcher does not look at patterns for empty texts: not even `*` matches them.
        assert_eq!(found, pattern.is_empty());
        return;
    }
    let escaped: Vec<u8> = text.iter().flat_map(|byte| [b'\\', *byte]).collect();
    assert!(matches(&escaped, text));
    assert!(matches(b"*", text));
    let around = [b"*", escaped.as_slice(), b"*"].concat();
    assert!(matches(&around, &[pattern, text, pattern].concat()));
});
