//! Why a file cannot be read.

use std::fmt;

/// So much of a key is shown, in bytes.
const KEY_SHOWN_BYTES: usize = 128;

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, in bytes from the beginning.
    pub offset_bytes: u64,
    /// The key that was being read.
    pub key: Option<Vec<u8>>,
    /// What is wrong, in words.
    pub problem: String,
    /// Nothing is known to be wrong with the file: it holds what cannot be read here.
    pub is_unsupported: bool,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}", self.offset_bytes)?;
        if let Some(key) = &self.key {
            let shown = &key[..key.len().min(KEY_SHOWN_BYTES)];
            let more = if shown.len() < key.len() { "..." } else { "" };
            write!(f, ", in the key \"{}{more}\"", shown.escape_ascii())?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for DecodeError {}
