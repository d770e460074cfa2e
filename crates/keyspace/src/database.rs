//! One of a shard's numbered databases.

use crate::entry::Entry;
use crate::table::Table;
use ahash::RandomState;

/// A table and what is known of it as a whole.
#[derive(Debug)]
pub struct Database {
    pub(crate) table: Table,
    /// Keys with an expiry.
    volatile_len: usize,
    /// The sum of those expiries, for their average in INFO.
    expire_sum_ms: i128,
    /// Which segment the active expiry looks at next.
    pub(crate) expiry_round: usize,
}

impl Database {
    pub(crate) fn new(hasher: RandomState) -> Database {
        Database { table: Table::new(hasher), volatile_len: 0, expire_sum_ms: 0, expiry_round: 0 }
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
        self.volatile_len
    }

    /// How long the keys with an expiry have on average, in milliseconds; 0 without such keys.
    pub fn average_ttl_ms(&self, now_ms: i64) -> i64 {
        let Ok(count) = i128::try_from(self.volatile_len) else { return 0 };
        if count == 0 {
            return 0;
        }
        (self.expire_sum_ms / count - i128::from(now_ms)).clamp(0, i128::from(i64::MAX)) as i64
    }

    /// The table, for walks.
    pub fn table(&self) -> &Table {
        &self.table
    }

    pub(crate) fn insert_new(&mut self, entry: Entry) {
        self.note_expire(None, entry.expire_at_ms());
        self.table.insert_new(entry);
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let entry = self.table.remove(key)?;
        self.note_expire(entry.expire_at_ms(), None);
        Some(entry)
    }

    /// Keeps the books when a key's expiry changes.
    pub(crate) fn note_expire(&mut self, before_ms: Option<i64>, after_ms: Option<i64>) {
        if let Some(at) = before_ms {
            self.volatile_len -= 1;
            self.expire_sum_ms -= i128::from(at);
        }
        if let Some(at) = after_ms {
            self.volatile_len += 1;
            self.expire_sum_ms += i128::from(at);
        }
    }
}
