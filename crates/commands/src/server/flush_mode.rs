//! The option of FLUSHALL and FLUSHDB.

use tessera_command::{Error, Words};
use tessera_keyspace::ShardSettings;

/// When what the keys held is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// Before the reply.
    Foreground,
    /// Later, a bit at a time.
    Background,
    /// As the configuration says.
    Configured,
}

impl FlushMode {
    /// Whether memory is freed later.
    pub fn is_lazy(self, settings: ShardSettings) -> bool {
        match self {
            FlushMode::Foreground => false,
            FlushMode::Background => true,
            FlushMode::Configured => settings.lazy_flush,
        }
    }

    /// Reads ASYNC, SYNC or nothing.
    pub fn parse(words: &mut Words<'_>) -> Result<FlushMode, Error> {
        let mode = if words.take("ASYNC") {
            FlushMode::Background
        } else if words.take("SYNC") {
            FlushMode::Foreground
        } else {
            FlushMode::Configured
        };
        words.end()?;
        Ok(mode)
    }
}
