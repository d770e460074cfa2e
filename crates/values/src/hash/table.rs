//! A large hash.

use super::FieldExpire;
use super::deadlines::Deadlines;
use super::pair::Pair;
use crate::table::{Cursor, HashTable, Way};
use ahash::RandomState;

/// Fields with values in a hash table, and those that expire in the order of time besides.
#[derive(Clone)]
pub(super) struct PairTable {
    table: HashTable<Pair>,
    hasher: RandomState,
    /// Memory of the pairs, in bytes.
    pairs_bytes: usize,
    deadlines: Deadlines,
}

fn hash_of(hasher: &RandomState) -> impl Fn(&Pair) -> u64 + '_ {
    |pair| hasher.hash_one(pair.field())
}

impl PairTable {
    pub fn new(seed: u64) -> PairTable {
        PairTable {
            table: HashTable::new(seed),
            hasher: RandomState::with_seeds(seed, 0x4a54, 0xf1e1, 0xd5),
            pairs_bytes: 0,
            deadlines: Deadlines::default(),
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn allocated_bytes(&self) -> usize {
        self.table.allocated_bytes() + self.pairs_bytes + self.deadlines.allocated_bytes()
    }

    #[inline]
    fn hash(&self, field: &[u8]) -> u64 {
        self.hasher.hash_one(field)
    }

    #[inline]
    pub fn find(&self, field: &[u8]) -> Option<&Pair> {
        self.table.find(self.hash(field), |pair| pair.field() == field)
    }

    /// The way to a field.
    #[inline]
    pub fn way(&self, field: &[u8]) -> Way<'_, Pair> {
        self.table.way(self.hash(field))
    }

    /// True if the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], expire: FieldExpire) -> bool {
        let hash = self.hash(field);
        let Some(pair) = self.table.find_mut(hash, |pair| pair.field() == field) else {
            self.insert(hash, Pair::new(field, value, expire.after(None)));
            return true;
        };
        let before_ms = pair.expire_at_ms();
        let after_ms = expire.after(before_ms);
        let before_bytes = pair.allocated_bytes();
        pair.set(value, after_ms);
        self.pairs_bytes = self.pairs_bytes + pair.allocated_bytes() - before_bytes;
        self.note_expiry(hash, before_ms, after_ms);
        false
    }

    /// False if there is no such field.
    pub fn set_expire(&mut self, field: &[u8], after_ms: Option<i64>) -> bool {
        let hash = self.hash(field);
        let Some(pair) = self.table.find_mut(hash, |pair| pair.field() == field) else { return false };
        let before_ms = pair.expire_at_ms();
        if before_ms != after_ms {
            let before_bytes = pair.allocated_bytes();
            *pair = pair.with_expiry(after_ms);
            self.pairs_bytes = self.pairs_bytes + pair.allocated_bytes() - before_bytes;
            self.note_expiry(hash, before_ms, after_ms);
        }
        true
    }

    fn insert(&mut self, hash: u64, pair: Pair) {
        self.pairs_bytes += pair.allocated_bytes();
        if let Some(at_ms) = pair.expire_at_ms() {
            self.deadlines.insert((at_ms, hash));
        }
        self.table.insert(hash, pair, hash_of(&self.hasher));
    }

    /// A pair of that hash expires at another time than before.
    fn note_expiry(&mut self, hash: u64, before_ms: Option<i64>, after_ms: Option<i64>) {
        if before_ms == after_ms {
            return;
        }
        if let Some(at_ms) = before_ms {
            // Two names may have the same hash.
            let is_other =
                |pair: &Pair| pair.expire_at_ms() == Some(at_ms) && self.hash(pair.field()) == hash;
            if self.table.find(hash, is_other).is_none() {
                self.deadlines.remove((at_ms, hash));
            }
        }
        if let Some(at_ms) = after_ms {
            self.deadlines.insert((at_ms, hash));
        }
    }

    /// False if there is no such field.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let hash = self.hash(field);
        let removed = self.table.remove(hash, |pair| pair.field() == field, hash_of(&self.hasher));
        let Some(pair) = removed else { return false };
        self.pairs_bytes -= pair.allocated_bytes();
        self.note_expiry(hash, pair.expire_at_ms(), None);
        true
    }

    /// The earliest time at which a field expires.
    #[inline]
    pub fn next_expire_at_ms(&self) -> Option<i64> {
        self.deadlines.first().map(|(at_ms, _)| at_ms)
    }

    /// How many have expired but are still here.
    pub fn expired_len(&self, now_ms: i64) -> usize {
        self.deadlines.count_before(now_ms)
    }

    /// Removes up to about `max` expired fields, those first that expired first.
    pub fn remove_expired(&mut self, now_ms: i64, max: usize, mut removed: impl FnMut(&[u8])) {
        let mut left = max;
        while left > 0
            && let Some((at_ms, hash)) = self.deadlines.first()
            && at_ms < now_ms
        {
            let PairTable { table, hasher, .. } = self;
            let is_it =
                |pair: &Pair| pair.expire_at_ms() == Some(at_ms) && hasher.hash_one(pair.field()) == hash;
            while let Some(pair) = table.remove(hash, is_it, hash_of(hasher)) {
                removed(pair.field());
                self.pairs_bytes -= pair.allocated_bytes();
                left = left.saturating_sub(1);
            }
            self.deadlines.remove((at_ms, hash));
        }
    }

    #[cfg(test)]
    pub fn pairs_bytes(&self) -> usize {
        self.pairs_bytes
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pair> {
        self.table.iter()
    }

    /// See [`HashTable::walk`].
    pub fn walk(&self, cursor: Cursor) -> Option<(&Pair, Cursor)> {
        self.table.walk(cursor)
    }

    pub fn random(&self, random: &mut fastrand::Rng) -> Option<&Pair> {
        self.table.random(random)
    }

    pub fn scan<'t>(&'t self, position: u64, count: usize, visit: impl FnMut(&'t Pair)) -> Option<u64> {
        self.table.scan(position, count, hash_of(&self.hasher), visit)
    }

    /// See [`crate::Collection::free_some`].
    pub fn free_some(&mut self) -> bool {
        if let Some(pairs) = self.table.take_some() {
            self.pairs_bytes -= pairs.map(|pair| pair.allocated_bytes()).sum::<usize>();
            return true;
        }
        self.deadlines.free_some()
    }
}
