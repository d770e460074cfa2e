//! When a key shall expire, as SET, SETEX, PSETEX and GETEX are told.

use tessera_command::Error;
use tessera_command::prelude::Words;
use tessera_resp::number::parse_i64;

/// What a time counts, and from when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// EX: seconds from now.
    SecondsFromNow,
    /// PX: milliseconds from now.
    MillisecondsFromNow,
    /// EXAT: Unix seconds.
    UnixSeconds,
    /// PXAT: Unix milliseconds.
    UnixMilliseconds,
}

impl Clock {
    const OPTIONS: [(&'static str, Clock); 4] = [
        ("EX", Clock::SecondsFromNow),
        ("PX", Clock::MillisecondsFromNow),
        ("EXAT", Clock::UnixSeconds),
        ("PXAT", Clock::UnixMilliseconds),
    ];

    /// A point in time, rather than a distance from now.
    pub(super) fn is_absolute(self) -> bool {
        matches!(self, Clock::UnixSeconds | Clock::UnixMilliseconds)
    }
}

/// A time as the client wrote it. Whether it is a number shows only when the command runs.
#[derive(Clone, Copy, Debug)]
pub struct Expiration<'a> {
    /// What it counts.
    pub clock: Clock,
    /// The word.
    pub word: &'a [u8],
}

impl<'a> Expiration<'a> {
    /// Takes EX, PX, EXAT or PXAT and the word behind it. The same option may have come before, and the last
    /// counts; another one may not.
    ///
    /// # Errors
    /// A syntax error if it has, or the word is missing, or it is none of the four.
    pub(super) fn take(
        words: &mut Words<'a>,
        before: Option<Expiration<'a>>,
    ) -> Result<Expiration<'a>, Error> {
        let named = Clock::OPTIONS.iter().find(|(name, _)| words.take(name));
        let clock = named.ok_or(Error::SYNTAX)?.1;
        if before.is_some_and(|before| before.clock != clock) {
            return Err(Error::SYNTAX);
        }
        Ok(Expiration { clock, word: words.word()? })
    }

    /// The Unix time meant, in milliseconds.
    ///
    /// # Errors
    /// If the word is no integer, or the time not positive or beyond 64 bits.
    pub(super) fn at_ms(&self, now_ms: i64) -> Result<i64, Error> {
        let count = parse_i64(self.word).ok_or(Error::NOT_AN_INTEGER)?;
        if count <= 0 {
            return Err(Error::ExpireTime);
        }
        match self.clock {
            Clock::SecondsFromNow => count.checked_mul(1000).and_then(|ms| ms.checked_add(now_ms)),
            Clock::MillisecondsFromNow => count.checked_add(now_ms),
            Clock::UnixSeconds => count.checked_mul(1000),
            Clock::UnixMilliseconds => Some(count),
        }
        .ok_or(Error::ExpireTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_positive_and_fit() {
        const MAX: &[u8] = b"9223372036854775807";
        for (clock, word, at_ms) in [
            (Clock::SecondsFromNow, b"2".as_slice(), Ok(2500)),
            (Clock::MillisecondsFromNow, b"2", Ok(502)),
            (Clock::UnixSeconds, b"2", Ok(2000)),
            (Clock::UnixMilliseconds, b"2", Ok(2)),
            (Clock::UnixMilliseconds, MAX, Ok(i64::MAX)),
            (Clock::MillisecondsFromNow, MAX, Err(Error::ExpireTime)),
            (Clock::SecondsFromNow, b"9223372036854776", Err(Error::ExpireTime)),
            (Clock::UnixSeconds, MAX, Err(Error::ExpireTime)),
            (Clock::SecondsFromNow, b"9223372036854775", Ok(9_223_372_036_854_775_500)),
            (Clock::UnixMilliseconds, b"0", Err(Error::ExpireTime)),
            (Clock::SecondsFromNow, b"-1", Err(Error::ExpireTime)),
            (Clock::SecondsFromNow, b"1.5", Err(Error::NOT_AN_INTEGER)),
        ] {
            assert_eq!(Expiration { clock, word }.at_ms(500), at_ms, "{clock:?} {}", word.escape_ascii());
        }
    }
}
