//! How keys go: because somebody said so, because their time is over, or because memory is short.

use crate::event::Event;
use crate::shard::Shard;
use crate::table::{Content, OwnedEntry};
use crate::view::Expire;
use tessera_values::Hash;

/// What a key was that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    /// It was there.
    There,
    /// Its time was over, so that it was as if it were not there.
    Over,
    /// The time of all of its fields was over: the same.
    WithoutFields,
}

/// What became of a key that was removed.
#[derive(Clone, Copy, Debug)]
struct Removed {
    /// Whether it was there for anybody.
    was: Was,
    /// Memory that is free now, in bytes.
    freed_bytes: usize,
}

/// From where to where a value goes: databases and keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyMove<'a> {
    /// The database where it is, and the key.
    pub from: (u16, &'a [u8]),
    /// What the old key is told.
    pub from_event: Event,
    /// The database where it goes, and the key.
    pub to: (u16, &'a [u8]),
    /// What the new key is told.
    pub to_event: Event,
}

impl Shard {
    /// Removes `key` and frees what it held as soon as nobody is in the middle of it; `later`: and if it is large,
    /// later.
    fn remove_entry(&mut self, db: u16, key: &[u8], later: bool) -> Option<Removed> {
        if self.snapshot.is_some() {
            self.save_ahead(db, key, false);
        }
        self.remove_unsaved(db, key, later)
    }

    /// The same for a key whose time is over, which a snapshot does without.
    fn remove_unsaved(&mut self, db: u16, key: &[u8], later: bool) -> Option<Removed> {
        let entry = self.databases[db as usize].table_mut().remove(key)?;
        let (found, now_ms) = (entry.as_entry(), self.now_ms());
        let was = match () {
            () if found.is_expired(now_ms) => Was::Over,
            () if found.has_only_expired_fields(now_ms) => Was::WithoutFields,
            () => Was::There,
        };
        let bytes = found.allocated_bytes();
        let later = if was == Was::There { later } else { self.settings().lazy_free.expire };
        let is_held = self.dispose(db, entry, later);
        Some(Removed { was, freed_bytes: if is_held { 0 } else { bytes } })
    }

    /// Removes `key`. False if it was not there or its time was over.
    pub(crate) fn delete(&mut self, db: u16, key: &[u8], later: bool) -> bool {
        let Some(Removed { was, .. }) = self.remove_entry(db, key, later) else { return false };
        if was == Was::There {
            self.gone(db, key, Event::Del);
        } else {
            self.was_over(db, key, was);
        }
        was == Was::There
    }

    /// Takes `key` and what it holds out of the table, to be used for something else.
    pub(crate) fn take(&mut self, db: u16, key: &[u8], event: Event) -> Option<OwnedEntry> {
        let entry = self.take_untold(db, key)?;
        self.gone(db, key, event);
        Some(entry)
    }

    fn take_untold(&mut self, db: u16, key: &[u8]) -> Option<OwnedEntry> {
        if self.remove_if_expired(db, key) {
            return None;
        }
        self.before_change(db, key);
        self.databases[db as usize].table_mut().remove(key)
    }

    /// Has what one key holds go to another, with its expiry, whatever that held. False if there is nothing to go.
    ///
    /// As in Redis, the new key comes first, the old one goes, and then both are told what has happened.
    pub fn move_key(&mut self, key_move: KeyMove<'_>) -> bool {
        let ((from_db, from_key), (to_db, to_key)) = (key_move.from, key_move.to);
        let Some(entry) = self.take_untold(from_db, from_key) else { return false };
        let (value, expire_at_ms) = entry.into_parts();
        if self.watched_keys.are_there() {
            self.watched_keys.note(from_db, from_key);
        }
        if self.events.are_listened_to() {
            self.remove_if_expired(to_db, to_key);
            self.events.tell(to_db, to_key, Event::New);
            self.events.tell(from_db, from_key, key_move.from_event);
        }
        let expire = expire_at_ms.map_or(Expire::Clear, Expire::AtMs);
        self.put_untold(to_db, to_key, false, Content::Owned(value), expire, true);
        self.after(to_db, to_key, key_move.to_event);
        true
    }

    /// Removes `key` because memory is short. Returns how much is free now, in bytes: of a large value nothing yet, nor
    /// of one that somebody is in the middle of.
    pub(crate) fn evict_key(&mut self, db: u16, key: &[u8]) -> Option<usize> {
        let later = self.settings().lazy_free.eviction;
        let removed = self.remove_entry(db, key, later)?;
        self.effects.record(db, &[b"DEL", key]);
        self.evicted_keys += 1;
        match removed.was {
            Was::Over => self.lapsed(db, key, Event::Evicted),
            Was::There | Was::WithoutFields => self.gone(db, key, Event::Evicted),
        }
        Some(removed.freed_bytes)
    }

    /// `key` is gone, which nobody has seen any more.
    #[cold]
    fn was_over(&mut self, db: u16, key: &[u8], was: Was) {
        if was == Was::WithoutFields {
            self.effects.record(db, &[b"DEL", key]);
            self.gone(db, key, Event::HExpired);
            self.gone(db, key, Event::Del);
        } else {
            self.expired(db, key);
        }
    }

    /// `key` is gone because its time was over.
    #[cold]
    pub(super) fn expired(&mut self, db: u16, key: &[u8]) {
        self.effects.record(db, &[b"DEL", key]);
        self.note_expired_keys(1);
        self.lapsed(db, key, Event::Expired);
    }

    /// Removes `key` if its time is over. True if it was.
    #[inline]
    pub fn remove_if_expired(&mut self, db: u16, key: &[u8]) -> bool {
        let (database, now_ms) = (&self.databases[db as usize], self.now_ms());
        let none_is_due = database.volatile_len() == 0 && !database.table().has_due_fields(now_ms);
        let is_over = |found| database.table().is_over(found, now_ms);
        if none_is_due || !database.table().get(key).is_some_and(is_over) {
            return false;
        }
        if let Some(Removed { was, .. }) = self.remove_unsaved(db, key, true) {
            self.was_over(db, key, was);
        }
        true
    }

    /// Removes some keys of a database whose time is over, a segment's. How many; `None` if none is due.
    pub(crate) fn remove_some_expired(&mut self, db: u16) -> Option<usize> {
        let now_ms = self.now_ms();
        let taken = self.databases[db as usize].table_mut().take_expired(now_ms)?;
        let removed = taken.len();
        for entry in taken {
            self.expired(db, entry.as_entry().key());
            let later = self.settings().lazy_free.expire;
            self.dispose(db, entry, later);
        }
        Some(removed)
    }

    /// Removes up to `fields_max` fields of the hash at `key` whose time is over, and the key with the last.
    pub(crate) fn remove_expired_fields(&mut self, db: u16, key: &[u8], fields_max: usize) {
        let now_ms = self.now_ms();
        if self.streams.are_of_keys() {
            // A snapshot does without what has expired.
            self.copy_for_readers(db, key);
        }
        let mut fields: Vec<Vec<u8>> = Vec::new();
        let table = self.databases[db as usize].table_mut();
        let changed = table.get_mut(key).and_then(|mut entry| {
            entry.change_collection(|hash: &mut Hash| {
                hash.remove_expired_fields(now_ms, fields_max, |field| fields.push(field.to_vec()));
            })
        });
        let is_empty = matches!(changed, Some(((), true)));
        if is_empty {
            table.remove(key);
        }
        if fields.is_empty() {
            return;
        }
        if self.effects.is_recording() {
            let fields = fields.iter().map(Vec::as_slice);
            let words: Vec<&[u8]> = [b"HDEL".as_slice(), key].into_iter().chain(fields).collect();
            self.effects.record(db, &words);
        }
        self.after_collection_change(db, key, Event::HExpired, is_empty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_values::hash::FieldExpire;

    /// A shard with a key whose time is over at 11, and a hash whose only field's is.
    fn shard() -> Shard {
        let mut shard = Shard::new(1, 1);
        let thresholds = shard.settings().thresholds;
        let mut db = shard.view_mut(0, true);
        db.put_string(b"key", b"v", Expire::AtMs(10), Event::Set);
        let added: Result<(), _> = db.change_or_create(b"hash", Event::HSet, |hash: &mut Hash| {
            hash.set(b"field", b"v", FieldExpire::AtMs(10), &thresholds);
            ((), true)
        });
        added.expect("no other type");
        shard.events.set_listened(true);
        shard.effects_mut().set_recording(true);
        shard.set_now_ms(11);
        shard
    }

    fn told(shard: &mut Shard) -> Vec<(Vec<u8>, Event)> {
        shard.events.take().into_iter().map(|told| (told.key.into(), told.event)).collect()
    }

    #[test]
    fn keys_that_are_over_are_told_of_by_what_was_over() {
        for remove in
            [Shard::remove_if_expired, |shard: &mut Shard, db, key: &[u8]| !shard.delete(db, key, false)]
        {
            let mut shard = shard();
            assert!(remove(&mut shard, 0, b"key") && remove(&mut shard, 0, b"hash"));
            let expected = [
                (b"key".to_vec(), Event::Expired),
                (b"hash".to_vec(), Event::HExpired),
                (b"hash".to_vec(), Event::Del),
            ];
            assert_eq!(told(&mut shard), expected);
            // As in Redis, a hash that has lost its fields is no key that has expired.
            assert_eq!(shard.stats().expired_keys, 1);
            assert_eq!(shard.effects_mut().take().len(), 2);
        }
    }
}
