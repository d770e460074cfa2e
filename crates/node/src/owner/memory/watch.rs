//! What a node knows of bounded memory: how much room there was when it last looked, and what came and went since.

use tessera_config::Config;

/// Once memory is exceeded so much more is evicted for each node, in bytes, so that nodes do not wake each other
/// for every key ...
const RESERVE_BYTES_PER_NODE: u64 = 16 * 1024;
/// ... but not more than this fraction of the bound in all.
const RESERVE_FRACTION: u64 = 256;
/// Memory besides the keys counts when it has been there for so long: longer than a command of a few hundred megabytes
/// takes from being read to being done with. In nanoseconds.
const BESIDES_WINDOW_NS: u64 = 100_000_000;
/// Unit of `maxmemory-eviction-tenacity` as long as it is linear, in nanoseconds.
const TENACITY_STEP_NS: u64 = 50_000;
const TENACITY_LINEAR_MAX: u32 = 10;
const TENACITY_MAX: u32 = 100;

/// How much memory is used besides that of the keys, as the least that was seen in this window of time and in the one
/// before.
#[derive(Debug, Default)]
struct Besides {
    window_began_ns: u64,
    least_bytes: u64,
    least_before_bytes: u64,
}

impl Besides {
    /// So much is used at this moment. Returns how much of it was there all the time.
    fn note(&mut self, bytes: u64, now_ns: u64) -> u64 {
        if now_ns >= self.window_began_ns + BESIDES_WINDOW_NS {
            self.window_began_ns = now_ns;
            self.least_before_bytes = self.least_bytes;
            self.least_bytes = bytes;
        }
        self.least_bytes = self.least_bytes.min(bytes);
        self.least_bytes.min(self.least_before_bytes)
    }

    /// So much is used, whether it stays or not.
    fn begin(bytes: u64, now_ns: u64) -> Besides {
        Besides { window_began_ns: now_ns, least_bytes: bytes, least_before_bytes: bytes }
    }
}

/// What one node knows of memory and of its bound.
#[derive(Debug, Default)]
pub(crate) struct MemoryWatch {
    /// `maxmemory`, in bytes; 0: no bound.
    pub(super) limit_bytes: u64,
    /// How much the shard may grow before used memory is looked at again, in bytes. Below 0: that is due.
    pub(super) room_bytes: i64,
    /// How much it has grown since that was last looked at, in bytes.
    pub(super) grown_bytes: u64,
    /// For how long keys may be evicted in one turn.
    turn_max_ns: u64,
    /// What is left of that.
    pub(super) turn_left_ns: u64,
    pub(super) next_look_ns: u64,
    /// `None` before it has been looked at under this configuration.
    besides: Option<Besides>,
    /// What was there besides the keys at the last look and did not count, in bytes.
    pub(super) passing_bytes: u64,
}

impl MemoryWatch {
    /// Memory has a bound.
    #[inline]
    pub(crate) fn is_bounded(&self) -> bool {
        self.limit_bytes != 0
    }

    /// The shard has grown.
    #[inline]
    pub(crate) fn note_growth(&mut self, bytes: usize) {
        self.grown_bytes += bytes as u64;
        self.room_bytes = self.room_bytes.saturating_sub_unsigned(bytes as u64);
    }

    /// Nobody knows how much the shard has grown.
    pub(crate) fn note_unknown_growth(&mut self) {
        self.room_bytes = -1;
    }

    /// Another turn begins.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.turn_left_ns = self.turn_max_ns;
    }

    /// Follows the configuration.
    pub(super) fn follow(&mut self, config: &Config) {
        self.limit_bytes = config.max_memory.0;
        self.turn_max_ns = turn_max_ns(config.max_memory_eviction_tenacity);
        self.room_bytes = -1;
        self.next_look_ns = 0;
        // What the shard has grown by while there was no bound, or another, is nothing that it has to make up for.
        self.grown_bytes = 0;
        self.besides = None;
    }

    /// So much is used besides the keys at this moment. Returns how much of it has lasted.
    pub(super) fn note_besides(&mut self, bytes: u64, now_ns: u64) -> u64 {
        self.besides.get_or_insert_with(|| Besides::begin(bytes, now_ns)).note(bytes, now_ns)
    }

    /// What used memory is brought down to once it is exceeded.
    pub(super) fn goal_bytes(&self, nodes: usize) -> u64 {
        let reserve_bytes = RESERVE_BYTES_PER_NODE * nodes as u64;
        self.limit_bytes - reserve_bytes.min(self.limit_bytes / RESERVE_FRACTION)
    }
}

/// Redis's scale: linear up to half a millisecond at 10, then by powers of 1.15, at 100 without a bound.
fn turn_max_ns(tenacity: u32) -> u64 {
    match tenacity {
        0..=TENACITY_LINEAR_MAX => TENACITY_STEP_NS * u64::from(tenacity),
        TENACITY_MAX.. => u64::MAX,
        _ => {
            let linear_ns = (TENACITY_STEP_NS * u64::from(TENACITY_LINEAR_MAX)) as f64;
            (linear_ns * 1.15f64.powi((tenacity - TENACITY_LINEAR_MAX) as i32)) as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenacity_is_on_the_scale_of_redis() {
        // 500 * 1.15 ^ (tenacity - 10) microseconds.
        for (tenacity, expected_us) in [(0, 0), (1, 50), (10, 500), (11, 575), (20, 2_022), (99, 126_205_358)]
        {
            let us = turn_max_ns(tenacity) / 1000;
            assert!(us.abs_diff(expected_us) <= expected_us / 1000, "{tenacity}: {us}");
        }
        assert_eq!(turn_max_ns(100), u64::MAX);
    }

    #[test]
    fn what_passes_does_not_count_and_what_stays_does() {
        let ms = 1_000_000;
        let mut besides = Besides::begin(100, 0);
        assert_eq!(besides.note(100, 10 * ms), 100);
        // A command comes and goes.
        assert_eq!(besides.note(5000, 60 * ms), 100);
        assert_eq!(besides.note(90, 70 * ms), 90);
        // After a long sleep, too.
        assert_eq!(besides.note(5000, 5000 * ms), 90);
        assert_eq!(besides.note(5100, 5050 * ms), 90);
        // Having been there for a whole window it counts.
        assert_eq!(besides.note(5100, 5100 * ms), 5000);
        assert_eq!(besides.note(5100, 5300 * ms), 5100);
        assert_eq!(besides.note(10, 5301 * ms), 10);
    }
}
