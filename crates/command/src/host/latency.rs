//! The latency monitor: moments when something took longer than it should.

use std::collections::BTreeMap;

/// How many samples an event keeps.
const SAMPLES: usize = 160;

/// The worst duration of an event within one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The second, in Unix time.
    pub unix_s: i64,
    /// The duration, in milliseconds.
    pub latency_ms: u64,
}

/// One event's samples.
#[derive(Clone, Debug, Default)]
pub struct Series {
    samples: std::collections::VecDeque<Sample>,
    max_ms: u64,
}

/// What the samples of an event say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many samples there are.
    pub samples: u64,
    /// Their mean, in milliseconds, rounded down.
    pub mean_ms: u64,
    /// Their mean distance from the mean, in milliseconds, rounded down.
    pub mean_deviation_ms: u64,
    /// How long ago the oldest was, in seconds, at least 1 if there is one.
    pub period_s: i64,
}

impl Series {
    /// The samples, oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> + '_ {
        self.samples.iter().copied()
    }

    /// The last sample. A series in the monitor has at least one.
    pub fn latest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// The worst ever, also if its sample is gone, in milliseconds.
    pub fn max_ms(&self) -> u64 {
        self.max_ms
    }

    /// What the samples say together at `now_s` (Unix seconds).
    pub fn summary(&self, now_s: i64) -> Summary {
        let count = self.samples.len() as u64;
        let Some(oldest_s) = self.samples.iter().map(|sample| sample.unix_s).min() else {
            return Summary::default();
        };
        let mean_ms = self.samples.iter().map(|sample| sample.latency_ms).sum::<u64>() / count;
        let deviation_ms: u64 = self.samples.iter().map(|sample| sample.latency_ms.abs_diff(mean_ms)).sum();
        Summary {
            samples: count,
            mean_ms,
            mean_deviation_ms: deviation_ms / count,
            period_s: match now_s.saturating_sub(oldest_s) {
                0 => 1,
                seconds => seconds,
            },
        }
    }
}

/// All events. Their names are those of Redis: `command`, `fast-command`, `expire-cycle` and so on.
#[derive(Clone, Debug, Default)]
pub struct LatencyMonitor {
    events: BTreeMap<&'static str, Series>,
}

impl LatencyMonitor {
    /// Notes that `event` took `latency_ms` at `now_s` (Unix seconds). The caller compares with the threshold.
    pub fn add(&mut self, event: &'static str, now_s: i64, latency_ms: u64) {
        let series = self.events.entry(event).or_default();
        series.max_ms = series.max_ms.max(latency_ms);
        match series.samples.back_mut() {
            Some(last) if last.unix_s == now_s => last.latency_ms = last.latency_ms.max(latency_ms),
            _ => {
                if series.samples.len() == SAMPLES {
                    series.samples.pop_front();
                }
                series.samples.push_back(Sample { unix_s: now_s, latency_ms });
            }
        }
    }

    /// The events that happened, by name.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&'static str, &Series)> {
        self.events.iter().map(|(name, series)| (*name, series))
    }

    /// The event of exactly this name.
    pub fn event(&self, name: &[u8]) -> Option<(&'static str, &Series)> {
        self.events().find(|(known, _)| known.as_bytes() == name)
    }

    /// Forgets one event, named in any case, or all; how many there were.
    pub fn reset(&mut self, name: Option<&[u8]>) -> usize {
        let before = self.events.len();
        self.events.retain(|known, _| name.is_some_and(|name| !known.as_bytes().eq_ignore_ascii_case(name)));
        before - self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_a_second_and_the_worst_stays() {
        let mut monitor = LatencyMonitor::default();
        for (now_s, latency_ms) in [(10, 5), (10, 7), (10, 6), (11, 1)] {
            monitor.add("command", now_s, latency_ms);
        }
        let (_, series) = monitor.event(b"command").expect("it happened");
        let samples: Vec<_> = series.samples().map(|sample| (sample.unix_s, sample.latency_ms)).collect();
        assert_eq!(samples, [(10, 7), (11, 1)]);
        assert_eq!(series.max_ms(), 7);
        assert_eq!(series.summary(15), Summary { samples: 2, mean_ms: 4, mean_deviation_ms: 3, period_s: 5 });
        for now_s in 100..260 {
            monitor.add("command", now_s, 2);
        }
        let (_, series) = monitor.event(b"command").expect("it happened");
        assert_eq!((series.samples().len(), series.max_ms()), (160, 7));
        assert_eq!(series.samples().next(), Some(Sample { unix_s: 100, latency_ms: 2 }));
    }

    #[test]
    fn events_are_reset_by_name_in_any_case() {
        let mut monitor = LatencyMonitor::default();
        monitor.add("command", 1, 1);
        monitor.add("fast-command", 1, 1);
        assert!(monitor.event(b"COMMAND").is_none());
        assert_eq!(monitor.reset(Some(b"nothing")), 0);
        assert_eq!(monitor.reset(Some(b"COMMAND")), 1);
        assert_eq!(monitor.reset(None), 1);
        assert_eq!(monitor.events().len(), 0);
    }
}
