//! Events per second, of late.

/// How many samples are kept. With one every 100 ms they cover 1.6 seconds, as in Redis.
const SAMPLES: usize = 16;

/// The mean growth of a counter over the last samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    samples: [u64; SAMPLES],
    next: usize,
    last: Option<(u64, u64)>,
}

impl Rate {
    /// Takes a sample: the counter stood at `value` when its base did at `base`, both never shrinking. For a rate per
    /// second `base` is a time in microseconds and `factor` is 1,000,000.
    pub fn sample(&mut self, value: u64, base: u64, factor: u64) {
        if let Some((last_value, last_base)) = self.last {
            let passed = u128::from(base.saturating_sub(last_base));
            // A counter that was reset starts over.
            let grown = u128::from(value.saturating_sub(last_value)) * u128::from(factor);
            self.samples[self.next] =
                grown.checked_div(passed).map_or(0, |rate| u64::try_from(rate).unwrap_or(u64::MAX));
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((value, base));
    }

    /// The mean of the samples.
    pub fn get(&self) -> u64 {
        let sum: u128 = self.samples.iter().map(|&sample| u128::from(sample)).sum();
        (sum / SAMPLES as u128) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_counter_reaches_its_rate() {
        let mut rate = Rate::default();
        for tick in 0..=16u64 {
            rate.sample(tick * 50, tick * 100_000, 1_000_000);
        }
        assert_eq!(rate.get(), 500);
        for tick in 17..=24u64 {
            rate.sample(800, tick * 100_000, 1_000_000);
        }
        assert_eq!(rate.get(), 250);
        rate.sample(0, 2_500_000, 1_000_000);
        rate.sample(0, 2_500_000, 1_000_000);
        assert_eq!(rate.get(), 187);
    }
}
