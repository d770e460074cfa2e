//! Keys that clients watch: WATCH remembers how a key was, and EXEC asks whether it is still so.
//!
//! Whoever watches keeps a [`WatchStamp`]; here are only counters for each key that is watched, and nobody's name. As
//! in Redis it is a change if somebody has changed the key, also if it is again what it was, and if its time is over
//! since; a key whose time was over already when it was first watched may be removed.

use crate::shard::Shard;
use std::collections::BTreeMap;
use std::ops::Bound;

/// How a key was when somebody began to watch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchStamp {
    changes: u64,
    lapses: u64,
    /// Its time was over, and it was there still.
    was_over: bool,
}

#[derive(Debug, Default)]
struct Watched {
    watchers: usize,
    /// How often it was changed.
    changes: u64,
    /// How often it was removed because its time was over.
    lapses: u64,
    /// SWAPDB has brought a key whose time was over where there was none: to everybody there is none still.
    came_over: bool,
}

/// All keys of a shard that are watched.
#[derive(Debug, Default)]
pub(crate) struct WatchedKeys {
    keys: BTreeMap<(u16, Box<[u8]>), Watched>,
}

/// What there is at a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    Over,
    Alive,
}

impl WatchedKeys {
    /// Somebody watches some key.
    #[inline]
    pub(crate) fn are_there(&self) -> bool {
        !self.keys.is_empty()
    }

    /// A key has changed, or is gone.
    #[cold]
    pub(crate) fn note(&mut self, db: u16, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(&(db, key.into())) {
            watched.changes += 1;
            watched.came_over = false;
        }
    }

    /// A key is gone whose time was over.
    #[cold]
    pub(crate) fn note_lapse(&mut self, db: u16, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(&(db, key.into()))
            && !std::mem::take(&mut watched.came_over)
        {
            watched.lapses += 1;
        }
    }

    /// The keys of a database that are watched.
    fn of_database(&self, db: u16) -> Vec<Box<[u8]>> {
        let from = (db, Box::default());
        let rest = self.keys.range((Bound::Included(from), Bound::Unbounded));
        rest.take_while(|((other, _), _)| *other == db).map(|((_, key), _)| key.clone()).collect()
    }
}

impl Shard {
    /// Somebody more watches a key: how it is now, for [`Shard::is_unchanged`]. To be ended by [`Shard::unwatch`].
    pub fn watch(&mut self, db: u16, key: &[u8]) -> WatchStamp {
        let was_over = self.there(db, key) == There::Over;
        let watched = self.watched_keys.keys.entry((db, key.into())).or_default();
        watched.watchers += 1;
        WatchStamp { changes: watched.changes, lapses: watched.lapses, was_over }
    }

    /// One of those who watch a key does so no more.
    pub fn unwatch(&mut self, db: u16, key: &[u8]) {
        let place = (db, key.into());
        if let Some(watched) = self.watched_keys.keys.get_mut(&place) {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                self.watched_keys.keys.remove(&place);
            }
        }
    }

    /// A key that is watched is as it was then.
    pub fn is_unchanged(&self, db: u16, key: &[u8], stamp: WatchStamp) -> bool {
        let Some(watched) = self.watched_keys.keys.get(&(db, key.into())) else { return false };
        let is_over = || self.there(db, key) == There::Over && !watched.came_over;
        watched.changes == stamp.changes && (stamp.was_over || watched.lapses == stamp.lapses && !is_over())
    }

    /// How many keys are watched.
    pub fn watched_keys_len(&self) -> usize {
        self.watched_keys.keys.len()
    }

    fn there(&self, db: u16, key: &[u8]) -> There {
        let table = self.databases[db as usize].table();
        match table.get(key) {
            None => There::Nothing,
            Some(found) if table.is_over(found, self.now_ms()) => There::Over,
            Some(_) => There::Alive,
        }
    }

    /// All of a database is about to go.
    #[cold]
    pub(crate) fn before_watched_flush(&mut self, db: u16) {
        for key in self.watched_keys.of_database(db) {
            match self.there(db, &key) {
                There::Nothing => {}
                There::Over => self.watched_keys.note_lapse(db, &key),
                There::Alive => self.watched_keys.note(db, &key),
            }
        }
    }

    /// Two databases are about to be exchanged.
    #[cold]
    pub(crate) fn before_watched_swap(&mut self, first: u16, second: u16) {
        if first == second {
            return;
        }
        for (db, other) in [(first, second), (second, first)] {
            for key in self.watched_keys.of_database(db) {
                match (self.there(db, &key), self.there(other, &key)) {
                    (There::Nothing, There::Nothing) => {}
                    (There::Over, There::Nothing | There::Over) => self.watched_keys.note_lapse(db, &key),
                    (There::Nothing, There::Over) => {
                        if let Some(watched) = self.watched_keys.keys.get_mut(&(db, key)) {
                            watched.came_over = true;
                        }
                    }
                    _ => self.watched_keys.note(db, &key),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, Expire};

    /// What is watched in database 0: a key that is there until 10, one whose time is over, and one that is missing.
    fn shard() -> (Shard, [WatchStamp; 3]) {
        let mut shard = Shard::new(2, 1);
        shard.view_mut(0, true).put_string(b"there", b"v", Expire::AtMs(10), Event::Set);
        shard.view_mut(0, true).put_string(b"over", b"v", Expire::AtMs(5), Event::Set);
        shard.set_now_ms(6);
        let stamps = KEYS.map(|key| shard.watch(0, key));
        (shard, stamps)
    }

    const KEYS: [&[u8]; 3] = [b"there", b"over", b"missing"];

    /// Which of the three have changed by `change`.
    fn changed(change: impl FnOnce(&mut Shard)) -> [bool; 3] {
        let (mut shard, stamps) = shard();
        change(&mut shard);
        let changed = [0, 1, 2].map(|index| !shard.is_unchanged(0, KEYS[index], stamps[index]));
        for key in KEYS {
            shard.unwatch(0, key);
        }
        assert_eq!(shard.watched_keys_len(), 0);
        changed
    }

    // As in Redis 7.2.6, src/multi.c.
    #[test]
    fn a_change_is_one_even_if_it_is_taken_back() {
        assert_eq!(changed(|_| {}), [false; 3]);
        let set =
            |shard: &mut Shard, key| shard.view_mut(0, true).put_string(key, b"v", Expire::Clear, Event::Set);
        assert_eq!(changed(|shard| KEYS.iter().for_each(|key| set(shard, key))), [true; 3]);
        assert_eq!(
            changed(|shard| {
                set(shard, b"missing");
                shard.view_mut(0, true).delete(b"missing");
            }),
            [false, false, true]
        );
        // Of another database.
        assert_eq!(
            changed(|shard| shard.view_mut(1, true).put_string(b"there", b"v", Expire::Clear, Event::Set)),
            [false; 3]
        );
    }

    #[test]
    fn a_key_whose_time_was_over_may_go_and_one_whose_time_ends_may_not() {
        assert_eq!(changed(|shard| assert!(shard.remove_if_expired(0, b"over"))), [false; 3]);
        assert_eq!(changed(|shard| shard.set_now_ms(11)), [true, false, false]);
        let remove = |shard: &mut Shard| {
            shard.set_now_ms(11);
            assert!(shard.remove_if_expired(0, b"there") && shard.remove_if_expired(0, b"over"));
        };
        assert_eq!(changed(remove), [true, false, false]);
        let set_later = |shard: &mut Shard| {
            shard.remove_if_expired(0, b"over");
            shard.view_mut(0, true).put_string(b"over", b"v", Expire::Clear, Event::Set);
        };
        assert_eq!(changed(set_later), [false, true, false]);
        assert_eq!(changed(|shard| assert!(shard.evict_key(0, b"there").is_some())), [true, false, false]);
        assert_eq!(changed(|shard| assert!(shard.evict_key(0, b"over").is_some())), [false; 3]);
    }

    #[test]
    fn whole_databases_change_what_is_there() {
        assert_eq!(changed(|shard| shard.flush(0, false)), [true, false, false]);
        assert_eq!(changed(|shard| shard.flush(1, false)), [false; 3]);
        assert_eq!(changed(|shard| shard.swap(0, 1)), [true, false, false]);
        assert_eq!(changed(|shard| shard.swap(0, 0)), [false; 3]);
        let fill = |shard: &mut Shard, until_ms| {
            for key in KEYS {
                let expire = Expire::AtMs(until_ms);
                shard.view_mut(1, true).put_string(key, b"v", expire, Event::Set);
            }
        };
        let alive = |shard: &mut Shard| {
            fill(shard, 20);
            shard.swap(0, 1);
        };
        assert_eq!(changed(alive), [true; 3]);
        let over = |shard: &mut Shard| {
            fill(shard, 3);
            shard.swap(1, 0);
        };
        assert_eq!(changed(over), [true, false, false]);
        let over_and_gone = |shard: &mut Shard| {
            over(shard);
            KEYS.iter().for_each(|key| assert!(shard.remove_if_expired(0, key)));
        };
        assert_eq!(changed(over_and_gone), [true, false, false]);
    }

    #[test]
    fn what_is_moved_changes_both_keys() {
        let rename = |shard: &mut Shard| {
            let key_move = crate::KeyMove {
                from: (0, b"there"),
                from_event: Event::RenameFrom,
                to: (0, b"missing"),
                to_event: Event::RenameTo,
            };
            assert!(shard.move_key(key_move));
        };
        assert_eq!(changed(rename), [true, false, true]);
    }
}
