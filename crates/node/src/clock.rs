//! The seam between a node and time.

/// Where a node gets the time from: the system, or `sim`'s virtual clock.
pub trait Clock {
    /// Microseconds since the Unix epoch. May jump, also backwards.
    fn unix_us(&self) -> i64;
    /// Nanoseconds since some fixed moment. Never goes back.
    fn monotonic_ns(&self) -> u64;
}

/// What time it is for a node.
pub(crate) struct Time<C> {
    pub(crate) clock: C,
    /// This turn's wall time, in Unix microseconds.
    pub(crate) unix_us: i64,
    /// Monotonic time, read as often as a duration is measured.
    pub(crate) now_ns: u64,
    /// While the commands of a transaction run, which all happen at one moment: that moment, in Unix microseconds.
    pub(crate) stands_at_us: Option<i64>,
}

impl<C: Clock> Time<C> {
    pub(crate) fn new(clock: C) -> Time<C> {
        Time { unix_us: clock.unix_us(), now_ns: clock.monotonic_ns(), stands_at_us: None, clock }
    }

    /// Reads both clocks.
    pub(crate) fn tell(&mut self) {
        self.unix_us = self.clock.unix_us();
        self.read();
    }

    /// Reads monotonic time, and returns how long it is since it was last read, in nanoseconds.
    #[inline]
    pub(crate) fn read(&mut self) -> u64 {
        let before_ns = self.now_ns;
        self.now_ns = self.clock.monotonic_ns();
        self.now_ns.saturating_sub(before_ns)
    }

    /// Wall time as a command is told it, in Unix microseconds.
    pub(crate) fn wall_us(&self) -> i64 {
        self.stands_at_us.unwrap_or_else(|| self.clock.unix_us())
    }

    /// This turn's wall time, in Unix milliseconds.
    #[inline]
    pub(crate) fn unix_ms(&self) -> i64 {
        self.unix_us.div_euclid(1000)
    }
}
