//! One shard's file while it is made.

use super::file::FileWriter;
use crate::notes::snapshot::{CutOrder, WrittenPart};
use std::sync::Arc;

/// A shard's file while it is made.
#[derive(Debug)]
pub(crate) struct Part {
    pub(super) order: Arc<CutOrder>,
    pub(super) file: FileWriter,
    /// The file is not at its end.
    pub(super) is_walking: bool,
    /// All keys are in it, and what they take has not passed.
    pub(super) is_walked: bool,
    /// What the finished file is to be told as.
    pub(super) written: WrittenPart,
    /// The rate limit allows no more before this, in monotonic nanoseconds.
    pub(super) next_slice_at_ns: u64,
    /// What the node had done for clients and peers when it walked last.
    pub(super) work_seen: u64,
}

impl Part {
    /// Something can be walked now.
    pub(super) fn has_work(&self, now_ns: u64) -> bool {
        self.is_walking && self.file.has_room() && now_ns >= self.next_slice_at_ns
    }

    /// When the rate limit allows more, if that is all that is waited for.
    pub(super) fn resumes_at_ns(&self) -> Option<u64> {
        (self.is_walking && self.file.has_room()).then_some(self.next_slice_at_ns)
    }

    /// The shard is being walked.
    pub(crate) fn is_walking(&self) -> bool {
        self.is_walking
    }
}
