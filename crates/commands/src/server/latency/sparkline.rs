//! LATENCY GRAPH's drawing: a column per sample, its height by duration, its age below.

use std::fmt::Write as _;
use tessera_command::host::latency::{Sample, Series};

/// Samples in one row of columns.
const COLUMNS: usize = 80;
/// Lines that a column is high.
const LINES: u64 = 4;
/// A line is drawn in three heights.
const HEIGHTS: [char; 3] = ['_', 'o', '#'];

/// Draws the samples of an event at `now_s` (Unix seconds). The layout is that of Redis.
pub fn draw(name: &str, series: &Series, now_s: i64) -> String {
    let samples: Vec<Sample> = series.samples().collect();
    let high = samples.iter().map(|sample| sample.latency_ms).max().unwrap_or(0);
    let low = samples.iter().map(|sample| sample.latency_ms).min().unwrap_or(0);
    let mut graph = format!(
        "{name} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        series.max_ms(),
        "-".repeat(COLUMNS)
    );
    for (index, part) in samples.chunks(COLUMNS).enumerate() {
        if index > 0 {
            graph.push('\n');
        }
        columns(part, low, high, &mut graph);
        labels(part, now_s, &mut graph);
    }
    graph
}

fn columns(samples: &[Sample], low: u64, high: u64, graph: &mut String) {
    let heights = HEIGHTS.len() as u64;
    let steps = LINES * heights;
    let range = u128::from((high - low).max(1));
    for line in (0..LINES).rev() {
        for sample in samples {
            let step = u128::from(sample.latency_ms - low) * u128::from(steps) / range;
            let step = (step as u64).min(steps - 1);
            graph.push(match step.checked_sub(line * heights) {
                None => ' ',
                Some(rest) => HEIGHTS.get(rest as usize).copied().unwrap_or('|'),
            });
        }
        graph.push('\n');
    }
}

/// The ages, to be read from top to bottom, below an empty line.
fn labels(samples: &[Sample], now_s: i64, graph: &mut String) {
    let ages: Vec<String> = samples.iter().map(|sample| age(now_s.saturating_sub(sample.unix_s))).collect();
    let _ = writeln!(graph, "{}", " ".repeat(samples.len()));
    let longest = ages.iter().map(String::len).max().unwrap_or(0);
    for line in 0..longest {
        graph.extend(ages.iter().map(|age| age.as_bytes().get(line).map_or(' ', |byte| char::from(*byte))));
        graph.push('\n');
    }
}

fn age(elapsed_s: i64) -> String {
    match elapsed_s {
        ..60 => format!("{elapsed_s}s"),
        60..3600 => format!("{}m", elapsed_s / 60),
        3600..86_400 => format!("{}h", elapsed_s / 3600),
        _ => format!("{}d", elapsed_s / 86_400),
    }
}
