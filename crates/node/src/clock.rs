//! The seam between a node and time.

/// Where a node gets the time from: the system, or `sim`'s virtual clock.
pub trait Clock {
    /// Milliseconds since the Unix epoch. May jump, also backwards.
    fn unix_ms(&self) -> i64;
    /// Microseconds since some fixed moment. Never goes back.
    fn monotonic_us(&self) -> u64;
}
