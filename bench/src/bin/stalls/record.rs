//! What was measured: histograms by phase and command, and how they are shown.

use hdrhistogram::Histogram;

use crate::clocks::Took;

/// The longest duration that is told from longer ones, in nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// Significant digits of a duration. Two keep a histogram small beside the processor's caches.
const DIGITS: u8 = 2;

/// Durations of one command in one phase.
#[derive(Debug)]
pub struct Row {
    /// What was going on.
    pub phase: String,
    /// What was measured.
    pub command: &'static str,
    /// On the wall.
    pub wall: Histogram<u64>,
    /// CPU time of the thread.
    pub cpu: Histogram<u64>,
    /// The lesser of the two, measurement by measurement. Waiting for the processor is in the first only, reading the
    /// second clock in the second only: neither is in this.
    pub lesser: Histogram<u64>,
}

impl Row {
    fn new(phase: &str, command: &'static str) -> Row {
        let empty = || Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).expect("the bounds are valid");
        Row { phase: phase.to_owned(), command, wall: empty(), cpu: empty(), lesser: empty() }
    }

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.phase.clone(), self.command.to_owned(), self.wall.len().to_string()];
        for histogram in [&self.wall, &self.cpu] {
            for quantile in [0.5, 0.99, 0.999] {
                cells.push(us(histogram.value_at_quantile(quantile)));
            }
            cells.push(us(histogram.max()));
        }
        cells.extend([us(self.lesser.value_at_quantile(0.999)), us(self.lesser.max())]);
        cells
    }
}

/// The headings of [`Record::cells`].
pub const HEADINGS: [&str; 13] = [
    "phase",
    "what",
    "count",
    "wall p50",
    "p99",
    "p99.9",
    "max",
    "CPU p50",
    "p99",
    "p99.9",
    "max",
    "lesser p99.9",
    "max",
];

/// All that was measured, in the order in which it first happened.
#[derive(Debug, Default)]
pub struct Record {
    rows: Vec<Row>,
    phase: String,
}

impl Record {
    /// What follows belongs to `phase`.
    pub fn begin(&mut self, phase: &str) {
        phase.clone_into(&mut self.phase);
    }

    /// Adds one measurement of `command`.
    #[inline]
    pub fn add(&mut self, command: &'static str, took: Took) {
        // The rows of the current phase are the last ones, and few.
        let found = self.rows.iter_mut().rev().take_while(|row| row.phase == self.phase);
        let row = match found.into_iter().find(|row| row.command == command) {
            Some(row) => row,
            None => {
                self.rows.push(Row::new(&self.phase, command));
                self.rows.last_mut().expect("one was just added")
            }
        };
        row.wall.saturating_record(took.wall_ns);
        row.cpu.saturating_record(took.cpu_ns);
        row.lesser.saturating_record(took.wall_ns.min(took.cpu_ns));
    }

    /// The measurements of `command` in `phase`.
    pub fn row(&self, phase: &str, command: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.phase == phase && row.command == command)
    }

    /// All measurements.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A row of cells for each command of each phase.
    pub fn cells(&self) -> Vec<Vec<String>> {
        self.rows.iter().map(Row::cells).collect()
    }
}

/// Nanoseconds as microseconds, for people.
pub fn us(ns: u64) -> String {
    let us = ns as f64 / 1000.0;
    if us < 100.0 { format!("{us:.2}") } else { format!("{us:.0}") }
}

/// A table as text, or as Markdown.
pub fn table(headings: &[&str], rows: &[Vec<String>], is_markdown: bool) -> String {
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let mut lines = Vec::new();
    if is_markdown {
        lines.push(format!("| {} |", headings.join(" | ")));
        lines.push(format!("|{}", " --- |".repeat(headings.len())));
        lines.extend(rows.iter().map(|row| format!("| {} |", row.join(" | "))));
    } else {
        let width = |column: usize| {
            let cells = rows.iter().chain([&headings]).map(|row| row[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        for row in [&headings].into_iter().chain(rows) {
            // Texts to the left, numbers to the right.
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            lines.push(format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned());
        }
    }
    lines.join("\n")
}
