//! Active expiry: finding keys whose time is over before anybody asks for them.

use crate::shard::Shard;

/// Fields of a hash that are removed before anything else is looked at.
const FIELDS_MAX: usize = 64;

impl Shard {
    /// Removes expired keys, a segment's at a time, and expired fields of hashes, until `more` says stop or none is
    /// due. Returns how many keys' time was over.
    pub fn expire_cycle(&mut self, mut more: impl FnMut() -> bool) -> usize {
        let now_ms = self.now_ms();
        let mut removed = 0;
        for db in 0..self.databases.len() {
            while self.databases[db].volatile_len() > 0 && more() {
                let Some(keys) = self.remove_some_expired(db as u16) else { break };
                removed += keys;
            }
        }
        for db in 0..self.databases.len() {
            while let Some(key) = self.databases[db].table().next_due_fields(now_ms)
                && more()
            {
                let key = key.to_vec();
                if self.is_in_pieces(db as u16, &key) || self.must_wait_for_readers(db as u16, &key) {
                    // Nobody sees these fields. Once the snapshot, or who reads it, has the value they go.
                    break;
                }
                self.remove_expired_fields(db as u16, &key, FIELDS_MAX);
            }
        }
        removed
    }

    /// Removes the keys that reads met expired since the last call.
    pub fn remove_met_expired(&mut self) {
        if self.met_expired.get_mut().is_empty() {
            return;
        }
        for (db, key) in std::mem::take(self.met_expired.get_mut()) {
            self.remove_if_expired(db, &key);
        }
    }
}
