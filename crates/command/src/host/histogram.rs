//! Histograms of durations: two significant digits from a nanosecond to a second.
//!
//! The buckets are those of HdrHistogram with 256 steps per power of two at the low end and 128 from there on, which
//! is what Redis uses; so percentiles and LATENCY HISTOGRAM come out the same.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets per power of two.
const ROW_LEN: usize = 128;
/// Row 0 is 0 to 127, row 1 is 128 to 255, each further one twice as wide; the last contains a second.
const ROWS: usize = 24;
/// Longer durations count as this long, in nanoseconds.
const MAX_NS: u64 = 1_000_000_000;

type Row = Box<[AtomicU64; ROW_LEN]>;

/// A histogram that one thread writes and any may read. Rows of buckets are allocated when first used, 1 KiB each.
#[derive(Debug, Default)]
pub struct Histogram {
    rows: [OnceLock<Row>; ROWS],
}

impl Histogram {
    /// Counts a duration. Only the owning thread may: counts are added without synchronisation.
    #[inline]
    pub fn record(&self, duration_ns: u64) {
        let (row, column) = place(duration_ns.clamp(1, MAX_NS));
        let row = self.rows[row].get_or_init(|| Box::new([const { AtomicU64::new(0) }; ROW_LEN]));
        let bucket = &row[column];
        bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// All counts become 0. Only the owning thread may.
    pub fn reset(&self) {
        for row in self.rows.iter().filter_map(OnceLock::get) {
            row.iter().for_each(|bucket| bucket.store(0, Ordering::Relaxed));
        }
    }

    /// Adds its counts to `sum`.
    pub fn add_to(&self, sum: &mut HistogramCounts) {
        for (index, row) in self.rows.iter().enumerate() {
            let Some(row) = row.get() else { continue };
            let counts = sum.rows[index].get_or_insert_with(|| Box::new([0; ROW_LEN]));
            for (count, bucket) in counts.iter_mut().zip(row.iter()) {
                let more = bucket.load(Ordering::Relaxed);
                *count += more;
                sum.total += more;
            }
        }
    }
}

/// Row and column of the bucket of a duration.
#[inline]
fn place(duration_ns: u64) -> (usize, usize) {
    // Values below 256 have a bucket each: rows 0 and 1.
    let shift = (u64::BITS - (duration_ns | 255).leading_zeros()) as usize - 8;
    let step = (duration_ns >> shift) as usize;
    if step < ROW_LEN { (0, step) } else { (shift + 1, step - ROW_LEN) }
}

/// The least duration of a bucket, and how many nanoseconds wide it is.
fn bounds(row: usize, column: usize) -> (u64, u64) {
    match row.checked_sub(1) {
        None => (column as u64, 1),
        Some(shift) => (((ROW_LEN + column) as u64) << shift, 1 << shift),
    }
}

/// The counts of one or several histograms at one moment.
#[derive(Clone, Debug, Default)]
pub struct HistogramCounts {
    rows: [Option<Box<[u64; ROW_LEN]>>; ROWS],
    total: u64,
}

impl HistogramCounts {
    /// How many durations were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Buckets that are not empty in ascending order: least duration, width, count.
    fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.rows.iter().enumerate().filter_map(|(row, counts)| Some((row, counts.as_ref()?))).flat_map(
            |(row, counts)| {
                counts.iter().enumerate().filter(|(_, count)| **count > 0).map(move |(column, count)| {
                    let (least, width) = bounds(row, column);
                    (least, width, *count)
                })
            },
        )
    }

    /// The longest duration, in nanoseconds, of the bucket in which `percentile` (0 to 100) of all durations are
    /// reached; 0 if nothing was counted.
    pub fn percentile_ns(&self, percentile: f64) -> u64 {
        // Rounded to the next whole number of durations, but at least one.
        let wanted = ((percentile.min(100.0) / 100.0 * self.total as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        for (least, width, count) in self.buckets() {
            seen += count;
            if seen >= wanted {
                return if percentile == 0.0 { least } else { least + width - 1 };
            }
        }
        0
    }

    /// Pairs of microseconds and how many durations are at most that long, for powers of two of 1.024 microseconds;
    /// only pairs that differ from the one before.
    pub fn cumulative_by_doubling_us(&self) -> Vec<(u64, u64)> {
        let mut pairs = Vec::new();
        let (mut level_ns, mut seen, mut told) = (1024u64, 0, 0);
        for (least, _, count) in self.buckets() {
            while least > last_of_level(level_ns) {
                if seen > told {
                    pairs.push((last_of_level(level_ns) / 1000, seen));
                    told = seen;
                }
                level_ns *= 2;
            }
            seen += count;
        }
        if seen > told {
            pairs.push((last_of_level(level_ns) / 1000, seen));
        }
        pairs
    }
}

/// A level takes in the whole bucket in which it lies. The last level is the end of the table.
fn last_of_level(level_ns: u64) -> u64 {
    if level_ns > MAX_NS {
        return (1 << (ROWS + 6)) - 1;
    }
    let (row, column) = place(level_ns);
    let (least, width) = bounds(row, column);
    least + width - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(durations_ns: &[u64]) -> HistogramCounts {
        let histogram = Histogram::default();
        durations_ns.iter().for_each(|duration_ns| histogram.record(*duration_ns));
        let mut counts = HistogramCounts::default();
        histogram.add_to(&mut counts);
        counts
    }

    #[test]
    fn every_duration_lies_in_its_bucket_and_buckets_adjoin() {
        let mut expected = 0;
        for row in 0..ROWS {
            for column in 0..ROW_LEN {
                let (least, width) = bounds(row, column);
                assert_eq!(least, expected, "no gap, no overlap");
                assert_eq!(place(least), (row, column));
                assert_eq!(place(least + width - 1), (row, column));
                expected = least + width;
            }
        }
        assert!(expected > MAX_NS);
    }

    #[test]
    fn percentiles_are_the_end_of_their_bucket() {
        // A microsecond is in the bucket 1000 to 1003, as `p50=1.003` of the real server shows.
        assert_eq!(counts(&[1_000]).percentile_ns(50.0), 1_003);
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(counts(&hundred).percentile_ns(50.0), 50);
        assert_eq!(counts(&hundred).percentile_ns(99.9), 100);
        assert_eq!(counts(&hundred).percentile_ns(0.0), 1);
        assert_eq!(counts(&[]).percentile_ns(50.0), 0);
    }

    #[test]
    fn doubling_levels_cumulate() {
        // 1024 to 1031 still counts for the first level, 1032 does not.
        assert_eq!(counts(&[0, 1_031, 1_032]).cumulative_by_doubling_us(), [(1, 2), (2, 3)]);
        assert_eq!(counts(&[33_000, 33_024]).cumulative_by_doubling_us(), [(33, 1), (66, 2)]);
        assert_eq!(counts(&[5_000_000_000]).cumulative_by_doubling_us(), [(1_073_741, 1)]);
        assert_eq!(counts(&[]).cumulative_by_doubling_us(), []);
    }
}
