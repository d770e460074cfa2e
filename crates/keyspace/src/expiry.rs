//! Active expiry: finding keys whose time is over before anybody asks for them.

use crate::shard::Shard;

impl Shard {
    /// Removes expired keys, a segment at a time, until `more` says stop or a whole round is done. `more` is
    /// told how many entries were removed in the last segment and how much was looked at. Returns how many
    /// keys were removed.
    pub fn expire_cycle(&mut self, mut more: impl FnMut() -> bool) -> usize {
        let now_ms = self.now_ms();
        let mut removed = 0;
        for db in 0..self.databases.len() {
            let segments = self.databases[db].table.segments_len();
            for _ in 0..segments {
                if self.databases[db].volatile_len() == 0 || !more() {
                    break;
                }
                removed += self.expire_segment(db, now_ms);
            }
        }
        self.note_expired_keys(removed);
        removed
    }

    fn expire_segment(&mut self, db: usize, now_ms: i64) -> usize {
        let database = &mut self.databases[db];
        let round = database.expiry_round;
        database.expiry_round = round.wrapping_add(1);
        let taken = database.table.take_expired(round, now_ms);
        for entry in &taken {
            database.note_expire(entry.expire_at_ms(), None);
            self.effects.record(db as u16, &[b"DEL", entry.key()]);
        }
        taken.len()
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
        database.remove(key);
        self.effects.record(db, &[b"DEL", key]);
        self.note_expired_keys(1);
        true
    }
}
