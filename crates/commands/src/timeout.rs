//! How long blocking commands wait.

use tessera_command::Error;
use tessera_values::extended::Extended;

/// A time that a client is ready to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout {
    /// In milliseconds; 0: without end.
    ms: i64,
}

impl Timeout {
    /// Reads a number of seconds.
    ///
    /// # Errors
    /// If it is none, or negative.
    pub fn parse(word: &[u8]) -> Result<Timeout, Error> {
        let seconds =
            Extended::parse(word).ok_or(Error::Text("ERR timeout is not a float or out of range"))?;
        let infinity = if word.starts_with(b"-") { i64::MIN } else { i64::MAX };
        let ms = seconds.times(1000).ceil().unwrap_or(infinity);
        // What is too large is found when the time is known: see `Wait::check`.
        if ms < 0 { Err(Error::Text("ERR timeout is negative")) } else { Ok(Timeout { ms }) }
    }

    /// In milliseconds; `None`: without end.
    pub fn ms(self) -> Option<u64> {
        (self.ms > 0).then_some(self.ms.unsigned_abs())
    }
}
