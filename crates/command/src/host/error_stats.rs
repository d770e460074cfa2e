//! Error replies by their code.

use std::collections::BTreeMap;

/// How many codes are told apart. Commands may build codes out of what clients send.
const MAX_CODES: usize = 128;
/// Longer codes count as `ERR`.
const MAX_CODE_LEN_BYTES: usize = 31;

/// How often each code was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorStats {
    by_code: BTreeMap<Box<[u8]>, u64>,
}

impl ErrorStats {
    /// Counts an error reply; `text` is without the leading `-`. Its first word is its code. Codes beyond the first
    /// 128 are not counted.
    pub fn note(&mut self, text: &[u8]) {
        let code = match text.iter().position(|byte| *byte == b' ') {
            Some(end) if end < MAX_CODE_LEN_BYTES => &text[..end],
            _ => b"ERR",
        };
        self.add(code, 1);
    }

    fn add(&mut self, code: &[u8], more: u64) {
        if let Some(count) = self.by_code.get_mut(code) {
            *count += more;
        } else if self.by_code.len() < MAX_CODES {
            self.by_code.insert(code.into(), more);
        }
    }

    /// Adds another node's counts.
    pub fn merge(&mut self, other: &ErrorStats) {
        for (code, count) in other.iter() {
            self.add(code, count);
        }
    }

    /// Codes in ascending order, and their counts.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.by_code.iter().map(|(code, count)| (&**code, *count))
    }

    /// Forgets all.
    pub fn reset(&mut self) {
        self.by_code.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_code() {
        let mut stats = ErrorStats::default();
        for text in ["ERR syntax error", "WRONGTYPE Operation", "nothing", &format!("{} x", "Y".repeat(31))] {
            stats.note(text.as_bytes());
        }
        let mut other = ErrorStats::default();
        other.note(b"ERR again");
        stats.merge(&other);
        assert_eq!(stats.iter().collect::<Vec<_>>(), [(&b"ERR"[..], 4), (b"WRONGTYPE", 1)]);
    }

    #[test]
    fn codes_are_bounded() {
        let mut stats = ErrorStats::default();
        for number in 0..1000 {
            stats.note(format!("CODE{number} text").as_bytes());
        }
        assert_eq!(stats.iter().count(), MAX_CODES);
        stats.note(b"CODE0 text");
        assert_eq!(stats.iter().next(), Some((&b"CODE0"[..], 2)));
    }
}
