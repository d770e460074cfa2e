//! Active expiry: finding keys whose time is over before anybody asks for them.

use crate::shard::Shard;
use tessera_values::Hash;

/// Fields of a hash that are removed before anything else is looked at.
const FIELDS_MAX: usize = 64;

impl Shard {
    /// Removes expired keys, a segment's at a time, and expired fields of hashes, until `more` says stop or none is due.
    /// Returns how many keys' time was over.
    pub fn expire_cycle(&mut self, mut more: impl FnMut() -> bool) -> usize {
        let now_ms = self.now_ms();
        let mut removed = 0;
        for db in 0..self.databases.len() {
            while self.databases[db].volatile_len() > 0 && more() {
                let Some(taken) = self.databases[db].table_unwatched().take_expired(now_ms) else { break };
                removed += taken.len();
                for entry in taken {
                    self.effects.record(db as u16, &[b"DEL", entry.as_entry().key()]);
                    let later = self.settings().lazy_free.expire;
                    self.dispose(db as u16, entry, later);
                }
            }
        }
        self.note_expired_keys(removed);
        for db in 0..self.databases.len() {
            while let Some(key) = self.databases[db].table().next_due_fields(now_ms)
                && more()
            {
                let key = key.to_vec();
                if self.is_in_pieces(db as u16, &key) || self.must_wait_for_readers(db as u16, &key) {
                    // Nobody sees these fields. Once the snapshot, or who reads it, has the value they go.
                    break;
                }
                self.remove_expired_fields(db as u16, &key);
            }
        }
        removed
    }

    /// Removes some fields of the hash at `key` whose time is over, and the key with the last.
    fn remove_expired_fields(&mut self, db: u16, key: &[u8]) {
        let now_ms = self.now_ms();
        if self.streams.are_of_keys() {
            // A snapshot does without what has expired.
            self.copy_for_readers(db, key);
        }
        let database = &mut self.databases[db as usize];
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let changed = database.table_unwatched().get_mut(key).and_then(|mut entry| {
            entry.change_collection(|hash: &mut Hash| {
                hash.remove_expired_fields(now_ms, FIELDS_MAX, |field| fields.push(field.to_vec()));
            })
        });
        if let Some(((), true)) = changed {
            database.table_unwatched().remove(key);
        }
        if fields.is_empty() || !self.effects.is_wanted() {
            return;
        }
        let fields = fields.iter().map(Vec::as_slice);
        let words: Vec<&[u8]> = [b"HDEL".as_slice(), key].into_iter().chain(fields).collect();
        self.effects.record(db, &words);
    }

    /// Removes the keys that reads met expired since the last call.
    pub fn remove_met_expired(&mut self) {
        if self.met_expired.get_mut().is_empty() {
            return;
        }
        let now_ms = self.now_ms();
        for (db, key) in std::mem::take(self.met_expired.get_mut()) {
            self.remove_if_expired(db, &key, now_ms);
        }
    }

    /// Removes `key` if its time is over, and records that. True if it was.
    pub fn remove_if_expired(&mut self, db: u16, key: &[u8], now_ms: i64) -> bool {
        let database = &mut self.databases[db as usize];
        let none_is_due = database.volatile_len() == 0 && !database.table().has_due_fields(now_ms);
        let is_over = |found| database.table().is_over(found, now_ms);
        if none_is_due || !database.table().get(key).is_some_and(is_over) {
            return false;
        }
        self.remove_unsaved(db, key, true);
        self.effects.record(db, &[b"DEL", key]);
        self.note_expired_keys(1);
        true
    }
}
