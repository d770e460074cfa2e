//! The cursor word of SCAN and its kin.

use crate::error::Error;

/// The word is no cursor.
pub const INVALID: Error = Error::Text("ERR invalid cursor");

/// The cursor that `word` is. Redis reads it with C's `strtoul`: a sign is allowed (a negative number wraps around),
/// zeros may lead, an empty word is 0, and a zero byte ends it. `None` if it is anything else or larger than 64 bits.
pub fn parse(word: &[u8]) -> Option<u64> {
    let word = word.split(|byte| *byte == 0).next().unwrap_or_default();
    if word.is_empty() {
        return Some(0);
    }
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_c_reads_them() {
        for (word, cursor) in [
            ("0", Some(0)),
            ("", Some(0)),
            ("+7", Some(7)),
            ("-1", Some(u64::MAX)),
            ("007", Some(7)),
            ("7\0x", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            (" 1", None),
            ("1 ", None),
            ("x", None),
            ("-", None),
            ("--1", None),
        ] {
            assert_eq!(parse(word.as_bytes()), cursor, "{word:?}");
        }
    }
}
