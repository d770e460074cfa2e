//! What is remembered of a key's use: when it last was, or how often.

use crate::table::USE_BITS;

/// How uses are remembered, as `maxmemory-policy` needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// The second of the last use.
    #[default]
    Recency,
    /// How often lately: a counter that grows ever more slowly and decays with time. (As `LFULogIncr` and
    /// `LFUDecrAndReturn` of Redis's `evict.c` have it.)
    Frequency {
        /// `lfu-log-factor`: the larger, the more uses it takes to reach the highest count.
        log_factor: u32,
        /// `lfu-decay-time`, in minutes: the count falls by one for each; 0: never.
        decay_time_min: u32,
    },
}

/// A new key's count, so that it is not the first to go.
const FIRST_COUNT: u8 = 5;
const SECONDS_MASK: u32 = (1 << USE_BITS) - 1;
/// A difference above this is a clock that was set back, not an age.
const IDLE_MAX_S: u32 = SECONDS_MASK - (1 << (USE_BITS - 4));

fn seconds(now_ms: i64) -> u32 {
    (now_ms / 1000) as u32 & SECONDS_MASK
}

fn minutes(now_ms: i64) -> u16 {
    (now_ms / 60_000) as u16
}

/// The bits of a key's use: seconds, or minutes of the last decay and the count.
fn frequency_bits(now_ms: i64, count: u8) -> u32 {
    u32::from(minutes(now_ms)) << u8::BITS | u32::from(count)
}

impl Usage {
    /// What is remembered of a new key.
    #[inline]
    pub(crate) fn first_bits(self, now_ms: i64) -> u32 {
        match self {
            Usage::Recency => seconds(now_ms),
            Usage::Frequency { .. } => frequency_bits(now_ms, FIRST_COUNT),
        }
    }

    /// What is remembered of a key of which it is known how long it was idle or how often it was used. `None` if what
    /// is known is not what is remembered.
    pub(crate) fn known_bits(self, now_ms: i64, idle_s: Option<u64>, frequency: Option<u8>) -> Option<u32> {
        match self {
            Usage::Recency => idle_s.map(|idle_s| self.bits_of_idle(now_ms, idle_s)),
            Usage::Frequency { .. } => frequency.map(|count| frequency_bits(now_ms, count)),
        }
    }

    /// What is remembered of a key last used `idle_s` seconds ago.
    pub(crate) fn bits_of_idle(self, now_ms: i64, idle_s: u64) -> u32 {
        let idle_s = idle_s.min(u64::from(IDLE_MAX_S)) as u32;
        seconds(now_ms).wrapping_sub(idle_s) & SECONDS_MASK
    }

    /// What is remembered of a key used as often as `frequency` says; without it, of a new one.
    pub(crate) fn bits_of_frequency(self, now_ms: i64, frequency: Option<u8>) -> u32 {
        frequency_bits(now_ms, frequency.unwrap_or(FIRST_COUNT))
    }

    /// What is remembered after another use. `random`: a number in 0.0..1.0.
    #[inline]
    pub(crate) fn bits_after_use(self, bits: u32, now_ms: i64, random: impl FnOnce() -> f64) -> u32 {
        match self {
            Usage::Recency => seconds(now_ms),
            Usage::Frequency { log_factor, decay_time_min } => {
                let count = decayed(bits, now_ms, decay_time_min);
                let above_first = f64::from(count.saturating_sub(FIRST_COUNT));
                let grows = count < u8::MAX && random() < 1.0 / (above_first * f64::from(log_factor) + 1.0);
                frequency_bits(now_ms, count + u8::from(grows))
            }
        }
    }

    /// How little use a key is, to compare with others: the highest goes first.
    pub(crate) fn rank(self, bits: u32, now_ms: i64) -> u64 {
        match self {
            Usage::Recency => u64::from(idle_s(bits, now_ms)),
            Usage::Frequency { decay_time_min, .. } => {
                u64::from(u8::MAX - decayed(bits, now_ms, decay_time_min))
            }
        }
    }
}

/// Seconds since the last use, where that is remembered. Ages beyond 182 days start anew.
pub(crate) fn idle_s(bits: u32, now_ms: i64) -> u32 {
    let idle = seconds(now_ms).wrapping_sub(bits) & SECONDS_MASK;
    if idle > IDLE_MAX_S { 0 } else { idle }
}

/// The count of uses as it is now, where that is remembered.
pub(crate) fn decayed(bits: u32, now_ms: i64, decay_time_min: u32) -> u8 {
    let count = bits as u8;
    let elapsed = minutes(now_ms).wrapping_sub((bits >> u8::BITS) as u16);
    match u32::from(elapsed).checked_div(decay_time_min) {
        None => count,
        Some(periods) => count.saturating_sub(periods.min(u32::from(u8::MAX)) as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recency_is_the_age_in_seconds() {
        let usage = Usage::Recency;
        let bits = usage.first_bits(100_000);
        assert_eq!(idle_s(bits, 100_999), 0);
        assert_eq!(idle_s(bits, 107_000), 7);
        assert_eq!(idle_s(bits, 90_000), 0, "the clock was set back");
        let day_ms = 86_400_000;
        assert_eq!(idle_s(bits, 100_000 + 180 * day_ms), 180 * 86_400);
        assert_eq!(idle_s(usage.bits_after_use(bits, 107_000, || 0.0), 107_000), 0);
    }

    #[test]
    fn frequency_grows_slowly_and_decays() {
        let usage = Usage::Frequency { log_factor: 10, decay_time_min: 1 };
        let mut bits = usage.first_bits(0);
        assert_eq!(decayed(bits, 0, 1), FIRST_COUNT);
        // At the first count a use always counts, then one in eleven, ...
        bits = usage.bits_after_use(bits, 0, || 0.99);
        assert_eq!(decayed(bits, 0, 1), 6);
        assert_eq!(decayed(usage.bits_after_use(bits, 0, || 0.1), 0, 1), 6);
        assert_eq!(decayed(usage.bits_after_use(bits, 0, || 0.09), 0, 1), 7);
        assert_eq!(decayed(bits, 3 * 60_000, 1), 3);
        assert_eq!(decayed(bits, 60 * 60_000, 1), 0);
        assert_eq!(decayed(bits, 60 * 60_000, 0), 6, "no decay");
        assert!(usage.rank(bits, 3 * 60_000) > usage.rank(bits, 0));
    }
}
