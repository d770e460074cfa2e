//! The pass over a shard that is under way, and what the last one was good for.

use tessera_keyspace::DefragPass;

/// What was so at the end of a pass that moved hardly anything.
#[derive(Debug)]
pub(super) struct Futile {
    pub(super) fragmentation_bytes: u64,
    pub(super) changes: u64,
    pub(super) pause_until_ns: u64,
}

/// What one node knows of its passes.
#[derive(Debug, Default)]
pub(crate) struct Defragmentation {
    /// The part of the node's time for the pass under way, in percent; 0: none is.
    pub(super) effort_percent: u32,
    pub(super) pass: DefragPass,
    /// How long it has taken so far, without pauses.
    pub(super) pass_ns: u64,
    pub(super) futile: Option<Futile>,
    pub(super) next_look_ns: u64,
    pub(super) next_slice_ns: u64,
}

impl Defragmentation {
    /// When the next slice is due, if a pass is under way.
    pub(crate) fn next_slice_ns(&self) -> Option<u64> {
        (self.effort_percent > 0).then_some(self.next_slice_ns)
    }
}
