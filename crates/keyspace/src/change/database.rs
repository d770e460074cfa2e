//! One of a shard's numbered databases.

use super::Upkeep;
use crate::table::Table;
use ahash::RandomState;

/// A table of keys. Takes no memory of its own as long as it is empty.
#[derive(Debug)]
pub struct Database {
    table: Table,
    /// Which part of the snapshot under way the table is, as long as it is walked.
    pub(crate) snapshot_part: Option<u16>,
}

impl Database {
    pub(crate) fn new(hasher: RandomState) -> Database {
        Database { table: Table::new(hasher), snapshot_part: None }
    }

    /// Keys in the database, expired ones not yet removed included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// No keys at all.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Keys with an expiry.
    pub fn volatile_len(&self) -> usize {
        self.table.totals().volatile_len
    }

    /// Memory of the keys and what they hold, in bytes, without the table.
    pub fn entry_bytes(&self) -> usize {
        self.table.totals().entry_bytes
    }

    /// How long the keys with an expiry have on average, in milliseconds; 0 without such keys.
    pub fn average_ttl_ms(&self, now_ms: i64) -> i64 {
        let totals = self.table.totals();
        let Ok(count) = i128::try_from(totals.volatile_len) else { return 0 };
        if count == 0 {
            return 0;
        }
        (totals.expire_sum_ms / count - i128::from(now_ms)).clamp(0, i128::from(i64::MAX)) as i64
    }

    /// The table, to look at.
    #[inline]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The table, to change what is in it.
    #[inline]
    pub(super) fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// The table, for what changes nothing that is in it.
    #[inline]
    pub(crate) fn upkeep(&mut self) -> Upkeep<'_> {
        Upkeep(&mut self.table)
    }

    /// The table, and which part of the snapshot it is.
    pub(crate) fn into_parts(self) -> (Table, Option<u16>) {
        (self.table, self.snapshot_part)
    }
}
