//! One database as a command sees it: reads cannot change it, and nobody sees an expired key.

use crate::database::Database;
use crate::effect::Effects;
use crate::shard::{Shard, ShardSettings};
use crate::stream::Stream;
use crate::table::{Content, Entry, EntryMut, OwnedEntry};
use tessera_values::string::canonical_integer;
use tessera_values::{Collection, SortedSet, StringRef, Value, ValueRef};

/// The key holds another type than the command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// What becomes of a key's expiry when its value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expire {
    /// It stays as it was.
    Keep,
    /// The key lives on without end.
    Clear,
    /// The key expires at this Unix time in milliseconds.
    AtMs(i64),
}

/// A database to read from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    shard: &'a Shard,
    db: u16,
    touch: bool,
}

impl<'a> View<'a> {
    #[inline]
    pub(crate) fn new(shard: &'a Shard, db: u16, touch: bool) -> View<'a> {
        View { shard, db, touch }
    }

    /// The time, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.shard.now_ms()
    }

    /// What the configuration says.
    #[inline]
    pub fn settings(&self) -> ShardSettings {
        self.shard.settings()
    }

    /// The database's number.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The whole shard, for commands on more than one database.
    pub fn shard(&self) -> &'a Shard {
        self.shard
    }

    /// The database as a whole.
    pub fn database(&self) -> &'a Database {
        self.shard.database(self.db)
    }

    /// The entry of `key`, without counting this as a use.
    #[inline]
    pub fn peek(&self, key: &[u8]) -> Option<Entry<'a>> {
        let entry = self.database().table().get(key)?;
        if self.database().table().is_over(entry, self.shard.now_ms()) {
            self.shard.note_met_expired(self.db, key);
            return None;
        }
        Some(entry)
    }

    /// The entry of `key`. Counts as a hit or a miss, and as a use of the key.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<Entry<'a>> {
        let found = self.peek(key);
        self.shard.note_lookup(found.is_some());
        if let Some(entry) = found
            && self.touch
        {
            self.shard.note_use(entry);
        }
        found
    }

    /// The entry of `key`. Counts as a hit or a miss, but not as a use of the key: for commands that ask about a key
    /// rather than for what it holds.
    #[inline]
    pub fn find_untouched(&self, key: &[u8]) -> Option<Entry<'a>> {
        let found = self.peek(key);
        self.shard.note_lookup(found.is_some());
        found
    }

    /// The string at `key`, as [`View::find`] finds it.
    ///
    /// # Errors
    /// If the key holds something else.
    #[inline]
    pub fn string(&self, key: &[u8]) -> Result<Option<StringRef<'a>>, WrongType> {
        match self.find(key).map(Entry::value) {
            None => Ok(None),
            Some(ValueRef::String(string)) => Ok(Some(string)),
            Some(_) => Err(WrongType),
        }
    }

    /// The collection at `key`, as [`View::find`] finds it.
    ///
    /// # Errors
    /// If the key holds something else.
    #[inline]
    pub fn collection<C: Collection>(&self, key: &[u8]) -> Result<Option<C::Ref<'a>>, WrongType> {
        match self.find(key).map(Entry::value) {
            None => Ok(None),
            Some(value) => C::of_ref(value).map(Some).ok_or(WrongType),
        }
    }

    /// Visits about `count` keys from a scan position on; see [`crate::Table::scan`]. Expired keys are
    /// passed over, and noted to be removed.
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(Entry<'_>)) -> Option<u64> {
        let (now_ms, table) = (self.now_ms(), self.database().table());
        table.scan(position, count, |entry| {
            if table.is_over(entry, now_ms) {
                self.shard.note_met_expired(self.db, entry.key());
            } else {
                visit(entry);
            }
        })
    }

    /// A random key, each with the same chance; expired ones are not drawn.
    pub fn random_key(&self) -> Option<Entry<'a>> {
        let database = self.database();
        for _ in 0..100 {
            let entry = database.table().random(&mut self.shard.random())?;
            if !database.table().is_over(entry, self.now_ms()) {
                return Some(entry);
            }
            self.shard.note_met_expired(self.db, entry.key());
        }
        // Nearly everything has expired: take what is left, if anything.
        database.table().iter().find(|entry| !database.table().is_over(*entry, self.now_ms()))
    }
}

/// A database to write to. It also reads: the same key may be looked at before it is changed.
pub struct ViewMut<'a> {
    shard: &'a mut Shard,
    db: u16,
    touch: bool,
}

impl<'a> ViewMut<'a> {
    #[inline]
    pub(crate) fn new(shard: &'a mut Shard, db: u16, touch: bool) -> ViewMut<'a> {
        ViewMut { shard, db, touch }
    }

    /// The time, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.shard.now_ms()
    }

    /// What the configuration says.
    #[inline]
    pub fn settings(&self) -> ShardSettings {
        self.shard.settings()
    }

    /// The database's number.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The same database to read from.
    #[inline]
    pub fn read(&self) -> View<'_> {
        View::new(self.shard, self.db, self.touch)
    }

    /// Another database of the shard. Panics if there is no such: commands ask for its number with [`Shard::databases_len`] first.
    pub fn other(&mut self, db: u16) -> ViewMut<'_> {
        assert!(usize::from(db) < self.shard.databases_len());
        ViewMut::new(self.shard, db, self.touch)
    }

    /// The whole shard, for commands on more than one database.
    pub fn shard_mut(&mut self) -> &mut Shard {
        self.shard
    }

    /// The recorder of rewritten effects.
    pub fn effects(&mut self) -> &mut Effects {
        &mut self.shard.effects
    }

    /// Notes a command of this database as (part of) the effect.
    pub fn record(&mut self, words: &[&[u8]]) {
        self.shard.effects.record(self.db, words);
    }

    #[inline]
    fn database_mut(&mut self) -> &mut Database {
        &mut self.shard.databases[self.db as usize]
    }

    /// The entry of `key`, to be changed; use [`ViewMut::set_expire`] for its expiry. Does not count as hit or
    /// miss, as in Redis.
    #[inline]
    pub fn find_mut(&mut self, key: &[u8]) -> Option<EntryMut<'_>> {
        let now_ms = self.shard.now_ms();
        self.shard.remove_if_expired(self.db, key, now_ms);
        self.shard.before_change(self.db, key);
        self.find_unwatched(key)
    }

    /// Has `look` look at the entry of `key`, for a write that does not change the value where it is: nobody who is in the middle of
    /// that need be minded. Counts as a use as with [`ViewMut::find_mut`].
    #[inline]
    pub fn look_to_write<T>(&mut self, key: &[u8], look: impl FnOnce(Entry<'_>) -> T) -> Option<T> {
        let now_ms = self.shard.now_ms();
        self.shard.remove_if_expired(self.db, key, now_ms);
        self.find_unwatched(key).map(|entry| look(entry.as_entry()))
    }

    /// There is such a key, for a write that does not change its value where it is: see [`ViewMut::look_to_write`].
    #[inline]
    pub fn has_to_write(&mut self, key: &[u8]) -> bool {
        self.look_to_write(key, |_| ()).is_some()
    }

    #[inline]
    fn find_unwatched(&mut self, key: &[u8]) -> Option<EntryMut<'_>> {
        let now_ms = self.shard.now_ms();
        let (touch, settings) = (self.touch, self.shard.settings());
        let Shard { databases, random, .. } = &mut *self.shard;
        let entry = databases[self.db as usize].table_unwatched().get_mut(key)?;
        if touch {
            let bits = entry.as_entry().usage_bits();
            let bits = settings.usage().bits_after_use(bits, now_ms, || random.get_mut().f64());
            entry.as_entry().set_usage_bits(bits);
        }
        Some(entry)
    }

    /// The string at `key`, to be changed.
    ///
    /// # Errors
    /// If the key holds something else.
    #[inline]
    pub fn string_mut(&mut self, key: &[u8]) -> Result<Option<EntryMut<'_>>, WrongType> {
        match self.find_mut(key) {
            None => Ok(None),
            Some(entry) => match entry.as_entry().value() {
                ValueRef::String(_) => Ok(Some(entry)),
                _ => Err(WrongType),
            },
        }
    }

    /// Has `change` work on the collection at `key`, and removes the key if nothing is left in it. `None` if there is no
    /// such key.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn change<C: Collection, T>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut C) -> T,
    ) -> Result<Option<T>, WrongType> {
        let Some(mut entry) = self.find_mut(key) else { return Ok(None) };
        let (result, is_empty) = entry.change_collection(change).ok_or(WrongType)?;
        if is_empty {
            // Who was in the middle of it has a copy, or is done.
            self.database_mut().table_unwatched().remove(key);
        }
        Ok(Some(result))
    }

    /// Has a sorted set at `key` be kept as a large one, however small it is. What it holds stays as it is.
    pub fn enlarge_sorted_set(&mut self, key: &[u8]) {
        let thresholds = self.settings().thresholds;
        if self.read().peek(key).is_none() {
            return;
        }
        self.shard.before_change(self.db, key);
        if let Some(mut entry) = self.database_mut().table_unwatched().get_mut(key) {
            entry.change_collection(|set: &mut SortedSet| set.enlarge(&thresholds));
        }
    }

    /// As [`ViewMut::change`], beginning with an empty collection if there is no such key. A collection that is still empty
    /// afterwards is not kept.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn change_or_create<C: Collection + Default, T>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut C) -> T,
    ) -> Result<T, WrongType> {
        let mut change = Some(change);
        let mut once = |collection: &mut C| change.take().map(|change| change(collection));
        if let Some(result) = self.change(key, &mut once)? {
            return Ok(result.expect("it was called for the first time"));
        }
        let mut collection = C::default();
        let result = once(&mut collection).expect("without a key it was not called");
        if !collection.is_empty() {
            self.put(key, collection, Expire::Clear);
        }
        Ok(result)
    }

    /// Sets `key` to `value`, whatever it held.
    #[inline]
    pub fn put(&mut self, key: &[u8], value: impl Into<Value>, expire: Expire) {
        self.put_content(key, Content::Owned(value.into()), expire);
        self.shard.waited_keys.note(self.db, key);
    }

    /// Sets `key` to the string `bytes`, whatever it held. One lookup if the key is there, and no new allocation
    /// where what it held took a block of the same length.
    #[inline]
    pub fn put_string(&mut self, key: &[u8], bytes: &[u8], expire: Expire) {
        let content = match canonical_integer(bytes) {
            Some(integer) => Content::Integer(integer),
            None => Content::Bytes(bytes),
        };
        self.put_content(key, content, expire);
    }

    #[inline]
    fn put_content(&mut self, key: &[u8], content: Content<'_>, expire: Expire) {
        self.shard.before_overwrite(self.db, key);
        let ShardSettings { lazy_free, .. } = self.shard.settings();
        let (now_ms, usage) = (self.shard.now_ms(), self.shard.settings().usage());
        let Shard { databases, random, .. } = &mut *self.shard;
        let table = databases[self.db as usize].table_unwatched();
        let Some(mut entry) = table.get_mut(key) else {
            let at_ms = if let Expire::AtMs(at_ms) = expire { Some(at_ms) } else { None };
            table.insert_new(OwnedEntry::new(key, content, at_ms, usage.first_bits(now_ms)));
            return;
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
        let bits = usage.bits_after_use(entry.usage_bits(), now_ms, || random.get_mut().f64());
        entry.set_usage_bits(if expired { usage.first_bits(now_ms) } else { bits });
        if let Some(old) = old {
            self.shard.dispose(self.db, old, lazy_free.server_delete);
        }
        if expired {
            // To everyone else the key was gone before it was set: a replica must not keep its expiry.
            self.shard.effects.record(self.db, &[b"DEL", key]);
            self.shard.note_expired_keys(1);
        }
    }

    /// Removes `key` and returns its value and expiry, if it was there and its time not over.
    pub fn remove(&mut self, key: &[u8]) -> Option<(Value, Option<i64>)> {
        self.take(key).map(OwnedEntry::into_parts)
    }

    /// Removes `key`. False if it was not there or its time was over.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let later = self.settings().lazy_free.server_delete;
        self.delete_and_free(key, later)
    }

    /// The same, and says whether a large value is freed later.
    pub fn delete_and_free(&mut self, key: &[u8], later: bool) -> bool {
        match self.shard.remove_entry(self.db, key, later) {
            Some(removed) if removed.was_over => {
                self.note_over(key);
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    fn take(&mut self, key: &[u8]) -> Option<OwnedEntry> {
        let (db, now_ms) = (self.db, self.shard.now_ms());
        if self.shard.remove_if_expired(db, key, now_ms) {
            return None;
        }
        self.shard.take_entry(db, key)
    }

    /// A key was met whose time was over.
    fn note_over(&mut self, key: &[u8]) {
        self.record(&[b"DEL", key]);
        self.shard.note_expired_keys(1);
    }

    /// Remembers how long `key`, which is there, was idle, or how often it was used, whichever of both is known and
    /// remembered at all.
    pub fn set_usage(&mut self, key: &[u8], idle_s: Option<u64>, frequency: Option<u8>) {
        let (now_ms, usage) = (self.shard.now_ms(), self.shard.settings().usage());
        let Some(bits) = usage.known_bits(now_ms, idle_s, frequency) else { return };
        if let Some(entry) = self.database_mut().table_unwatched().get_mut(key) {
            entry.as_entry().set_usage_bits(bits);
        }
    }

    /// Leaves the rest of a write's reply to a stream about what `key` holds now, whatever the write does to it afterwards. Whoever
    /// runs the command finds it in [`Shard::take_begun_stream`].
    pub fn stream(&mut self, key: &[u8], stream: Box<dyn Stream>) {
        let id = self.shard.open_stream(self.db, key, stream);
        self.shard.streams.begun = Some(id);
    }

    /// Sets or clears the expiry of `key`. False if there is no such key.
    pub fn set_expire(&mut self, key: &[u8], at_ms: Option<i64>) -> bool {
        self.shard.before_change_of_expiry(self.db, key);
        let Some(mut entry) = self.database_mut().table_unwatched().get_mut(key) else { return false };
        entry.set_expire(at_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_values::{Digits, StringValue};

    #[test]
    fn a_string_put_over_another_replaces_value_and_expiry() {
        let mut shard = Shard::new(1, 1);
        shard.set_now_ms(1000);
        let mut db = shard.view_mut(0, true);
        for (bytes, expire, after_ms) in [
            (b"first".as_slice(), Expire::AtMs(5000), Some(5000)),
            (b"other", Expire::Keep, Some(5000)),
            (b"12345", Expire::Keep, Some(5000)),
            (b"54321", Expire::Clear, None),
            (b"a longer one", Expire::Keep, None),
        ] {
            db.put_string(b"key", bytes, expire);
            let entry = db.read().find(b"key").unwrap();
            assert_eq!(entry.value(), Value::String(StringValue::new(bytes)).as_ref());
            assert_eq!(entry.expire_at_ms(), after_ms);
        }
        assert_eq!(shard.database(0).volatile_len(), 0);
    }

    #[test]
    fn an_expired_key_put_anew_counts_as_expired_and_loses_its_expiry() {
        let mut shard = Shard::new(1, 1);
        shard.effects_mut().set_wanted(true);
        shard.view_mut(0, true).put_string(b"key", b"old", Expire::AtMs(10));
        shard.set_now_ms(11);
        shard.view_mut(0, true).put_string(b"key", b"new", Expire::Keep);
        let found = shard.view(0, true).string(b"key").unwrap().unwrap();
        assert_eq!(found.as_bytes(&mut Digits::new()), b"new");
        assert_eq!(shard.stats().expired_keys, 1);
        let effects = shard.effects_mut().take();
        assert_eq!(effects.len(), 1);
        assert!(effects[0].1.as_args().iter().eq([b"DEL", b"key"]));
    }
}
