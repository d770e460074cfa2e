//! What SORT leaves to chance: the order of elements with equal weights, and of sets that are not sorted; and an error
//! that has nothing to do with it.

use tessera_values::Type;

/// Has a server forget that a number once was too large: Redis's SORT takes any such error, however old, for one of its
/// own.
pub const FORGETFUL: [&str; 2] = ["SCAN", "x"];

/// It is a SORT.
pub fn sorts(words: &[Vec<u8>]) -> bool {
    matches!(words[0].to_ascii_uppercase().as_slice(), b"SORT" | b"SORT_RO")
}

fn has(words: &[Vec<u8>], name: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether elements with equal weights would be kept, in an order that may be each server's own.
pub fn keeps_chance(words: &[Vec<u8>]) -> bool {
    sorts(words) && ["BY", "ALPHA", "STORE"].iter().all(|name| has(words, name))
}

/// Whether elements of a collection of this type are told in an order that is each server's own: those of a set that is
/// not sorted, and those with equal weights.
pub fn tells_chance(words: &[Vec<u8>], value_type: Option<Type>) -> bool {
    let leads_nowhere = |pair: &[Vec<u8>]| {
        // The hole of a pattern is not seen behind a zero byte.
        let hole = pair[1].iter().find(|byte| matches!(byte, 0 | b'*'));
        pair[0].eq_ignore_ascii_case(b"BY") && hole != Some(&b'*')
    };
    let is_unsorted = words.windows(2).any(leads_nowhere) && !has(words, "STORE");
    let has_texts = has(words, "BY") && has(words, "ALPHA");
    sorts(words)
        && match value_type {
            Some(Type::Set) => is_unsorted || has_texts,
            Some(Type::SortedSet) => has_texts,
            _ => false,
        }
}

/// Whether what a SORT would keep or choose may be each server's own affair, where the types of keys are not known.
pub fn may_keep_chance(words: &[Vec<u8>]) -> bool {
    sorts(words) && has(words, "BY") && ["STORE", "LIMIT"].iter().any(|name| has(words, name))
}

/// Whether a SORT may tell elements in an order that is each server's own, where the types of keys are not known.
pub fn may_tell_chance(words: &[Vec<u8>]) -> bool {
    // Texts that differ only behind a zero byte are equal to C, and which comes first is a matter of its library.
    sorts(words) && (has(words, "BY") || has(words, "ALPHA"))
}

/// Whether a SCAN or one of its kin may end before all is told: which keys or elements come first is each server's own
/// affair.
pub fn walks_partly(words: &[Vec<u8>]) -> bool {
    let is_scan = words[0].to_ascii_uppercase().ends_with(b"SCAN");
    is_scan && !words.iter().rev().skip(1).any(|word| word == b"COUNT")
}
