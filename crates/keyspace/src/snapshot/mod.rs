//! A snapshot of a shard, made a piece at a time while the shard goes on changing.
//!
//! What is there at the cut is walked in the order of hashes and encoded. Just before an entry changes that the walk
//! has still to come to, it is encoded out of turn and waits in memory for its place in the stream ([`ahead`]). Large
//! values are written in pieces, each from the value as it lies; somebody who wants to change one had better wait
//! ([`Shard::must_wait_for_snapshot`]), but if he does not, what is left of it is encoded at once.
//!
//! A key whose time is over when the walk comes to it, or when it is removed or replaced, is not written: who loads the
//! snapshot would drop it anyway. The same holds for fields of hashes.

mod ahead;
mod layout;
mod writer;

#[cfg(test)]
mod tests;

use crate::EvictionPolicy;
use crate::shard::{Shard, ShardSettings};
use crate::table::{Entry, Table};
use crate::usage::{decayed, idle_s};
pub use layout::{DatabaseSizes, Run, SnapshotLayout};
use tessera_storage::rdb::opcodes::{VERSION_WITH_FIELD_EXPIRY, VERSION_WRITTEN};
use tessera_storage::rdb::{EncodeOptions, KeyFacts};
pub(crate) use writer::Writer;

/// How a snapshot is made.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotOptions {
    /// How entries are encoded.
    pub encode: EncodeOptions,
    /// Entries saved ahead of the walk, because they changed, wait in memory for their place in the file. Above about
    /// so many bytes [`Shard::must_wait_for_snapshot`] has writers wait.
    pub ahead_max_len_bytes: usize,
    /// Values that take more memory than this are written in pieces of about this length.
    pub piece_len_bytes: usize,
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotKeys {
    /// Keys at the cut.
    pub total: u64,
    /// Of these so many were saved, or were met and need not be. At the end it may be less than the total: of keys
    /// whose time was over some are not counted.
    pub done: u64,
}

/// What [`Shard::snapshot_some`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SnapshotProgress {
    /// There is more to come. Perhaps nothing was appended this time: a call also ends when it has looked at enough.
    More,
    /// That was all. No snapshot is under way any more.
    Done,
    /// A fault in the engine took away what was being written, so that whatever was appended is no snapshot. It has
    /// been given up as by [`Shard::abort_snapshot`].
    Lost,
}

/// Tables on which a snapshot that was aborted left marks, by database, and how far they are cleared.
#[derive(Debug, Default)]
pub(crate) struct Clearing(Vec<(u16, u64)>);

/// What is told of a key besides its value.
#[derive(Clone, Copy)]
struct FactsSource {
    now_ms: i64,
    settings: ShardSettings,
}

impl FactsSource {
    /// Use is told as Redis does: if the policy goes by it.
    fn of(&self, entry: Entry<'_>) -> KeyFacts {
        let (bits, now_ms) = (entry.usage_bits(), self.now_ms);
        let (idle_s, frequency) = match self.settings.eviction_policy {
            EvictionPolicy::AllKeysLru | EvictionPolicy::VolatileLru => {
                (Some(u64::from(idle_s(bits, now_ms))), None)
            }
            EvictionPolicy::AllKeysLfu | EvictionPolicy::VolatileLfu => {
                (None, Some(decayed(bits, now_ms, self.settings.lfu_decay_time_min)))
            }
            _ => (None, None),
        };
        KeyFacts { expire_at_ms: entry.expire_at_ms(), idle_s, frequency }
    }
}

impl Shard {
    fn facts_source(&self) -> FactsSource {
        FactsSource { now_ms: self.now_ms(), settings: self.settings() }
    }

    /// Begins a snapshot of everything that is there now.
    ///
    /// # Panics
    /// Unless [`Shard::can_begin_snapshot`].
    pub fn begin_snapshot(&mut self, options: SnapshotOptions) {
        assert!(self.can_begin_snapshot(), "another snapshot is under way, or its marks are not cleared yet");
        self.snapshot = Some(Box::new(Writer::new(options, &mut self.databases)));
    }

    /// No snapshot is under way, and nothing is left to tidy up of one that was aborted. ([`Shard::reclaim`] tidies
    /// up.)
    pub fn can_begin_snapshot(&self) -> bool {
        self.snapshot.is_none() && self.clearing.0.is_empty()
    }

    /// The version that a file with all that the shard now holds must have. Ask at the cut.
    pub fn rdb_version(&self) -> u32 {
        if self.databases.iter().any(|database| database.table().has_field_deadlines()) {
            VERSION_WITH_FIELD_EXPIRY
        } else {
            VERSION_WRITTEN
        }
    }

    /// Where the body of the last snapshot that has come to its end has which database. It is told once.
    pub fn take_snapshot_layout(&mut self) -> SnapshotLayout {
        std::mem::take(&mut self.snapshot_layout)
    }

    /// How far the snapshot under way is; `None` without one.
    pub fn snapshot(&self) -> Option<SnapshotKeys> {
        self.snapshot.as_ref().map(|writer| writer.keys())
    }

    /// Appends about `len_bytes` of the snapshot's RDB body: databases and entries, without a file's header and end.
    /// The body begins with the choice of a database, if it has any entry, so bodies may follow one another; where it
    /// has which, [`Shard::take_snapshot_layout`] tells afterwards. It takes no longer than `len_bytes` of entries do,
    /// even where there is nothing to append or compression makes little of much: then less is appended.
    pub fn snapshot_some(&mut self, len_bytes: usize, out: &mut Vec<u8>) -> SnapshotProgress {
        let Some(mut writer) = self.snapshot.take() else { return SnapshotProgress::Done };
        let progress = writer.write_some(self, len_bytes, out);
        match progress {
            SnapshotProgress::More => self.snapshot = Some(writer),
            SnapshotProgress::Done => self.snapshot_layout = writer.into_layout(),
            SnapshotProgress::Lost => {
                self.snapshot = Some(writer);
                self.abort_snapshot();
            }
        }
        progress
    }

    /// Gives the snapshot under way up, if there is one. [`Shard::reclaim`] has something to do afterwards.
    pub fn abort_snapshot(&mut self) {
        if let Some(writer) = self.snapshot.take() {
            if let Some(kept) = writer.adopted() {
                self.release_kept(kept);
            }
            self.clearing.0 = writer.abort(&mut self.databases, &mut self.graveyard);
        }
    }

    /// A write to `key` had better wait for [`Shard::snapshot_some`] to get on: its value is large and not saved yet,
    /// or only in part (then it is saved next), or so much has been saved ahead that no more should be. Ask for every
    /// key before each write, and again later. A write that did not ask does no harm but for the time and memory that
    /// it takes.
    #[inline]
    pub fn must_wait_for_snapshot(&mut self, db: u16, key: &[u8]) -> bool {
        self.snapshot.is_some() && self.must_wait_for_writer(db, key)
    }

    #[cold]
    fn must_wait_for_writer(&mut self, db: u16, key: &[u8]) -> bool {
        let now_ms = self.now_ms();
        let Some(writer) = &mut self.snapshot else { return false };
        let database = &mut self.databases[db as usize];
        writer.must_wait(database, key, now_ms)
    }

    /// Memory of what was saved ahead and waits to be handed out, in bytes.
    pub fn snapshot_buffer_len_bytes(&self) -> usize {
        self.snapshot.as_ref().map_or(0, |writer| writer.ahead_len_bytes())
    }

    /// Something about `key` is about to change. `is_value`: its value, and not only what is known besides.
    #[cold]
    pub(crate) fn save_ahead(&mut self, db: u16, key: &[u8], is_value: bool) {
        let facts = self.facts_source();
        let Some(writer) = &mut self.snapshot else { return };
        let database = &mut self.databases[db as usize];
        if is_value {
            writer.finish_pieces(database, key);
        }
        writer.save_ahead(database, key, facts);
    }

    /// The value of `key` is being written in pieces, of which some are still to come.
    pub(crate) fn is_in_pieces(&self, db: u16, key: &[u8]) -> bool {
        let database = &self.databases[db as usize];
        self.snapshot.as_ref().is_some_and(|writer| writer.is_in_pieces(database, key))
    }

    /// The walk has still to come to `key`.
    pub(crate) fn is_ahead_of_snapshot(&mut self, db: u16, key: &[u8]) -> bool {
        let database = &mut self.databases[db as usize];
        let mut is_ahead = false;
        if database.snapshot_part.is_some() {
            database.upkeep().visit_ahead(key, |_| {
                is_ahead = true;
                false
            });
        }
        is_ahead
    }

    /// Two databases have changed places.
    pub(crate) fn swap_in_snapshot(&mut self, first: u16, second: u16) {
        if let Some(writer) = &mut self.snapshot {
            writer.swap(first, second);
        }
        for (db, _) in &mut self.clearing.0 {
            if *db == first {
                *db = second;
            } else if *db == second {
                *db = first;
            }
        }
    }

    /// Database `db` has another table now. This is the old one, if the snapshot does not keep it to walk on.
    pub(crate) fn detach_from_snapshot(&mut self, db: u16, table: Table, part: Option<u16>) -> Option<Table> {
        self.clearing.0.retain(|(clearing, _)| *clearing != db);
        match (&mut self.snapshot, part) {
            (Some(writer), Some(part)) => {
                writer.detach(part, table);
                None
            }
            _ => Some(table),
        }
    }

    /// Marks are left to be cleared of a snapshot that was aborted.
    pub(crate) fn has_marks(&self) -> bool {
        !self.clearing.0.is_empty()
    }

    /// Clears some of them, if there are any.
    pub(crate) fn clear_marks(&mut self) {
        if let Some((db, position)) = self.clearing.0.last_mut() {
            match self.databases[*db as usize].upkeep().clear_some(*position) {
                Some(next_position) => *position = next_position,
                None => drop(self.clearing.0.pop()),
            }
        }
    }
}
