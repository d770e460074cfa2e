//! The manifest of a snapshot: which files it consists of. A snapshot is there when its manifest is.
//!
//! Lines of text, one fact each, in this order; numbers are decimal without leading zeros, checksums 16 lower-case
//! hexadecimal digits. The last line has the checksum of all bytes before it.
//!
//! ```text
//!     tessera-snapshot 1                   the version of this format
//!     epoch 12
//!     cut-unix-ms 1764000000000
//!     shards 2
//!     file dump-epoch12-shard0.rdb                   from here on once for each shard
//!     length 4096
//!     crc64 09f2e21c0d6a4b53
//!     body 60 4027                         where the body begins, and its length
//!     keys 81
//!     rdb-version 10
//!     slots 0-8191                         ranges and single slots; none if there is nothing behind the word
//!     file dump-epoch12-shard1.rdb
//!     ...
//!     end 5e3c1a7b9d2f4860
//! ```

mod parse;
#[cfg(test)]
mod tests;

use crate::checksum::crc64;
use std::fmt;
use std::ops::RangeInclusive;

/// Longest manifest, in bytes.
pub const MANIFEST_MAX_LEN_BYTES: usize = 4 << 20;
/// Most shards.
pub const SHARDS_MAX: u32 = 4096;
/// Longest name of a file, in bytes.
pub const NAME_MAX_LEN_BYTES: usize = 255;
/// How many slots keys fall into.
const SLOTS: usize = 16_384;
const MAGIC: &str = "tessera-snapshot";
const FORMAT_VERSION: u32 = 1;

/// What a snapshot consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The number of the snapshot: the next one has a higher one.
    pub epoch: u64,
    /// When all shards were as the files have them, in Unix milliseconds.
    pub cut_unix_ms: u64,
    /// The file of each shard, from the first to the last.
    pub files: Vec<ShardFile>,
}

/// The file of one shard, which is a whole RDB file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardFile {
    /// Its name in the directory of the manifest.
    pub name: String,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// The checksum of all its bytes but the last eight, which are that checksum themselves if there is one: with them
    /// it would be 0 always.
    pub crc64: u64,
    /// Where its body begins, in bytes: what is between header and end, so that bodies of several files make one.
    pub body_offset_bytes: u64,
    /// How long its body is, in bytes.
    pub body_len_bytes: u64,
    /// How many keys it has.
    pub keys: u64,
    /// The version in its header.
    pub rdb_version: u32,
    /// The slots whose keys it has, in ascending order.
    pub slots: Vec<RangeInclusive<u16>>,
}

/// Why a manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The number of the line, from 1 on, if it is about one.
    pub line: Option<usize>,
    /// What is wrong, in words.
    pub problem: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "manifest, line {line}: {}", self.problem),
            None => write!(f, "manifest: {}", self.problem),
        }
    }
}

impl std::error::Error for ManifestError {}

fn whole(problem: impl Into<String>) -> ManifestError {
    ManifestError { line: None, problem: problem.into() }
}

impl Manifest {
    /// The manifest as it is kept in a file. It can be read again if [`Manifest::check`] finds nothing.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.to_string().into_bytes();
        let checksum = crc64(&out);
        out.extend_from_slice(format!("end {checksum:016x}\n").as_bytes());
        out
    }

    /// Reads a manifest. What it says has been checked as [`Manifest::check`] does.
    ///
    /// # Errors
    /// If it is too long, damaged, or does not fit together.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        let manifest = parse::manifest(bytes)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether it fits together: each name is one of a file in the manifest's own directory, none comes twice, bodies
    /// are within their files, and no slot is in two of them.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn check(&self) -> Result<(), ManifestError> {
        if self.files.is_empty() || self.files.len() > SHARDS_MAX as usize {
            return Err(whole(format!("{} shards, which should be 1 to {SHARDS_MAX}", self.files.len())));
        }
        let mut names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(whole(format!("the file {:?} comes twice", twice[0])));
        }
        let mut taken = vec![false; SLOTS];
        self.files.iter().try_for_each(|file| file.check(&mut taken))
    }

    /// How many keys all files have.
    pub fn keys(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.keys))
    }

    /// How long all files are, in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.len_bytes))
    }
}

/// All lines but the last.
impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC} {FORMAT_VERSION}")?;
        writeln!(f, "epoch {}", self.epoch)?;
        writeln!(f, "cut-unix-ms {}", self.cut_unix_ms)?;
        writeln!(f, "shards {}", self.files.len())?;
        self.files.iter().try_for_each(|file| write!(f, "{file}"))
    }
}

impl ShardFile {
    fn check(&self, taken: &mut [bool]) -> Result<(), ManifestError> {
        let about = |problem: &str| Err(whole(format!("the file {:?} {problem}", self.name)));
        if !is_file_name(&self.name) {
            return about("has a name that is not one of a file in this directory");
        }
        let end = self.body_offset_bytes.checked_add(self.body_len_bytes);
        if end.is_none_or(|end| end > self.len_bytes) {
            return about("is shorter than its body");
        }
        let mut next = 0;
        for range in &self.slots {
            let (first, last) = (usize::from(*range.start()), usize::from(*range.end()));
            if first > last || last >= SLOTS || first < next {
                return about("has slots that are not in ascending order or beyond the last");
            }
            next = last + 1;
            if taken[first..next].contains(&true) {
                return about("has slots that another one has, too");
            }
            taken[first..next].fill(true);
        }
        Ok(())
    }
}

impl fmt::Display for ShardFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "file {}", self.name)?;
        writeln!(f, "length {}", self.len_bytes)?;
        writeln!(f, "crc64 {:016x}", self.crc64)?;
        writeln!(f, "body {} {}", self.body_offset_bytes, self.body_len_bytes)?;
        writeln!(f, "keys {}", self.keys)?;
        writeln!(f, "rdb-version {}", self.rdb_version)?;
        write!(f, "slots")?;
        for range in &self.slots {
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, " {first}")?,
                (first, last) => write!(f, " {first}-{last}")?,
            }
        }
        writeln!(f)
    }
}

/// Whether `name` is one of a file in a directory, and leads nowhere else. It has no control characters, so that it
/// stays on its line.
pub fn is_file_name(name: &str) -> bool {
    (1..=NAME_MAX_LEN_BYTES).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains(|letter: char| letter == '/' || letter.is_control())
}
