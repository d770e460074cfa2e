//! Active expiry: finding keys whose time is over before anybody asks for them.

use crate::shard::Shard;

impl Shard {
    /// Removes expired keys, a segment's at a time, until `more` says stop or none is due. Returns how many it removed.
    pub fn expire_cycle(&mut self, mut more: impl FnMut() -> bool) -> usize {
        let now_ms = self.now_ms();
        let mut removed = 0;
        for db in 0..self.databases.len() {
            while self.databases[db].volatile_len() > 0 && more() {
                let Some(taken) = self.databases[db].table.take_expired(now_ms) else { break };
                removed += taken.len();
                let later = self.settings().lazy_free.expire;
                for entry in taken {
                    let found = entry.as_entry();
                    self.effects.record(db as u16, &[b"DEL", found.key()]);
                    if !self.streams.is_empty() {
                        self.streams.make_rest(db as u16, found.key(), found.value());
                    }
                    self.graveyard.bury(entry, later);
                }
            }
        }
        self.note_expired_keys(removed);
        removed
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
        if database.volatile_len() == 0
            || !database.table.get(key).is_some_and(|found| found.is_expired(now_ms))
        {
            return false;
        }
        self.before_change(db, key);
        if let Some(entry) = self.databases[db as usize].table.remove(key) {
            self.graveyard.bury(entry, self.settings().lazy_free.expire);
        }
        self.effects.record(db, &[b"DEL", key]);
        self.note_expired_keys(1);
        true
    }
}
