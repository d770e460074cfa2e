//! The table of one database: an extendible directory of small hash tables.
//!
//! The directory is indexed by a key's leading hash bits. A segment that is full splits in two, so growth
//! never moves more than one segment's entries. (Fagin et al., "Extendible hashing", 1979.) SCAN walks the
//! entries in the order of their hashes, which no split disturbs: its cursor is a hash.

use crate::entry::Entry;
use ahash::RandomState;
use hashbrown::HashTable;

/// Entries in a segment at which it splits: what a `hashbrown` table of 1024 buckets takes without growing.
const SEGMENT_MAX_ENTRIES: usize = 896;
/// Directory growth stops here; segments just grow beyond. 2^28 segments hold far more than any memory.
const DIRECTORY_MAX_BITS: u32 = 28;
/// A scan position has this many bits: the leading ones of a hash.
pub const POSITION_BITS: u32 = 48;

#[derive(Debug)]
struct Segment {
    entries: HashTable<Entry>,
    /// How many leading hash bits all entries share.
    depth: u32,
}

/// Keys to entries.
#[derive(Debug)]
pub struct Table {
    hasher: RandomState,
    /// 2^`directory_bits` indices into `segments`.
    directory: Vec<u32>,
    directory_bits: u32,
    segments: Vec<Segment>,
    len: usize,
}

impl Table {
    /// An empty table. The hasher decides where keys lie, so equal seeds give equal tables.
    pub fn new(hasher: RandomState) -> Table {
        let first = Segment { entries: HashTable::new(), depth: 0 };
        Table { hasher, directory: vec![0], directory_bits: 0, segments: vec![first], len: 0 }
    }

    /// How many entries there are, expired ones not yet removed included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// No entries at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    fn directory_index(&self, hash: u64) -> usize {
        // With no bits at all, shifting by 64 is not allowed, and 0 is meant.
        hash.checked_shr(64 - self.directory_bits).unwrap_or(0) as usize
    }

    #[inline]
    fn segment_index(&self, hash: u64) -> usize {
        self.directory[self.directory_index(hash)] as usize
    }

    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&Entry> {
        let hash = self.hash(key);
        self.segments[self.segment_index(hash)].entries.find(hash, |entry| entry.key() == key)
    }

    /// The entry of `key`, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let hash = self.hash(key);
        let segment = self.segment_index(hash);
        self.segments[segment].entries.find_mut(hash, |entry| entry.key() == key)
    }

    /// Puts in an entry whose key is not in the table.
    pub fn insert_new(&mut self, entry: Entry) {
        let hash = self.hash(entry.key());
        let mut segment = self.segment_index(hash);
        while self.segments[segment].entries.len() >= SEGMENT_MAX_ENTRIES
            && self.segments[segment].depth < DIRECTORY_MAX_BITS
        {
            self.split(segment, hash);
            segment = self.segment_index(hash);
        }
        let Table { segments, hasher, len, .. } = self;
        segments[segment].entries.insert_unique(hash, entry, |entry| hasher.hash_one(entry.key()));
        *len += 1;
    }

    /// Takes out the entry of `key`.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        let segment = self.segment_index(hash);
        let found = self.segments[segment].entries.find_entry(hash, |entry| entry.key() == key).ok()?;
        self.len -= 1;
        Some(found.remove().0)
    }

    /// Splits a segment by its next hash bit. `hash` is of any key that belongs to it.
    fn split(&mut self, index: usize, hash: u64) {
        let depth = self.segments[index].depth;
        if depth == self.directory_bits {
            self.directory = self.directory.iter().flat_map(|segment| [*segment, *segment]).collect();
            self.directory_bits += 1;
        }
        let bit = 1u64 << (63 - depth);
        let Table { segments, hasher, .. } = self;
        let upper_entries: Vec<Entry> =
            segments[index].entries.extract_if(|entry| hasher.hash_one(entry.key()) & bit != 0).collect();
        let mut upper = HashTable::with_capacity(upper_entries.len().max(SEGMENT_MAX_ENTRIES / 2));
        for entry in upper_entries {
            upper.insert_unique(hasher.hash_one(entry.key()), entry, |entry| hasher.hash_one(entry.key()));
        }
        segments[index].depth = depth + 1;
        let new_index = segments.len() as u32;
        segments.push(Segment { entries: upper, depth: depth + 1 });
        // The directory indices that lead to the old segment are a run; its upper half leads to the new.
        let span = 1usize << (self.directory_bits - depth);
        let first = self.directory_index(hash) & !(span - 1);
        self.directory[first + span / 2..first + span].fill(new_index);
    }

    /// Visits about `count` entries from `position` on in the order of their hashes, and returns where to go
    /// on, or `None` at the end. Entries that share a position are visited together, so an entry that stays
    /// in the table from the first call to the last is visited at least once, whatever else changes.
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(&Entry)) -> Option<u64> {
        let mut position = position;
        let mut visited = 0;
        loop {
            let hash = position << (64 - POSITION_BITS);
            let segment = &self.segments[self.segment_index(hash)];
            let mut found: Vec<(u64, &Entry)> = segment
                .entries
                .iter()
                .map(|entry| (self.hash(entry.key()) >> (64 - POSITION_BITS), entry))
                .filter(|(at, _)| *at >= position)
                .collect();
            found.sort_unstable_by_key(|(at, _)| *at);
            let mut last = None;
            for (at, entry) in found {
                if visited >= count && last != Some(at) {
                    return Some(at);
                }
                visit(entry);
                visited += 1;
                last = Some(at);
            }
            // The segment is done: on to the first position of the next one.
            let width_bits = POSITION_BITS - segment.depth.min(POSITION_BITS);
            position = ((position >> width_bits) + 1) << width_bits;
            if position >> POSITION_BITS != 0 {
                return None;
            }
            if visited >= count {
                return Some(position);
            }
        }
    }

    /// All entries, in no useful order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.segments.iter().flat_map(|segment| segment.entries.iter())
    }

    /// A random entry, each with the same chance.
    pub fn random(&self, random: &mut fastrand::Rng) -> Option<&Entry> {
        if self.is_empty() {
            return None;
        }
        // A segment is met with a chance that does not depend on how full it is: even that out by refusing
        // in proportion. Deletions may have left nearly all segments empty, so give up on it in the end.
        for _ in 0..64 * self.directory.len().min(1 << 14) {
            let segment = &self.segments[self.directory[random.usize(..self.directory.len())] as usize];
            let chosen = random.usize(..SEGMENT_MAX_ENTRIES.max(segment.entries.len()));
            if let Some(entry) = segment.entries.iter().nth(chosen) {
                return Some(entry);
            }
        }
        self.iter().nth(random.usize(..self.len))
    }

    /// Removes expired entries among those of one segment and returns the keys. `round` walks the segments.
    pub(crate) fn take_expired(&mut self, round: usize, now_ms: i64) -> Vec<Entry> {
        let index = round % self.segments.len();
        let taken: Vec<Entry> =
            self.segments[index].entries.extract_if(|entry| entry.is_expired(now_ms)).collect();
        self.len -= taken.len();
        taken
    }

    /// How many segments there are: a full walk of [`Table::take_expired`].
    pub(crate) fn segments_len(&self) -> usize {
        self.segments.len()
    }

    /// Frees one segment of a table nobody uses any more. False when nothing is left.
    pub(crate) fn free_one_segment(&mut self) -> bool {
        self.segments.pop().is_some()
    }

    /// Memory of the table itself, without what entries point to, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.directory.capacity() * size_of::<u32>()
            + self.segments.iter().map(|s| size_of::<Segment>() + s.entries.allocation_size()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tessera_values::{StringValue, Value};

    fn entry(key: &[u8]) -> Entry {
        Entry::new(key, Value::String(StringValue::new(key)), None, 0)
    }

    fn table() -> Table {
        Table::new(RandomState::with_seeds(1, 2, 3, 4))
    }

    #[test]
    fn agrees_with_a_model() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut table, mut model) = (table(), BTreeMap::new());
        for step in 0..200_000u32 {
            let key = random.u32(..30_000).to_string().into_bytes();
            if random.u32(..3) == 0 {
                assert_eq!(table.remove(&key).is_some(), model.remove(&key).is_some(), "step {step}");
            } else if model.insert(key.clone(), ()).is_none() {
                assert!(table.get(&key).is_none());
                table.insert_new(entry(&key));
            }
            assert_eq!(table.len(), model.len());
        }
        assert!(model.keys().all(|key| table.get(key).is_some_and(|found| found.key() == *key)));
        assert_eq!(table.iter().count(), model.len());
        assert!(table.segments_len() > 8, "the test is about splitting");
    }

    #[test]
    fn a_scan_sees_what_stays_while_the_table_grows() {
        let mut table = table();
        for key in 0..5000u32 {
            table.insert_new(entry(&key.to_string().into_bytes()));
        }
        let (mut seen, mut position, mut added) = (BTreeMap::<Vec<u8>, u32>::new(), Some(0), 5000u32);
        while let Some(at) = position {
            position = table.scan(at, 10, |entry| *seen.entry(entry.key().to_vec()).or_default() += 1);
            for _ in 0..40 {
                table.insert_new(entry(&added.to_string().into_bytes()));
                added += 1;
            }
        }
        for key in 0..5000u32 {
            assert_eq!(seen.get(key.to_string().as_bytes()), Some(&1), "{key}");
        }
    }

    #[test]
    fn a_scan_step_is_as_long_as_asked() {
        let mut table = table();
        for key in 0..5000u32 {
            table.insert_new(entry(&key.to_string().into_bytes()));
        }
        let mut visited = 0;
        table.scan(0, 10, |_| visited += 1);
        assert_eq!(visited, 10);
    }

    #[test]
    fn random_entries_are_spread_evenly() {
        let mut table = table();
        for key in 0..3000u32 {
            table.insert_new(entry(&key.to_string().into_bytes()));
        }
        // An uneven table: most of the first half of the keys go.
        for key in 0..1400u32 {
            table.remove(&key.to_string().into_bytes());
        }
        let mut random = fastrand::Rng::with_seed(3);
        let mut drawn = BTreeMap::<Vec<u8>, u32>::new();
        for _ in 0..160_000 {
            *drawn.entry(table.random(&mut random).unwrap().key().to_vec()).or_default() += 1;
        }
        assert_eq!(drawn.len(), 1600);
        // 100 draws are expected of each; 6 standard deviations are 60.
        assert!(drawn.values().all(|count| (40..160).contains(count)));
    }
}
