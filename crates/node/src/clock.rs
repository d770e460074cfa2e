//! The seam between a node and time.

/// Where a node gets the time from: the system, or `sim`'s virtual clock.
pub trait Clock {
    /// Microseconds since the Unix epoch. May jump, also backwards.
    fn unix_us(&self) -> i64;
    /// Nanoseconds since some fixed moment. Never goes back.
    fn monotonic_ns(&self) -> u64;
}
