//! What a replay found, for a person to read.

use std::fmt;

use crate::script::Protocol;

/// Of a long reply that differs, this many lines are shown.
const MAX_LINES: usize = 24;

/// A reply that is not the recorded one.
#[derive(Debug)]
pub struct Mismatch {
    /// The line of the step in its file.
    pub line_number: usize,
    /// The step as written.
    pub source: String,
    /// The reply recorded.
    pub expected: Vec<String>,
    /// The reply received.
    pub actual: Vec<String>,
    /// Whether the received reply may hold more than the recorded one.
    pub subset: bool,
}

/// The outcome of one file in one protocol.
#[derive(Debug)]
pub struct FileReport {
    /// The file, relative to the folder of transcripts.
    pub name: String,
    /// The protocol played.
    pub protocol: Protocol,
    /// How many replies were compared.
    pub compared: usize,
    /// Those that differ.
    pub mismatches: Vec<Mismatch>,
    /// Why the file was not played to its end.
    pub aborted: Option<String>,
}

impl FileReport {
    /// Whether all is as recorded.
    pub fn is_ok(&self) -> bool {
        self.mismatches.is_empty() && self.aborted.is_none()
    }
}

/// The outcome of many files.
#[derive(Debug, Default)]
pub struct Summary {
    /// One per file and protocol.
    pub files: Vec<FileReport>,
    /// Files not played, as the server lacks an option they need or is reached by a unix socket.
    pub skipped: Vec<String>,
}

impl Summary {
    /// Whether all is as recorded.
    pub fn is_ok(&self) -> bool {
        self.files.iter().all(FileReport::is_ok)
    }

    /// Adds the outcome of further files.
    pub fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
        self.skipped.extend(other.skipped);
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |lines: &[String]| lines.iter().map(|line| shorten(line)).collect::<Vec<_>>();
        let (expected, actual) = (&self.expected[..], &self.actual[..]);
        let (expected, actual): (Vec<_>, Vec<_>) = if self.subset {
            let missing: Vec<_> = expected.iter().filter(|line| !actual.contains(line)).cloned().collect();
            (shown(&missing), shown(&actual[..actual.len().min(1)]))
        } else {
            let same = |left: &String, right: &String| left == right;
            let start = expected.iter().zip(actual).take_while(|(left, right)| same(left, right)).count();
            let (expected, actual) = (&expected[start..], &actual[start..]);
            let pairs = expected.iter().rev().zip(actual.iter().rev());
            let end = pairs.take_while(|(left, right)| same(left, right)).count();
            if start > 0 {
                writeln!(out, "      ({start} equal lines)")?;
            }
            (shown(&expected[..expected.len() - end]), shown(&actual[..actual.len() - end]))
        };
        for (mark, lines) in [("expected", expected), ("got     ", actual)] {
            for line in lines.iter().take(MAX_LINES) {
                writeln!(out, "      {mark} {line}")?;
            }
            if lines.len() > MAX_LINES {
                writeln!(out, "      {mark} ... {} more lines", lines.len() - MAX_LINES)?;
            }
            if lines.is_empty() {
                writeln!(out, "      {mark} nothing{}", if self.subset { " more" } else { "" })?;
            }
        }
        Ok(())
    }
}

/// Keeps a line within a terminal's reach.
fn shorten(line: &str) -> String {
    if line.chars().count() <= 400 {
        return line.to_owned();
    }
    line.chars().take(400).chain(" ...".chars()).collect()
}

impl fmt::Display for FileReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = self.protocol.number();
        for mismatch in &self.mismatches {
            writeln!(
                out,
                "{}:{} (RESP{protocol}) {}",
                self.name,
                mismatch.line_number,
                shorten(&mismatch.source)
            )?;
            write!(out, "{mismatch}")?;
        }
        if let Some(reason) = &self.aborted {
            writeln!(out, "{} (RESP{protocol}) stopped at {reason}", self.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.iter().try_for_each(|file| write!(out, "{file}"))?;
        for name in &self.skipped {
            writeln!(out, "skipped {name}: it needs a server with other options, or TCP")?;
        }
        let compared: usize = self.files.iter().map(|file| file.compared).sum();
        let mismatches: usize = self.files.iter().map(|file| file.mismatches.len()).sum();
        let failed: Vec<_> = self.files.iter().filter(|file| !file.is_ok()).collect();
        writeln!(
            out,
            "{compared} replies compared, {mismatches} differ; {} files played, {} with differences",
            self.files.len(),
            failed.len()
        )?;
        for file in failed {
            let stopped = if file.aborted.is_some() { ", not played to its end" } else { "" };
            let (count, of) = (file.mismatches.len(), file.compared);
            writeln!(out, "  {count:4} of {of:4}  {} (RESP{}){stopped}", file.name, file.protocol.number())?;
        }
        Ok(())
    }
}
