//! The hash table of large collections: extendible, so that it grows and shrinks a small segment at a time and no
//! command waits for a whole table to move.
//!
//! A directory of 2^n entries leads by the highest n bits of an element's hash to a *segment*, a table of at most
//! [`SEGMENT_MAX_LEN`] elements. A full segment splits in two by the next bit, and only then may the directory
//! double, which copies four bytes per entry. (Fagin, Nievergelt, Pippenger, Strong: Extendible Hashing, 1979.)
//!
//! The table knows nothing of keys: whoever uses it gives hashes, and says what is equal.

mod scan;
mod walk;
mod way;

pub use walk::Cursor;
pub(crate) use way::Way;

use ahash::RandomState;
use hashbrown::HashTable as Segment;

/// Buckets of a full segment.
const SEGMENT_MAX_BUCKETS: usize = 128;
/// Elements of a full segment: what so many buckets take.
const SEGMENT_MAX_LEN: usize = 112;
/// What is taken out of a segment may leave a mark that takes room until the segment is built anew. One of so many
/// elements whose room is used up by such marks splits, since it would have to be built anew again and again.
const CROWDED_LEN: usize = SEGMENT_MAX_LEN - SEGMENT_MAX_LEN / 28;
/// Two neighbours with no more elements than this together become one. Hardly fewer than split them: what comes and
/// goes in a table would else leave it with ever more segments. At worst three elements are moved for each that goes
/// and one that comes.
const MERGED_MAX_LEN: usize = CROWDED_LEN - 2;
/// After each so many elements that are taken out of a segment it is asked whether it had better be shorter.
const TIDY_STEP: usize = 2;
/// A segment gives memory back if what it keeps then has room for one in so many more.
const ROOM_DIVISOR: usize = 12;
/// Bits of the largest directory. Beyond, segments outgrow their length; that is at 200 million elements.
const DEPTH_MAX: u32 = 22;

#[derive(Clone)]
pub(crate) struct Part<T> {
    elements: Segment<T>,
    /// How many of the highest bits of the hash its elements have in common.
    depth: u32,
}

/// How many elements so many buckets take.
fn capacity_of(buckets: usize) -> usize {
    if buckets < 8 { buckets.saturating_sub(1) } else { buckets / 8 * 7 }
}

impl<T> Part<T> {
    /// There is no room for another element, and none would come of building it anew.
    fn is_crowded(&self) -> bool {
        let max = capacity_of(self.elements.num_buckets());
        let few = max / SEGMENT_MAX_LEN.div_ceil(SEGMENT_MAX_LEN - CROWDED_LEN);
        self.elements.len() >= self.elements.capacity() && self.elements.len() >= max - few
    }

    /// Whether it has to split before another element comes.
    fn must_split(&self) -> bool {
        self.elements.len() >= SEGMENT_MAX_LEN
            || self.elements.len() >= CROWDED_LEN && self.elements.len() >= self.elements.capacity()
    }

    /// Builds it anew with the buckets that it has, if all that stands in the way of another element are marks of what
    /// was taken out. The map that it is of would double its buckets.
    #[inline]
    fn sweep(&mut self, hash_of: &impl Fn(&T) -> u64) {
        if self.elements.len() >= self.elements.capacity() && !self.is_crowded() {
            self.rebuild(capacity_of(self.elements.num_buckets()), hash_of);
        }
    }

    /// Builds it anew with room for so many elements.
    fn rebuild(&mut self, capacity: usize, hash_of: &impl Fn(&T) -> u64) {
        let all = std::mem::replace(&mut self.elements, Segment::with_capacity(capacity));
        for element in all {
            let hash = inner_hash(hash_of(&element));
            self.elements.insert_unique(hash, element, |element| inner_hash(hash_of(element)));
        }
    }
}

/// A set of elements, found by a hash of 64 bits that comes from [`HashTable::hash`].
#[derive(Clone)]
pub struct HashTable<T> {
    directory: Vec<u32>,
    /// `None`: free to be used again.
    parts: Vec<Option<Box<Part<T>>>>,
    free: Vec<u32>,
    /// Bits of the directory.
    depth: u32,
    /// Segments that are as deep as the directory.
    deepest: usize,
    len: usize,
    parts_bytes: usize,
    /// No segment ever had more buckets than this.
    buckets_max: usize,
    hasher: RandomState,
}

impl<T> HashTable<T> {
    /// No elements. Equal seeds give equal hashes.
    pub fn new(seed: u64) -> HashTable<T> {
        let part = Part { elements: Segment::new(), depth: 0 };
        HashTable {
            directory: vec![0],
            parts: vec![Some(Box::new(part))],
            free: Vec::new(),
            depth: 0,
            deepest: 1,
            len: 0,
            parts_bytes: size_of::<Part<T>>(),
            buckets_max: SEGMENT_MAX_BUCKETS,
            hasher: RandomState::with_seeds(seed, 0x5e65, 0x7ab1, 0x1e55),
        }
    }

    /// How many elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// There is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The hash of an element's name.
    #[inline]
    pub fn hash(&self, name: &[u8]) -> u64 {
        self.hasher.hash_one(name)
    }

    /// The same, to be asked while the table changes.
    #[inline]
    pub fn hasher(&self) -> impl Fn(&[u8]) -> u64 + use<T> {
        let hasher = self.hasher.clone();
        move |name| hasher.hash_one(name)
    }

    /// Memory beyond the `HashTable` itself, without what elements own, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.parts_bytes
            + self.directory.capacity() * size_of::<u32>()
            + self.parts.capacity() * size_of::<usize>()
            + self.free.capacity() * size_of::<u32>()
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        if self.depth == 0 { 0 } else { (hash >> (64 - self.depth)) as usize }
    }

    #[inline]
    fn part(&self, index: u32) -> &Part<T> {
        self.parts[index as usize].as_deref().expect("the directory leads to segments that are there")
    }

    #[inline]
    fn part_mut(&mut self, index: u32) -> &mut Part<T> {
        self.parts[index as usize].as_deref_mut().expect("the directory leads to segments that are there")
    }

    #[inline]
    fn part_at(&self, hash: u64) -> &Part<T> {
        self.part(self.directory[self.slot(hash)])
    }

    /// The element of that hash for which `is_it` holds.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&T> {
        self.part_at(hash).elements.find(inner_hash(hash), is_it)
    }

    /// The same, to be changed; its hash must not.
    #[inline]
    pub fn find_mut(&mut self, hash: u64, is_it: impl FnMut(&T) -> bool) -> Option<&mut T> {
        let index = self.directory[self.slot(hash)];
        self.part_mut(index).elements.find_mut(inner_hash(hash), is_it)
    }

    /// Adds an element that is not there yet. `hash_of` tells the hash of any element.
    pub fn insert(&mut self, hash: u64, element: T, hash_of: impl Fn(&T) -> u64) {
        let mut index = self.directory[self.slot(hash)];
        while self.part(index).depth < DEPTH_MAX && self.part(index).must_split() {
            self.split(index, hash, &hash_of);
            index = self.directory[self.slot(hash)];
        }
        let part = self.part_mut(index);
        let before = part.elements.allocation_size();
        part.sweep(&hash_of);
        part.elements.insert_unique(inner_hash(hash), element, |element| inner_hash(hash_of(element)));
        let (after, buckets) = (part.elements.allocation_size(), part.elements.num_buckets());
        self.parts_bytes = self.parts_bytes + after - before;
        self.buckets_max = self.buckets_max.max(buckets);
        self.len += 1;
    }

    /// Takes the element of that hash for which `is_it` holds.
    pub fn remove(
        &mut self,
        hash: u64,
        is_it: impl FnMut(&T) -> bool,
        hash_of: impl Fn(&T) -> u64,
    ) -> Option<T> {
        let slot = self.slot(hash);
        let index = self.directory[slot];
        let part = self.part_mut(index);
        let (element, _) = part.elements.find_entry(inner_hash(hash), is_it).ok()?.remove();
        let len = part.elements.len();
        self.len -= 1;
        if len <= MERGED_MAX_LEN / 2 && len.is_multiple_of(TIDY_STEP) {
            self.tidy(hash, &hash_of);
        }
        Some(element)
    }

    /// Gives memory back after elements were taken out of the segment to which `hash` leads.
    fn tidy(&mut self, hash: u64, hash_of: &impl Fn(&T) -> u64) {
        while self.merge(self.slot(hash), hash_of) {}
        self.shrink(self.directory[self.slot(hash)], hash_of);
    }

    /// Divides a full segment by its next bit. `hash` leads to it.
    fn split(&mut self, index: u32, hash: u64, hash_of: &impl Fn(&T) -> u64) {
        let depth = self.part(index).depth;
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|entry| [*entry, *entry]).collect();
            self.depth += 1;
            self.deepest = 0;
        }
        let bit = 1 << (63 - depth);
        let part = self.part_mut(index);
        let before = part.elements.allocation_size();
        let all = std::mem::take(&mut part.elements);
        let upper_len = all.iter().filter(|element| hash_of(element) & bit != 0).count();
        let mut upper = Segment::with_capacity(upper_len);
        let mut lower = Segment::with_capacity(all.len() - upper_len);
        for element in all {
            let hash = hash_of(&element);
            let half = if hash & bit == 0 { &mut lower } else { &mut upper };
            half.insert_unique(inner_hash(hash), element, |element| inner_hash(hash_of(element)));
        }
        let bytes = lower.allocation_size() + upper.allocation_size() + size_of::<Part<T>>();
        part.elements = lower;
        part.depth = depth + 1;
        self.parts_bytes = self.parts_bytes + bytes - before;
        let new = self.keep(Part { elements: upper, depth: depth + 1 });
        if depth + 1 == self.depth {
            self.deepest += 2;
        }
        // The entries that lead to the segment are neighbours; the upper half of them gets the new one.
        let width = 1 << (self.depth - depth);
        let first = self.slot(hash) & !(width - 1);
        self.directory[first + width / 2..first + width].fill(new);
    }

    fn keep(&mut self, part: Part<T>) -> u32 {
        match self.free.pop() {
            Some(index) => {
                self.parts[index as usize] = Some(Box::new(part));
                index
            }
            None => {
                self.parts.push(Some(Box::new(part)));
                (self.parts.len() - 1) as u32
            }
        }
    }

    /// Makes one segment of the one at directory entry `slot` and its other half, if both have few elements. False if
    /// they have not.
    fn merge(&mut self, slot: usize, hash_of: &impl Fn(&T) -> u64) -> bool {
        let index = self.directory[slot];
        let depth = self.part(index).depth;
        if depth == 0 {
            return false;
        }
        let width = 1 << (self.depth - depth);
        let first = slot & !(width - 1);
        let sibling_first = first ^ width;
        let sibling = self.directory[sibling_first];
        let both_len = self.part(index).elements.len() + self.part(sibling).elements.len();
        if self.part(sibling).depth != depth || both_len > MERGED_MAX_LEN {
            return false;
        }
        let gone =
            self.parts[sibling as usize].take().expect("the directory leads to segments that are there");
        self.free.push(sibling);
        let part = self.part_mut(index);
        let before = part.elements.allocation_size() + gone.elements.allocation_size() + size_of::<Part<T>>();
        part.rebuild(both_len, hash_of);
        for element in gone.elements {
            let hash = inner_hash(hash_of(&element));
            part.elements.insert_unique(hash, element, |element| inner_hash(hash_of(element)));
        }
        part.depth = depth - 1;
        let after = part.elements.allocation_size();
        self.parts_bytes = self.parts_bytes + after - before;
        self.directory[sibling_first..sibling_first + width].fill(index);
        if depth == self.depth {
            self.deepest -= 2;
            self.halve();
        }
        true
    }

    /// Gives memory of a segment with few elements back.
    fn shrink(&mut self, index: u32, hash_of: &impl Fn(&T) -> u64) {
        let part = self.part_mut(index);
        let before = part.elements.allocation_size();
        // With some room, or it would have to grow again with the next that come.
        let wanted = part.elements.len() + part.elements.len() / ROOM_DIVISOR;
        part.elements.shrink_to(wanted, |element| inner_hash(hash_of(element)));
        let after = part.elements.allocation_size();
        self.parts_bytes = self.parts_bytes + after - before;
    }

    /// Halves the directory as long as no segment needs its last bit.
    fn halve(&mut self) {
        while self.deepest == 0 && self.depth > 0 {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
            let depth = self.depth;
            self.deepest = self.parts.iter().flatten().filter(|part| part.depth == depth).count();
        }
        if self.depth == 0 && self.parts.len() > 1 {
            // One segment is left: what led to the others goes.
            let part = self.parts[self.directory[0] as usize].take();
            (self.parts, self.free, self.directory) = (vec![part], Vec::new(), vec![0]);
            self.buckets_max = SEGMENT_MAX_BUCKETS;
        }
    }

    /// All elements, in an order of the table's own.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().flatten().flat_map(|part| part.elements.iter())
    }

    /// A random element, each with the same chance.
    pub fn random(&self, random: &mut fastrand::Rng) -> Option<&T> {
        if self.is_empty() {
            return None;
        }
        loop {
            let part = self.part(self.directory[random.usize(..self.directory.len())]);
            // A shallow segment is met more often: it has to prove itself more often. Every bucket there might be has
            // the same chance, so that a segment of few buckets fails more often than one of many.
            let buckets = part.elements.num_buckets();
            let most = if self.depth == 0 { buckets } else { self.buckets_max };
            let bucket = random.usize(..most << (self.depth - part.depth));
            if bucket < buckets
                && let Some(element) = part.elements.get_bucket(bucket)
            {
                return Some(element);
            }
        }
    }

    /// Takes one segment's elements, for freeing a large table piece by piece. Nothing else may be done with the table
    /// then.
    pub fn take_some(&mut self) -> Option<impl Iterator<Item = T> + use<T>> {
        loop {
            if let Some(part) = self.parts.pop()? {
                self.len -= part.elements.len();
                self.parts_bytes -= part.elements.allocation_size() + size_of::<Part<T>>();
                return Some(part.elements.into_iter());
            }
        }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for HashTable<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The hash within a segment, whose elements have the highest bits of theirs in common: those bits are looked at last.
#[inline]
fn inner_hash(hash: u64) -> u64 {
    hash.rotate_left(32)
}

#[cfg(test)]
mod tests;
