//! What is to be loaded, once it is known.

use std::sync::Arc;

/// A file to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFile {
    pub(crate) path: Arc<str>,
    pub(crate) len_bytes: u64,
    /// What its manifest says of it, if it has one.
    pub(crate) described: Option<Described>,
}

/// What a manifest says of a file besides its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// How many keys it has.
    pub(crate) keys: u64,
    /// The checksum of all its bytes but the last eight.
    pub(crate) crc64: u64,
    /// The version in its header.
    pub(crate) rdb_version: u32,
}

/// Everything to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadPlan {
    pub(crate) files: Vec<PlannedFile>,
    /// Memory that the writer used, in bytes; 0 if it does not say.
    pub(crate) used_memory_bytes: u64,
    /// When what is loaded was cut, in Unix milliseconds, as far as that is known.
    pub(crate) cut_ms: Option<i64>,
    /// For the log.
    pub(crate) description: String,
    /// For the log, too: what is there besides.
    pub(crate) remarks: Vec<String>,
}

impl LoadPlan {
    /// What would be loaded; empty if there is nothing.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What is there besides.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len_bytes).sum()
    }
}
