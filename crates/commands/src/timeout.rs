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
        // What is too large is found by `check`, at the latest.
        if ms < 0 { Err(Error::Text("ERR timeout is negative")) } else { Ok(Timeout { ms }) }
    }

    /// Makes sure that there will be such a time.
    ///
    /// # Errors
    /// If there will not.
    pub fn check(self, now_ms: i64) -> Result<(), Error> {
        if self.ms > i64::MAX - now_ms { Err(Error::Text("ERR timeout is out of range")) } else { Ok(()) }
    }

    /// In milliseconds; `None`: without end.
    pub fn ms(self) -> Option<u64> {
        (self.ms > 0).then_some(self.ms.unsigned_abs())
    }
}
