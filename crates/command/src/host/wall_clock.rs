//! The time of day.

/// What tells a command the time.
pub trait WallClock {
    /// Microseconds since the Unix epoch.
    fn unix_us(&self) -> i64;
}
