//! Keys of this shard that clients watch, wherever these are. At their homes, see [`crate::home::watching`].

use super::Owner;
use tessera_keyspace::WatchStamp;

impl Owner {
    /// Somebody more watches a key: how it is now.
    pub(crate) fn watch(&mut self, db: u16, key: &[u8]) -> WatchStamp {
        self.shard.watch(db, key)
    }

    /// The same of several keys.
    pub(crate) fn watch_all(&mut self, names: &[(u16, Box<[u8]>)]) -> Vec<WatchStamp> {
        names.iter().map(|(db, key)| self.watch(*db, key)).collect()
    }

    /// One fewer watches each of these.
    pub(crate) fn unwatch_all(&mut self, names: &[(u16, Box<[u8]>)]) {
        names.iter().for_each(|(db, key)| self.shard.unwatch(*db, key));
    }

    /// A key that is watched is as it was then.
    pub(crate) fn is_unchanged(&self, db: u16, key: &[u8], stamp: WatchStamp) -> bool {
        self.shard.is_unchanged(db, key, stamp)
    }
}
