//! What became of each command: INFO commandstats, INFO latencystats, LATENCY HISTOGRAM.

use super::histogram::{Histogram, HistogramCounts};
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU64,
    duration_ns: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
    latency: Histogram,
}

/// One node's counters for every command and subcommand, by [`crate::Registry::number`]. One thread, the node's,
/// writes; any may read. Counting is a load, an addition and a store.
#[derive(Debug)]
pub struct CommandStats {
    by_number: Box<[Counters]>,
}

/// What became of a command that was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered something else than an error.
    Success,
    /// It answered an error.
    Failure,
}

#[inline]
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

impl CommandStats {
    /// Counters for `commands` commands and subcommands: the length of [`crate::Registry::numbered`].
    pub fn new(commands: usize) -> CommandStats {
        CommandStats { by_number: (0..commands).map(|_| Counters::default()).collect() }
    }

    /// A command ran for so long. `track_latency`: whether configuration asks for histograms.
    #[inline]
    pub fn note_call(&self, number: usize, duration_ns: u64, outcome: Outcome, track_latency: bool) {
        let Some(counters) = self.by_number.get(number) else { return };
        add(&counters.calls, 1);
        add(&counters.duration_ns, duration_ns);
        if outcome == Outcome::Failure {
            add(&counters.failed, 1);
        }
        if track_latency {
            counters.latency.record(duration_ns);
        }
    }

    /// A command was refused before it ran: wrong number of words, not authenticated, out of memory.
    pub fn note_rejected(&self, number: usize) {
        if let Some(counters) = self.by_number.get(number) {
            add(&counters.rejected, 1);
        }
    }

    /// All counters become 0.
    pub fn reset(&self) {
        for counters in &self.by_number {
            for counter in [&counters.calls, &counters.duration_ns, &counters.rejected, &counters.failed] {
                counter.store(0, Ordering::Relaxed);
            }
            counters.latency.reset();
        }
    }

    /// Adds all counters to `totals`.
    pub fn add_to(&self, totals: &mut CommandTotals) {
        if totals.by_number.len() < self.by_number.len() {
            totals.by_number.resize_with(self.by_number.len(), CommandTotal::default);
        }
        for (counters, total) in self.by_number.iter().zip(&mut totals.by_number) {
            total.calls += counters.calls.load(Ordering::Relaxed);
            total.duration_ns += counters.duration_ns.load(Ordering::Relaxed);
            total.rejected += counters.rejected.load(Ordering::Relaxed);
            total.failed += counters.failed.load(Ordering::Relaxed);
            counters.latency.add_to(&mut total.latency);
        }
    }
}

/// The counters of one command, summed.
#[derive(Clone, Debug, Default)]
pub struct CommandTotal {
    /// How often it ran.
    pub calls: u64,
    /// How long in all, in nanoseconds.
    pub duration_ns: u64,
    /// How often it was refused before it ran.
    pub rejected: u64,
    /// How often it answered an error.
    pub failed: u64,
    /// How long it took how often.
    pub latency: HistogramCounts,
}

/// The counters of all commands, summed over nodes, by [`crate::Registry::number`].
#[derive(Clone, Debug, Default)]
pub struct CommandTotals {
    /// One per command and subcommand.
    pub by_number: Vec<CommandTotal>,
}
