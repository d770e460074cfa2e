//! A snapshot of a shard, made a piece at a time while the shard goes on changing.

use crate::shard::Shard;
use tessera_storage::rdb::EncodeOptions;
use tessera_values::Value;

/// How a snapshot is made.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotOptions {
    /// How entries are encoded.
    pub encode: EncodeOptions,
    /// Entries saved ahead of the walk, because they changed, wait in memory for their place in the file. Above about so
    /// many bytes [`Shard::must_wait_for_snapshot`] has writers wait.
    pub ahead_max_len_bytes: usize,
    /// Values that take more memory than this are written in pieces of about this length.
    pub piece_len_bytes: usize,
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotKeys {
    /// Keys at the cut.
    pub total: u64,
    /// Of these so many were saved, or need not be.
    pub done: u64,
}

/// What [`Shard::snapshot_some`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SnapshotProgress {
    /// There is more to come. Nothing may have been appended this time.
    More,
    /// That was all. No snapshot is under way any more.
    Done,
}

impl Shard {
    /// Begins a snapshot of everything that is there now.
    ///
    /// # Panics
    /// Unless [`Shard::can_begin_snapshot`].
    pub fn begin_snapshot(&mut self, _options: SnapshotOptions) {
        unimplemented!()
    }

    /// No snapshot is under way, and nothing is left to tidy up of one that was aborted. ([`Shard::reclaim`] tidies up.)
    pub fn can_begin_snapshot(&self) -> bool {
        unimplemented!()
    }

    /// How far the snapshot under way is; `None` without one.
    pub fn snapshot(&self) -> Option<SnapshotKeys> {
        unimplemented!()
    }

    /// Appends about `len_bytes` of the snapshot's RDB body: databases and entries, without a file's header and end. The
    /// body begins with the choice of a database, so bodies may follow one another.
    pub fn snapshot_some(&mut self, _len_bytes: usize, _out: &mut Vec<u8>) -> SnapshotProgress {
        unimplemented!()
    }

    /// Gives the snapshot under way up, if there is one. [`Shard::reclaim`] has something to do afterwards.
    pub fn abort_snapshot(&mut self) {
        unimplemented!()
    }

    /// A write to `key` had better wait for [`Shard::snapshot_some`] to get on: its value is large and not saved yet, or only
    /// in part (then it is saved next), or so much has been saved ahead that no more should be. Ask for every key
    /// before each write, and again later. A write that did not ask does no harm but for the time and memory that it takes.
    pub fn must_wait_for_snapshot(&mut self, _db: u16, _key: &[u8]) -> bool {
        unimplemented!()
    }

    /// Memory of what was saved ahead and waits to be handed out, in bytes.
    pub fn snapshot_buffer_len_bytes(&self) -> usize {
        unimplemented!()
    }

    /// Puts in a key that was loaded. Nobody is told: it is no effect, no write and no use of the key. False, and nothing
    /// done, if the key is there. `idle_s` and `frequency` count if the eviction policy remembers such.
    pub fn insert_loaded(
        &mut self,
        _db: u16,
        _key: &[u8],
        _value: Value,
        _expire_at_ms: Option<i64>,
        _idle_s: Option<u64>,
        _frequency: Option<u8>,
    ) -> bool {
        unimplemented!()
    }
}
