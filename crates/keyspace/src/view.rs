//! One database as a command sees it: reads cannot change it, and nobody sees an expired key.

use crate::change::Database;
use crate::effect::Effects;
use crate::event::Event;
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

    /// Fields of some hash of the database have expired and are still there.
    #[inline]
    pub fn has_due_fields(&self) -> bool {
        self.database().table().has_due_fields(self.now_ms())
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

    /// Another database of the shard. Panics if there is no such: commands ask for its number with
    /// [`Shard::databases_len`] first.
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

    /// Has `look` look at the entry of `key`, for a write that does not change the value where it is: nobody who is in
    /// the middle of that need be minded. Counts as a use, but not as hit or miss, as in Redis.
    #[inline]
    pub fn look_to_write<T>(&mut self, key: &[u8], look: impl FnOnce(Entry<'_>) -> T) -> Option<T> {
        self.shard.look_to_write(self.db, key, self.touch, look)
    }

    /// There is such a key, for a write that does not change its value where it is: see [`ViewMut::look_to_write`].
    #[inline]
    pub fn has_to_write(&mut self, key: &[u8]) -> bool {
        self.look_to_write(key, |_| ()).is_some()
    }

    /// Has `change` work on the string at `key`, and say whether it has changed it: only then is `event` told. `None`
    /// if there is no such key. Counts as a use, but not as hit or miss, as in Redis.
    ///
    /// # Errors
    /// If the key holds something else, and what `change` fails with; it has changed nothing then.
    #[inline]
    pub fn change_string<T, E: From<WrongType>>(
        &mut self,
        key: &[u8],
        event: Event,
        change: impl FnOnce(&mut EntryMut<'_>) -> Result<(T, bool), E>,
    ) -> Result<Option<T>, E> {
        self.shard.change_entry(self.db, key, self.touch, event, |entry| match entry.as_entry().value() {
            ValueRef::String(_) => change(entry),
            _ => Err(WrongType.into()),
        })
    }

    /// Has `change` work on the collection at `key`, and say whether it has changed it: only then is `event` told. The
    /// key goes if nothing is left in it. `None` if there is no such key.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn change<C: Collection, T>(
        &mut self,
        key: &[u8],
        event: Event,
        change: impl FnOnce(&mut C) -> (T, bool),
    ) -> Result<Option<T>, WrongType> {
        self.shard.change_collection(self.db, key, self.touch, event, change)
    }

    /// Has a sorted set at `key` be kept as a large one, however small it is. What it holds stays as it is.
    pub fn enlarge_sorted_set(&mut self, key: &[u8]) {
        let thresholds = self.settings().thresholds;
        let is_small = |entry: Entry<'_>| {
            matches!(entry.value(), ValueRef::SortedSet(_)) && entry.value().as_flat().is_some()
        };
        if self.read().peek(key).is_some_and(is_small) {
            self.shard.convert_collection(self.db, key, |set: &mut SortedSet| set.enlarge(&thresholds));
        }
    }

    /// As [`ViewMut::change`], beginning with an empty collection if there is no such key. A collection that is still
    /// empty afterwards is not kept.
    ///
    /// # Errors
    /// If the key holds something else.
    pub fn change_or_create<C: Collection + Default, T>(
        &mut self,
        key: &[u8],
        event: Event,
        change: impl FnOnce(&mut C) -> (T, bool),
    ) -> Result<T, WrongType> {
        let mut change = Some(change);
        let mut once = |collection: &mut C| match change.take() {
            Some(change) => {
                let (result, has_changed) = change(collection);
                (Some(result), has_changed)
            }
            None => (None, false),
        };
        if let Some(result) = self.change(key, event, &mut once)? {
            return Ok(result.expect("it was called for the first time"));
        }
        let mut collection = C::default();
        let (result, _) = once(&mut collection);
        if !collection.is_empty() {
            self.put(key, collection, Expire::Clear, event);
        }
        Ok(result.expect("without a key it was not called"))
    }

    /// Sets `key` to `value`, whatever it held.
    #[inline]
    pub fn put(&mut self, key: &[u8], value: impl Into<Value>, expire: Expire, event: Event) {
        self.shard.put(self.db, key, self.touch, Content::Owned(value.into()), expire, event);
    }

    /// Sets `key` to the string `bytes`, whatever it held. One lookup if the key is there, and no new allocation
    /// where what it held took a block of the same length.
    #[inline]
    pub fn put_string(&mut self, key: &[u8], bytes: &[u8], expire: Expire, event: Event) {
        let content = match canonical_integer(bytes) {
            Some(integer) => Content::Integer(integer),
            None => Content::Bytes(bytes),
        };
        self.shard.put(self.db, key, self.touch, content, expire, event);
    }

    /// Tells something more of `key`, which is there and was changed: SET with a time sets it and has it expire.
    #[inline]
    pub fn tell_more(&mut self, key: &[u8], event: Event) {
        self.shard.tell_more(self.db, key, event);
    }

    /// Removes `key` and returns its value and expiry, if it was there and its time not over.
    pub fn remove(&mut self, key: &[u8], event: Event) -> Option<(Value, Option<i64>)> {
        self.shard.take(self.db, key, event).map(OwnedEntry::into_parts)
    }

    /// Removes `key`. False if it was not there or its time was over.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let later = self.settings().lazy_free.server_delete;
        self.delete_and_free(key, later)
    }

    /// The same, and says whether a large value is freed later.
    pub fn delete_and_free(&mut self, key: &[u8], later: bool) -> bool {
        self.shard.delete(self.db, key, later)
    }

    /// Remembers how long `key`, which is there, was idle, or how often it was used, whichever of both is known and
    /// remembered at all.
    pub fn set_usage(&mut self, key: &[u8], idle_s: Option<u64>, frequency: Option<u8>) {
        let (now_ms, usage) = (self.shard.now_ms(), self.shard.settings().usage());
        let Some(bits) = usage.known_bits(now_ms, idle_s, frequency) else { return };
        if let Some(entry) = self.shard.database(self.db).table().get(key) {
            entry.set_usage_bits(bits);
        }
    }

    /// Leaves the rest of a write's reply to a stream about what `key` holds now, whatever the write does to it
    /// afterwards. Whoever runs the command finds it in [`Shard::take_begun_stream`].
    pub fn stream(&mut self, key: &[u8], stream: Box<dyn Stream>) {
        let id = self.shard.open_stream(self.db, key, stream);
        self.shard.streams.begun = Some(id);
    }

    /// Has `key` expire at `at_ms`, in Unix milliseconds, or never. False if there is no such key.
    pub fn set_expire(&mut self, key: &[u8], at_ms: Option<i64>) -> bool {
        let event = if at_ms.is_some() { Event::Expire } else { Event::Persist };
        self.shard.set_expire(self.db, key, at_ms, event)
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
            db.put_string(b"key", bytes, expire, Event::Set);
            let entry = db.read().find(b"key").unwrap();
            assert_eq!(entry.value(), Value::String(StringValue::new(bytes)).as_ref());
            assert_eq!(entry.expire_at_ms(), after_ms);
        }
        assert_eq!(shard.database(0).volatile_len(), 0);
    }

    #[test]
    fn an_expired_key_put_anew_counts_as_expired_and_loses_its_expiry() {
        let mut shard = Shard::new(1, 1);
        shard.effects_mut().set_recording(true);
        shard.view_mut(0, true).put_string(b"key", b"old", Expire::AtMs(10), Event::Set);
        shard.set_now_ms(11);
        shard.view_mut(0, true).put_string(b"key", b"new", Expire::Keep, Event::Set);
        let found = shard.view(0, true).string(b"key").unwrap().unwrap();
        assert_eq!(found.as_bytes(&mut Digits::new()), b"new");
        assert_eq!(shard.stats().expired_keys, 1);
        let effects = shard.effects_mut().take();
        assert_eq!(effects.len(), 1);
        assert!(effects[0].1.as_args().iter().eq([b"DEL", b"key"]));
    }
}
