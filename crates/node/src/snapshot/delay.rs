//! How long each key takes, for tests.

/// What a parameter for the delay of each key comes to, in nanoseconds: so many microseconds, or, below zero, a
/// microsecond for so many keys.
pub(crate) fn key_delay_ns(delay_us: i32) -> u64 {
    let magnitude = u64::from(delay_us.unsigned_abs());
    if delay_us < 0 { 1000 / magnitude } else { 1000 * magnitude }
}
