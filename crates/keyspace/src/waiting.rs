//! Keys that clients wait for.

use std::collections::BTreeMap;

/// For which keys somebody waits, and which of them have come to hold something since that was last asked.
#[derive(Debug, Default)]
pub struct WaitedKeys {
    waiters: BTreeMap<(u16, Box<[u8]>), usize>,
    ready: Vec<(u16, Box<[u8]>)>,
}

impl WaitedKeys {
    /// Somebody begins to wait for a key of database `db`.
    pub fn add(&mut self, db: u16, key: &[u8]) {
        *self.waiters.entry((db, key.into())).or_default() += 1;
    }

    /// Somebody has waited for a key long enough.
    pub fn remove(&mut self, db: u16, key: &[u8]) {
        let place = (db, key.into());
        if let Some(count) = self.waiters.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.waiters.remove(&place);
            }
        }
    }

    /// Somebody waits for some key.
    #[inline]
    pub(crate) fn are_there(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// A key has come to hold a collection, or is to be looked at once more.
    #[inline]
    pub fn note(&mut self, db: u16, key: &[u8]) {
        if !self.waiters.is_empty() {
            self.note_waited(db, key);
        }
    }

    #[cold]
    fn note_waited(&mut self, db: u16, key: &[u8]) {
        let place = (db, key.into());
        if self.waiters.contains_key(&place) && !self.ready.contains(&place) {
            self.ready.push(place);
        }
    }

    /// The keys of these databases that somebody waits for.
    pub(crate) fn of_databases(&self, databases: [u16; 2]) -> Vec<(u16, Box<[u8]>)> {
        self.waiters.keys().filter(|(db, _)| databases.contains(db)).cloned().collect()
    }

    /// Some key has become ready.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Hands over the keys that have, in that order.
    pub fn take_ready(&mut self) -> Vec<(u16, Box<[u8]>)> {
        std::mem::take(&mut self.ready)
    }
}
