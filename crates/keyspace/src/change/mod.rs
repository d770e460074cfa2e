//! The seam of change: the only way by which keys and what they hold change and go.
//!
//! Nobody else has the table to change it ([`Database::table_mut`] is for this folder), so nobody can forget who has to
//! be told:
//!
//! * *before* a change, whoever is in the middle of the value: streams, which get a copy or keep the value, and the
//!   snapshot, which saves what it has not come to. A change that may come to nothing is a change here.
//! * *after* it, and only if it was one, whoever follows keys ([`Event`]): clients that wait for them, and listeners.
//!
//! What a command came down to ([`crate::Effect`]) its own code tells, once for all of its keys; what comes of itself,
//! keys whose time is over or that go for want of memory, is told here.

pub mod database;
mod removal;
mod upkeep;
mod whole;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use removal::KeyMove;
pub(crate) use upkeep::Upkeep;

use crate::event::Event;
use crate::shard::Shard;
use crate::table::{Content, EntryMut, OwnedEntry};
use crate::view::{Expire, WrongType};
use tessera_values::{Collection, Value, ValueRef};

impl Shard {
    /// The value of `key` is about to change where it is.
    #[inline]
    fn before_change(&mut self, db: u16, key: &[u8]) {
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

    /// `key` is about to hold something else. The entry that it has, if it cannot be used again, goes to
    /// [`Shard::dispose`].
    #[inline]
    fn before_overwrite(&mut self, db: u16, key: &[u8]) {
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

    /// Somebody is to be told of what becomes of keys.
    #[inline]
    fn are_changes_followed(&self) -> bool {
        self.waited_keys.are_there() | self.watched_keys.are_there() | self.events.are_listened_to()
    }

    /// `key` has changed, and is there.
    #[inline]
    fn after(&mut self, db: u16, key: &[u8], event: Event) {
        if self.are_changes_followed() {
            self.tell_change(db, key, event);
        }
    }

    /// `key` has come to be there.
    #[inline]
    fn after_creation(&mut self, db: u16, key: &[u8], event: Event) {
        if self.are_changes_followed() {
            self.events.tell(db, key, Event::New);
            self.tell_change(db, key, event);
        }
    }

    /// Something more has become of `key`, which is there, by a change of which something was told already.
    #[inline]
    pub(crate) fn tell_more(&mut self, db: u16, key: &[u8], event: Event) {
        self.after(db, key, event);
    }

    #[cold]
    fn tell_change(&mut self, db: u16, key: &[u8], event: Event) {
        self.waited_keys.note(db, key);
        self.watched_keys.note(db, key);
        self.events.tell(db, key, event);
    }

    /// `key` is gone, for the reason that `event` tells.
    #[inline]
    fn gone(&mut self, db: u16, key: &[u8], event: Event) {
        if self.watched_keys.are_there() | self.events.are_listened_to() {
            self.watched_keys.note(db, key);
            self.events.tell(db, key, event);
        }
    }

    /// `key` is gone, for the reason that `event` tells; to everybody it was not there any more.
    #[inline]
    fn lapsed(&mut self, db: u16, key: &[u8], event: Event) {
        if self.watched_keys.are_there() | self.events.are_listened_to() {
            self.watched_keys.note_lapse(db, key);
            self.events.tell(db, key, event);
        }
    }

    /// The entry of `key`, to be changed behind [`Shard::before_change`]; this is a use of it, if `touch` says so.
    #[inline]
    fn entry_mut(&mut self, db: u16, key: &[u8], touch: bool) -> Option<EntryMut<'_>> {
        let (now_ms, usage) = (self.now_ms(), self.settings().usage());
        let Shard { databases, random, .. } = self;
        let entry = databases[db as usize].table_mut().get_mut(key)?;
        if touch {
            let bits = entry.as_entry().usage_bits();
            let bits = usage.bits_after_use(bits, now_ms, || random.get_mut().f64());
            entry.as_entry().set_usage_bits(bits);
        }
        Some(entry)
    }

    /// Has `look` look at the entry of `key` for a write that does not change the value where it is.
    #[inline]
    pub(crate) fn look_to_write<T>(
        &mut self,
        db: u16,
        key: &[u8],
        touch: bool,
        look: impl FnOnce(crate::Entry<'_>) -> T,
    ) -> Option<T> {
        self.remove_if_expired(db, key);
        self.entry_mut(db, key, touch).map(|entry| look(entry.as_entry()))
    }

    /// Has `change` work on the entry of `key`, which it leaves with a value that is not empty, and say whether it has
    /// changed it.
    #[inline]
    pub(crate) fn change_entry<T, E>(
        &mut self,
        db: u16,
        key: &[u8],
        touch: bool,
        event: Event,
        change: impl FnOnce(&mut EntryMut<'_>) -> Result<(T, bool), E>,
    ) -> Result<Option<T>, E> {
        self.remove_if_expired(db, key);
        self.before_change(db, key);
        let Some(mut entry) = self.entry_mut(db, key, touch) else { return Ok(None) };
        let (result, has_changed) = change(&mut entry)?;
        if has_changed {
            self.after(db, key, event);
        }
        Ok(Some(result))
    }

    /// Has `change` work on the collection at `key` and say whether it has changed it. The key goes if nothing is left
    /// in it.
    #[inline]
    pub(crate) fn change_collection<C: Collection, T>(
        &mut self,
        db: u16,
        key: &[u8],
        touch: bool,
        event: Event,
        change: impl FnOnce(&mut C) -> (T, bool),
    ) -> Result<Option<T>, WrongType> {
        self.remove_if_expired(db, key);
        self.before_change(db, key);
        let Some(mut entry) = self.entry_mut(db, key, touch) else { return Ok(None) };
        let ((result, has_changed), is_empty) = entry.change_collection(change).ok_or(WrongType)?;
        if is_empty {
            // Who was in the middle of it has a copy, or is done.
            self.databases[db as usize].table_mut().remove(key);
        }
        if has_changed {
            self.after_collection_change(db, key, event, is_empty);
        }
        Ok(Some(result))
    }

    #[inline]
    fn after_collection_change(&mut self, db: u16, key: &[u8], event: Event, is_empty: bool) {
        if is_empty {
            // It is told what was done to it, though it is not there any more.
            self.gone(db, key, event);
            self.gone(db, key, Event::Del);
        } else {
            self.after(db, key, event);
        }
    }

    /// Changes how the value of `key` is kept, but not what it is.
    pub(crate) fn convert_collection<C: Collection>(
        &mut self,
        db: u16,
        key: &[u8],
        convert: impl FnOnce(&mut C),
    ) {
        self.before_change(db, key);
        if let Some(mut entry) = self.databases[db as usize].table_mut().get_mut(key) {
            entry.change_collection(convert);
        }
    }

    /// Sets `key` to `content`, whatever it held; this is a use of it, if `touch` says so.
    #[inline]
    pub(crate) fn put(
        &mut self,
        db: u16,
        key: &[u8],
        touch: bool,
        content: Content<'_>,
        expire: Expire,
        event: Event,
    ) {
        let replaces = event.replaces_key();
        if self.put_untold(db, key, touch, content, expire, replaces) || replaces {
            self.after_creation(db, key, event);
        } else {
            self.after(db, key, event);
        }
    }

    /// The same, and nobody is told afterwards. True if the key was not there. `replaces`: it begins anew also if it
    /// was.
    #[inline]
    fn put_untold(
        &mut self,
        db: u16,
        key: &[u8],
        touch: bool,
        content: Content<'_>,
        expire: Expire,
        replaces: bool,
    ) -> bool {
        self.before_overwrite(db, key);
        let (now_ms, usage) = (self.now_ms(), self.settings().usage());
        let Shard { databases, random, .. } = self;
        let table = databases[db as usize].table_mut();
        let Some(mut entry) = table.get_mut(key) else {
            let at_ms = if let Expire::AtMs(at_ms) = expire { Some(at_ms) } else { None };
            table.insert_new(OwnedEntry::new(key, content, at_ms, usage.first_bits(now_ms)));
            return true;
        };
        let before_ms = entry.as_entry().expire_at_ms();
        let expired = before_ms.is_some_and(|at_ms| now_ms > at_ms);
        let after_ms = match expire {
            Expire::Keep if expired => None,
            Expire::Keep => before_ms,
            Expire::Clear => None,
            Expire::AtMs(at_ms) => Some(at_ms),
        };
        let old = entry.put(content, after_ms);
        let entry = entry.as_entry();
        if expired || replaces {
            entry.set_usage_bits(usage.first_bits(now_ms));
        } else if touch {
            let bits = usage.bits_after_use(entry.usage_bits(), now_ms, || random.get_mut().f64());
            entry.set_usage_bits(bits);
        }
        if let Some(old) = old {
            let later = self.settings().lazy_free.server_delete;
            self.dispose(db, old, later);
        }
        if expired {
            // To everyone else the key was gone before it was set: a replica must not keep its expiry.
            self.expired(db, key);
        }
        expired
    }

    /// Puts an equal value in the place of that of `key`, which is returned for those that are in the middle of it.
    pub(crate) fn exchange_for_copy(&mut self, db: u16, key: &[u8], copy: Value) -> Option<OwnedEntry> {
        let mut entry = self.databases[db as usize].table_mut().get_mut(key)?;
        let expire_at_ms = entry.as_entry().expire_at_ms();
        entry.put(Content::Owned(copy), expire_at_ms)
    }

    /// Has `key` expire at that time, or never. False if there is no such key.
    pub(crate) fn set_expire(&mut self, db: u16, key: &[u8], at_ms: Option<i64>, event: Event) -> bool {
        if self.snapshot.is_some() {
            self.save_ahead(db, key, false);
        }
        let Some(mut entry) = self.databases[db as usize].table_mut().get_mut(key) else { return false };
        entry.set_expire(at_ms);
        self.after(db, key, event);
        true
    }
}

#[cfg(test)]
impl Shard {
    /// A fault: a key goes without anybody being told.
    pub(crate) fn remove_unnoticed(&mut self, db: u16, key: &[u8]) -> bool {
        self.databases[db as usize].table_mut().remove(key).is_some()
    }
}
