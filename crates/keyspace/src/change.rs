//! The way by which values change and go, on which nobody is forgotten who is in the middle of one: streams, and the snapshot,
//! which also has to save what it has not come to.
//!
//! A value changes where it is behind [`Shard::before_change`]. It is replaced behind [`Shard::before_overwrite`], and the old
//! entry goes to [`Shard::dispose`]. It is removed by [`Shard::remove_entry`], or, for whoever wants to have it, by
//! [`Shard::take_entry`].

use crate::shard::Shard;
use crate::table::OwnedEntry;
use tessera_values::ValueRef;

/// What became of a key that was removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removed {
    /// Its time was over, so that it was as if it were not there.
    pub(crate) was_over: bool,
    /// Memory that is free now, in bytes.
    pub(crate) freed_bytes: usize,
}

impl Shard {
    /// The value of `key` is about to change where it is.
    #[inline]
    pub(crate) fn before_change(&mut self, db: u16, key: &[u8]) {
        // One branch for both: mostly neither is there.
        if self.streams.are_of_keys() | self.snapshot.is_some() {
            self.before_watched_change(db, key);
        }
    }

    #[cold]
    fn before_watched_change(&mut self, db: u16, key: &[u8]) {
        if self.streams.are_of_keys() {
            self.copy_for_readers(db, key);
        }
        self.save_ahead(db, key, true);
    }

    /// `key` is about to hold something else. The entry that it has, if it cannot be used again, goes to [`Shard::dispose`].
    #[inline]
    pub(crate) fn before_overwrite(&mut self, db: u16, key: &[u8]) {
        if self.streams.are_of_keys() | self.snapshot.is_some() {
            self.before_watched_overwrite(db, key);
        }
    }

    #[cold]
    fn before_watched_overwrite(&mut self, db: u16, key: &[u8]) {
        // Only strings are overwritten where they are, and of those not the longest, which have a box.
        let entry = self.databases[db as usize].table().get(key);
        if entry.is_some_and(|entry| matches!(entry.value(), ValueRef::String(_)) && !entry.is_boxed()) {
            return self.before_watched_change(db, key);
        }
        self.save_ahead(db, key, false);
    }

    /// Takes `key` and what it holds out of the table, to be used for something else.
    pub(crate) fn take_entry(&mut self, db: u16, key: &[u8]) -> Option<OwnedEntry> {
        self.before_change(db, key);
        self.databases[db as usize].table_unwatched().remove(key)
    }

    /// Removes `key` and frees what it held as soon as nobody is in the middle of it; `later`: and if it is large, later.
    pub(crate) fn remove_entry(&mut self, db: u16, key: &[u8], later: bool) -> Option<Removed> {
        if self.snapshot.is_some() {
            self.save_ahead(db, key, false);
        }
        self.remove_unsaved(db, key, later)
    }

    /// The same for a key whose time is over, which a snapshot does without.
    pub(crate) fn remove_unsaved(&mut self, db: u16, key: &[u8], later: bool) -> Option<Removed> {
        let entry = self.databases[db as usize].table_unwatched().remove(key)?;
        let (found, now_ms) = (entry.as_entry(), self.now_ms());
        let was_over = found.is_expired(now_ms) || found.has_only_expired_fields(now_ms);
        let bytes = found.allocated_bytes();
        let later = if was_over { self.settings().lazy_free.expire } else { later };
        let is_held = self.dispose(db, entry, later);
        Some(Removed { was_over, freed_bytes: if is_held { 0 } else { bytes } })
    }
}
