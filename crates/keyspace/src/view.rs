//! One database as a command sees it: reads cannot change it, and nobody sees an expired key.

use crate::database::Database;
use crate::effect::Effects;
use crate::entry::Entry;
use crate::shard::Shard;
use tessera_values::{StringValue, Value};

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
    pub fn peek(&self, key: &[u8]) -> Option<&'a Entry> {
        let entry = self.database().table.get(key)?;
        if entry.is_expired(self.shard.now_ms()) {
            self.shard.note_met_expired(self.db, key);
            return None;
        }
        Some(entry)
    }

    /// The entry of `key`. Counts as a hit or a miss, and as a use of the key.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<&'a Entry> {
        let found = self.peek(key);
        self.shard.note_lookup(found.is_some());
        if let Some(entry) = found
            && self.touch
        {
            entry.touch(self.shard.now_ms());
        }
        found
    }

    /// The entry of `key`. Counts as a hit or a miss, but not as a use of the key: for commands that ask about a key
    /// rather than for what it holds.
    #[inline]
    pub fn find_untouched(&self, key: &[u8]) -> Option<&'a Entry> {
        let found = self.peek(key);
        self.shard.note_lookup(found.is_some());
        found
    }

    /// The string at `key`, as [`View::find`] finds it.
    ///
    /// # Errors
    /// If the key holds something else.
    #[inline]
    pub fn string(&self, key: &[u8]) -> Result<Option<&'a StringValue>, WrongType> {
        match self.find(key).map(Entry::value) {
            None => Ok(None),
            Some(Value::String(string)) => Ok(Some(string)),
        }
    }

    /// Visits about `count` keys from a scan position on; see [`crate::table::Table::scan`]. Expired keys are
    /// passed over.
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(&Entry)) -> Option<u64> {
        let now_ms = self.now_ms();
        self.database().table.scan(position, count, |entry| {
            if !entry.is_expired(now_ms) {
                visit(entry);
            }
        })
    }

    /// A random key, each with the same chance; expired ones are not drawn.
    pub fn random_key(&self) -> Option<&'a Entry> {
        let database = self.database();
        for _ in 0..100 {
            let entry = database.table.random(&mut self.shard.random())?;
            if !entry.is_expired(self.now_ms()) {
                return Some(entry);
            }
            self.shard.note_met_expired(self.db, entry.key());
        }
        // Nearly everything has expired: take what is left, if anything.
        database.table.iter().find(|entry| !entry.is_expired(self.now_ms()))
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

    /// The database's number.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The same database to read from.
    #[inline]
    pub fn read(&self) -> View<'_> {
        View::new(self.shard, self.db, self.touch)
    }

    /// Another database of the shard. Panics if there is no such.
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
    pub fn find_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let (now_ms, touch) = (self.shard.now_ms(), self.touch);
        self.shard.remove_if_expired(self.db, key, now_ms);
        let entry = self.database_mut().table.get_mut(key)?;
        if touch {
            entry.touch(now_ms);
        }
        Some(entry)
    }

    /// The string at `key`, to be changed.
    ///
    /// # Errors
    /// If the key holds something else.
    #[inline]
    pub fn string_mut(&mut self, key: &[u8]) -> Result<Option<&mut StringValue>, WrongType> {
        match self.find_mut(key).map(Entry::value_mut) {
            None => Ok(None),
            Some(Value::String(string)) => Ok(Some(string)),
        }
    }

    /// Sets `key` to `value`, whatever it held.
    #[inline]
    pub fn put(&mut self, key: &[u8], value: impl Into<Value>, expire: Expire) {
        let now_ms = self.shard.now_ms();
        let database = &mut self.shard.databases[self.db as usize];
        let value = value.into();
        match database.table.get_mut(key) {
            Some(entry) => {
                let before_ms = entry.expire_at_ms();
                let after_ms = match expire {
                    Expire::Keep if entry.is_expired(now_ms) => None,
                    Expire::Keep => before_ms,
                    Expire::Clear => None,
                    Expire::AtMs(at_ms) => Some(at_ms),
                };
                entry.value = value;
                entry.set_expire(after_ms);
                entry.touch(now_ms);
                if before_ms != after_ms {
                    database.note_expire(before_ms, after_ms);
                }
            }
            None => {
                let at_ms = if let Expire::AtMs(at_ms) = expire { Some(at_ms) } else { None };
                database.insert_new(Entry::new(key, value, at_ms, now_ms));
            }
        }
    }

    /// Removes `key` and returns its value and expiry, if it was there and its time not over.
    pub fn remove(&mut self, key: &[u8]) -> Option<(Value, Option<i64>)> {
        let now_ms = self.shard.now_ms();
        if self.shard.remove_if_expired(self.db, key, now_ms) {
            return None;
        }
        self.database_mut().remove(key).map(Entry::into_parts)
    }

    /// Sets or clears the expiry of `key`. False if there is no such key.
    pub fn set_expire(&mut self, key: &[u8], at_ms: Option<i64>) -> bool {
        let database = self.database_mut();
        let Some(entry) = database.table.get_mut(key) else { return false };
        let before_ms = entry.expire_at_ms();
        entry.set_expire(at_ms);
        database.note_expire(before_ms, at_ms);
        true
    }
}
