//! The option of FLUSHALL and FLUSHDB.

use tessera_command::{Error, Words};

/// When what the keys held is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// Before the reply.
    Foreground,
    /// Later, a bit at a time.
    Background,
}

impl FlushMode {
    /// Reads ASYNC, SYNC or nothing.
    pub fn parse(words: &mut Words<'_>) -> Result<FlushMode, Error> {
        let mode = if words.take("ASYNC") {
            FlushMode::Background
        } else {
            words.take("SYNC");
            FlushMode::Foreground
        };
        words.end()?;
        Ok(mode)
    }
}
