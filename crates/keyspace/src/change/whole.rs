//! What happens to many keys at once: databases that are emptied or exchanged, and what is loaded. None of it is an
//! event of a key, as in Redis.

use super::Database;
use crate::shard::Shard;
use crate::table::{Content, OwnedEntry};
use crate::usage::Usage;
use tessera_values::Value;

impl Shard {
    /// Empties one database. `lazy`: what it held is freed later by [`Shard::reclaim`]. A snapshot under way still
    /// needs it: then it is freed after that in any case.
    pub fn flush(&mut self, db: u16, lazy: bool) {
        if self.streams.are_of_keys() {
            self.keep_before_flush(db);
        }
        if self.watched_keys.are_there() {
            self.before_watched_flush(db);
        }
        let hasher = self.hasher.clone();
        let old = std::mem::replace(&mut self.databases[db as usize], Database::new(hasher));
        let (table, part) = old.into_parts();
        let old = self.detach_from_snapshot(db, table, part);
        if let Some(table) = old
            && lazy
        {
            self.graveyard.bury_table(table);
        }
    }

    /// All values of a database are about to go: those that somebody is in the middle of go first.
    fn keep_before_flush(&mut self, db: u16) {
        for key in self.streams.keys_of_database(db) {
            if self.is_ahead_of_snapshot(db, &key) {
                // The snapshot goes on to walk the old table.
                self.copy_for_readers(db, &key);
            } else if let Some(entry) = self.databases[db as usize].table_mut().remove(&key) {
                self.dispose(db, entry, true);
            }
        }
    }

    /// Exchanges the contents of two databases.
    pub fn swap(&mut self, first: u16, second: u16) {
        if self.watched_keys.are_there() {
            self.before_watched_swap(first, second);
        }
        self.databases.swap(first as usize, second as usize);
        self.streams.swap(first, second);
        self.swap_in_snapshot(first, second);
        for (db, key) in self.waited_keys.of_databases([first, second]) {
            if self.databases[db as usize].table().get(&key).is_some() {
                self.waited_keys.note(db, &key);
            }
        }
    }

    /// Puts in a key that was loaded. Nobody is told: it is no effect, no write and no use of the key. False, and
    /// nothing done, if the key is there. `idle_s` and `frequency` count if the eviction policy remembers such.
    pub fn insert_loaded(
        &mut self,
        db: u16,
        key: &[u8],
        value: Value,
        expire_at_ms: Option<i64>,
        idle_s: Option<u64>,
        frequency: Option<u8>,
    ) -> bool {
        let (usage, now_ms) = (self.settings().usage(), self.now_ms());
        let bits = match usage {
            Usage::Recency => usage.bits_of_idle(now_ms, idle_s.unwrap_or(0)),
            Usage::Frequency { .. } => usage.bits_of_frequency(now_ms, frequency),
        };
        let table = self.databases[db as usize].table_mut();
        if table.get(key).is_some() {
            return false;
        }
        table.insert_new(OwnedEntry::new(key, Content::Owned(value), expire_at_ms, bits));
        true
    }
}
