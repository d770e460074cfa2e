//! The system's clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use tessera_node::clock::Clock;

/// The wall clock and the monotonic clock of the machine. Both are read without a system call; the monotonic one, which
/// is read for every command, from the processor's time stamp counter where that can be trusted.
#[derive(Clone, Debug)]
pub struct SystemClock {
    counter: quanta::Clock,
    start: u64,
}

impl SystemClock {
    /// A clock whose monotonic side counts from now. Nodes that compare monotonic times must share
    /// copies of one clock.
    pub fn new() -> Self {
        let counter = quanta::Clock::new();
        let start = counter.raw();
        Self { counter, start }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix_us(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        }
    }

    fn monotonic_ns(&self) -> u64 {
        self.counter.delta_as_nanos(self.start, self.counter.raw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_never_goes_back() {
        let clock = SystemClock::new();
        let mut last = clock.monotonic_ns();
        for _ in 0..10_000 {
            let now = clock.monotonic_ns();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn unix_time_is_that_of_the_system() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
        let read = SystemClock::new().unix_us();
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
        assert!(before <= read && read <= after);
    }
}
