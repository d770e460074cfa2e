//! How badly memory is used, and how much of a node's time that is worth.

use tessera_config::Config;

/// How much of the heap is resident and not given out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fragmentation {
    pub(super) bytes: u64,
    /// In percent of what is given out.
    percent: f64,
}

impl Fragmentation {
    pub(super) fn new(resident_bytes: u64, used_bytes: u64) -> Fragmentation {
        let bytes = resident_bytes.saturating_sub(used_bytes);
        Fragmentation { bytes, percent: bytes as f64 * 100.0 / used_bytes.max(1) as f64 }
    }

    /// It is not worth a pass.
    pub(super) fn is_within(&self, config: &Config) -> bool {
        self.percent < f64::from(config.active_defrag_threshold_lower)
            || self.bytes < config.active_defrag_ignore_bytes.0
    }

    /// The part of a node's time that it is worth, in percent: Redis's rule.
    pub(super) fn effort_percent(&self, config: &Config) -> u32 {
        let (min, max) = (config.active_defrag_cycle_min, config.active_defrag_cycle_max);
        let (lower, upper) = (config.active_defrag_threshold_lower, config.active_defrag_threshold_upper);
        let (lower, width) = (f64::from(lower), f64::from(upper) - f64::from(lower));
        let part = if width == 0.0 { 1.0 } else { (self.percent - lower) / width };
        let effort = (f64::from(min) + part * (f64::from(max) - f64::from(min))) as u32;
        // In this order: the maximum may be below the minimum.
        if effort < min { min } else { effort.min(max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_config::ByteCount;

    #[test]
    fn effort_grows_with_fragmentation_between_its_bounds() {
        // The defaults: from 1 % at 10 % of fragmentation to 25 % at 100 %.
        let config = Config::default();
        let effort = |percent: u64| Fragmentation::new(1000 + percent * 10, 1000).effort_percent(&config);
        assert_eq!([0, 10, 55, 100, 1000].map(effort), [1, 1, 13, 25, 25]);
        let step = Config { active_defrag_threshold_lower: 100, ..Config::default() };
        assert_eq!(Fragmentation::new(2000, 1000).effort_percent(&step), 25);
        let upside_down = Config { active_defrag_cycle_min: 30, active_defrag_cycle_max: 20, ..config };
        assert_eq!(Fragmentation::new(3000, 1000).effort_percent(&upside_down), 30);
        assert_eq!(Fragmentation::new(1000, 1000).effort_percent(&upside_down), 20);
    }

    #[test]
    fn both_bounds_must_be_exceeded() {
        let config = Config { active_defrag_ignore_bytes: ByteCount(500), ..Config::default() };
        for (resident, used, is_within) in [
            (0, 0, true),
            (0, 1000, true),
            (10_999, 10_000, true),
            (1499, 1000, true),
            (1500, 1000, false),
            (11_000, 10_000, false),
            (500, 0, false),
        ] {
            assert_eq!(Fragmentation::new(resident, used).is_within(&config), is_within, "{resident} {used}");
        }
    }
}
