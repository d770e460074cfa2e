//! The table of one database: extendible hashing, a segment at a time.
//!
//! A directory, indexed by a key's leading hash bits, leads to [`branch`]es, and a branch's own to [`segment`]s, in
//! which [`slot`]s hold the addresses of [`raw`] entries. A segment that is full grows by an eighth to a quarter, and
//! splits in two when it is at its largest (Fagin et al., "Extendible hashing", 1979), so an insertion never moves more
//! than one segment's slots; deletions undo all of that. A lookup touches the directories, which are small, one cache
//! line of slots, and the entry.
//!
//! Everything lies in the order of the keys' hashes. SCAN walks in that order, which no growth or shrinking disturbs:
//! its cursor is the leading bits of a hash, in the opposite order.

mod branch;
mod defrag;
mod due;
mod edit;
mod fields;
mod raw;
mod sample;
mod scan;
mod segment;
mod slot;
mod walk;

#[cfg(test)]
mod collection_tests;
#[cfg(test)]
mod tests;

pub(crate) use defrag::Moves;
pub use edit::EntryMut;
pub use raw::Entry;
pub(crate) use raw::{Content, OwnedEntry, USE_BITS};
pub use scan::CURSOR_BITS;
pub(crate) use walk::Walked;

use ahash::RandomState;
use branch::{Branch, Room};
pub use raw::prefetch;
use segment::{BUCKET_SLOTS, tag_at};
use slot::Slot;
use std::cell::Cell;
use std::marker::PhantomData;
use tessera_values::Trail;

/// Keys looked at together by [`Table::prefetch`]: enough for their cache misses to overlap.
const PREFETCH_KEYS: usize = 32;

/// What a command that is to be run soon will look up.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'k> {
    /// Its key.
    pub key: &'k [u8],
    /// An element (a field, a member) of what the key holds.
    pub element: Option<&'k [u8]>,
}

/// Where a key is, if it is there and its bucket was not full, and which element of it is looked up.
#[derive(Clone, Copy)]
struct HomeOf<'t, 'k> {
    bucket: &'t [Slot; BUCKET_SLOTS],
    tag: u16,
    element: Option<&'k [u8]>,
}

impl<'t> HomeOf<'t, '_> {
    #[inline]
    fn slots(self) -> impl Iterator<Item = &'t Slot> {
        self.bucket.iter().filter(move |slot| slot.tag() == self.tag)
    }
}

/// What is known of a table as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries, expired ones not yet removed included.
    pub len: usize,
    /// Entries with an expiry.
    pub volatile_len: usize,
    /// The sum of those expiries, in Unix milliseconds.
    pub expire_sum_ms: i128,
    /// Memory of the entries with their keys and values, in bytes, as the allocator counts.
    pub entry_bytes: usize,
    bucket_count: usize,
    field_deadlines: fields::FieldDeadlines,
}

impl Totals {
    fn add(&mut self, entry: Entry<'_>) {
        self.len += 1;
        self.entry_bytes += entry.allocated_bytes();
        if let Some(at_ms) = entry.expire_at_ms() {
            self.volatile_len += 1;
            self.expire_sum_ms += i128::from(at_ms);
        }
        self.field_deadlines.set(entry, true);
    }

    fn subtract(&mut self, entry: Entry<'_>) {
        self.len -= 1;
        self.entry_bytes -= entry.allocated_bytes();
        if let Some(at_ms) = entry.expire_at_ms() {
            self.volatile_len -= 1;
            self.expire_sum_ms -= i128::from(at_ms);
        }
        self.field_deadlines.set(entry, false);
    }
}

/// Keys to entries.
///
/// Invariant: every slot that is not empty holds the address of an entry that this table, and nothing else, owns.
#[derive(Debug)]
pub struct Table {
    hasher: RandomState,
    /// 2^`directory_bits` indices into `branches`; nothing at all as long as the table is empty.
    directory: Vec<u32>,
    directory_bits: u32,
    branches: Vec<Branch>,
    totals: Totals,
    due: due::Walk,
    sampling: sample::Walk,
    /// How far a walk that visits every entry once has come: a position as [`Table::scan`] has them. Behind the last
    /// one if none is under way.
    walked_to: u64,
    /// Where small collections are changed.
    scratch: Vec<u8>,
    /// A use is noted in entries that are only borrowed, so a table must not be shared between threads.
    not_sync: PhantomData<Cell<()>>,
}

/// # Safety
/// As for [`raw::RawEntry::borrow`]; the slot is one of a living table's.
#[inline]
#[allow(unsafe_code)]
unsafe fn borrow<'a>(slot: Slot) -> Option<Entry<'a>> {
    // SAFETY: the caller's promise.
    slot.entry().map(|entry| unsafe { entry.borrow() })
}

impl Table {
    /// An empty table. The hasher decides where keys lie, so equal seeds give equal tables.
    pub fn new(hasher: RandomState) -> Table {
        Table {
            hasher,
            directory: Vec::new(),
            directory_bits: 0,
            branches: Vec::new(),
            totals: Totals::default(),
            due: due::Walk::default(),
            sampling: sample::Walk::default(),
            walked_to: walk::END,
            scratch: Vec::new(),
            not_sync: PhantomData,
        }
    }

    /// How many entries there are, expired ones not yet removed included.
    pub fn len(&self) -> usize {
        self.totals.len
    }

    /// No entries at all.
    pub fn is_empty(&self) -> bool {
        self.totals.len == 0
    }

    /// The table's sums.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    fn directory_index(&self, hash: u64) -> usize {
        // With no bits at all, shifting by 64 is not allowed, and 0 is meant.
        hash.checked_shr(u64::BITS - self.directory_bits).unwrap_or(0) as usize
    }

    #[inline]
    fn branch_index(&self, hash: u64) -> Option<usize> {
        self.directory.get(self.directory_index(hash)).map(|branch| *branch as usize)
    }

    /// The entry in a slot of this table.
    #[inline]
    #[allow(unsafe_code)]
    fn entry(&self, slot: Slot) -> Option<Entry<'_>> {
        // SAFETY: the table owns the entry, and changes or frees it only when it is borrowed mutably.
        unsafe { borrow(slot) }
    }

    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Entry<'_>> {
        let hash = self.hash(key);
        let branch = &self.branches[self.branch_index(hash)?];
        let segment = &branch.segments[branch.segment_index(hash)];
        let place = segment.find(tag_at(hash, segment.depth()), |slot| self.is_of(slot, key))?;
        self.entry(segment.slot(place))
    }

    #[inline]
    fn is_of(&self, slot: Slot, key: &[u8]) -> bool {
        self.entry(slot).is_some_and(|entry| entry.key() == key)
    }

    /// Branch, segment and place of `key`'s slot, and the key's hash.
    #[inline]
    fn locate(&self, key: &[u8]) -> Option<(usize, usize, usize, u64)> {
        let hash = self.hash(key);
        let branch_index = self.branch_index(hash)?;
        let branch = &self.branches[branch_index];
        let segment_index = branch.segment_index(hash);
        let segment = &branch.segments[segment_index];
        let place = segment.find(tag_at(hash, segment.depth()), |slot| self.is_of(slot, key))?;
        Some((branch_index, segment_index, place, hash))
    }

    /// The entry of `key`, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &[u8]) -> Option<EntryMut<'_>> {
        let (branch, segment, place, _) = self.locate(key)?;
        Some(EntryMut::new(&mut self.branches[branch], segment, place, &mut self.totals, &mut self.scratch))
    }

    /// Puts in an entry whose key is not in the table.
    pub(crate) fn insert_new(&mut self, entry: OwnedEntry) {
        let looked_at = entry.as_entry();
        let hash = self.hash(looked_at.key());
        debug_assert!(self.get(looked_at.key()).is_none());
        self.totals.add(looked_at);
        if self.branches.is_empty() {
            self.branches.push(Branch::new());
            self.directory.push(0);
            self.totals.bucket_count = self.branches[0].segments[0].bucket_count();
        }
        let expire_at_ms = looked_at.expire_at_ms();
        // What is new is not part of what is walked.
        let is_done = self.is_ahead_of_walk(hash);
        let branch = self.make_room(hash);
        let segment_index = branch.segment_index(hash);
        let segment = &mut branch.segments[segment_index];
        let tag = tag_at(hash, segment.depth());
        segment.insert(Slot::new(tag, entry.into_raw(), expire_at_ms.is_some()).with_done(is_done));
        if let Some(at_ms) = expire_at_ms {
            segment.next_due_ms = segment.next_due_ms.min(at_ms);
            branch.next_due_ms = branch.next_due_ms.min(at_ms);
        }
    }

    fn make_room(&mut self, hash: u64) -> &mut Branch {
        let mut index = self.branch_index(hash).expect("a table that is filled has a branch for every hash");
        let hasher = &self.hasher;
        // SAFETY: the slots are this table's, and nothing changes the entries while segments are split.
        #[allow(unsafe_code)]
        let hash_of = |slot: Slot| unsafe { borrow(slot) }.map_or(0, |entry| hasher.hash_one(entry.key()));
        loop {
            match self.branches[index].make_room(hash, &hash_of) {
                Room::Made(more) => {
                    self.totals.bucket_count = self.totals.bucket_count.wrapping_add_signed(more);
                    return &mut self.branches[index];
                }
                Room::SplitBranch => {
                    Self::split_branch(
                        &mut self.directory,
                        &mut self.directory_bits,
                        &mut self.branches,
                        index,
                    );
                    let at = hash.checked_shr(u64::BITS - self.directory_bits).unwrap_or(0) as usize;
                    index = self.directory[at] as usize;
                }
            }
        }
    }

    fn split_branch(
        directory: &mut Vec<u32>,
        directory_bits: &mut u32,
        branches: &mut Vec<Branch>,
        index: usize,
    ) {
        if branches[index].depth == *directory_bits {
            *directory = directory.iter().flat_map(|branch| [*branch, *branch]).collect();
            *directory_bits += 1;
        }
        let upper = branches[index].split();
        let run = Self::run(*directory_bits, upper.prefix, upper.depth);
        directory[run].fill(branches.len() as u32);
        branches.push(upper);
    }

    /// The directory indices that lead to a branch.
    fn run(directory_bits: u32, prefix: u64, depth: u32) -> std::ops::Range<usize> {
        let first = prefix.checked_shr(u64::BITS - directory_bits).unwrap_or(0) as usize;
        first..first + (1 << (directory_bits - depth))
    }

    /// Takes out the entry of `key`.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<OwnedEntry> {
        let (branch, segment, place, hash) = self.locate(key)?;
        let entry = self.take_out(branch, segment, place);
        self.shrink(branch, hash);
        Some(entry)
    }

    /// Takes an entry out of its slot; others of the segment may change their places.
    #[allow(unsafe_code)]
    fn take_out(&mut self, branch: usize, segment: usize, place: usize) -> OwnedEntry {
        let slot = self.branches[branch].segments[segment].remove(place);
        let raw = slot.entry().expect("the slot was found to hold an entry");
        // SAFETY: the table owned the entry, and the slot that held its address is empty now.
        let entry = unsafe { raw.own() };
        self.totals.subtract(entry.as_entry());
        entry
    }

    /// Gives back memory where an entry with `hash` was taken out. Moves segments and branches.
    fn shrink(&mut self, branch: usize, hash: u64) {
        let fewer = self.branches[branch].shrink(hash);
        if fewer == 0 {
            return;
        }
        self.totals.bucket_count -= fewer;
        self.merge_branches(hash);
    }

    fn merge_branches(&mut self, hash: u64) {
        loop {
            let index = self.directory[self.directory_index(hash)] as usize;
            let depth = self.branches[index].depth;
            if depth == 0 {
                return;
            }
            let bit = 1 << (u64::BITS - depth);
            let other = self.directory[self.directory_index(hash ^ bit)] as usize;
            if !self.branches[index].may_merge(&self.branches[other]) {
                return;
            }
            let (lower, upper) = if hash & bit == 0 { (index, other) } else { (other, index) };
            let run = Self::run(self.directory_bits, self.branches[lower].prefix, depth - 1);
            self.directory[run].fill(lower as u32);
            let split_off = self.branches.swap_remove(upper);
            let lower = if lower == self.branches.len() { upper } else { lower };
            if let Some(moved) = self.branches.get(upper) {
                // Before the merge for a lower one that moved: its old run is then a part of the new one.
                let run = Self::run(self.directory_bits, moved.prefix, moved.depth);
                self.directory[run].fill(upper as u32);
            }
            self.branches[lower].merge(split_off);
            let merged = &self.branches[lower];
            let run = Self::run(self.directory_bits, merged.prefix, merged.depth);
            self.directory[run].fill(lower as u32);
            while self.directory_bits > 0
                && self.branches.iter().all(|branch| branch.depth < self.directory_bits)
            {
                self.directory = self.directory.iter().copied().step_by(2).collect();
                self.directory_bits -= 1;
            }
        }
    }

    /// Has the processor load what lookups of these keys will need, all at once instead of one after the other.
    pub fn prefetch<'k>(&self, mut lookups: impl Iterator<Item = Lookup<'k>>) {
        if self.is_empty() {
            return;
        }
        loop {
            // First the buckets, each of which is a cache miss, then the entries that they lead to.
            let mut homes =
                [HomeOf { bucket: &[Slot::EMPTY; BUCKET_SLOTS], tag: 0, element: None }; PREFETCH_KEYS];
            let (mut count, mut has_elements) = (0, false);
            for (home, Lookup { key, element }) in homes.iter_mut().zip(lookups.by_ref()) {
                let hash = self.hash(key);
                let Some(branch) = self.branch_index(hash) else { return };
                let branch = &self.branches[branch];
                let segment = &branch.segments[branch.segment_index(hash)];
                let tag = tag_at(hash, segment.depth());
                let bucket = segment.home_bucket(tag);
                prefetch(bucket.as_ptr().cast());
                *home = HomeOf { bucket, tag, element };
                has_elements |= element.is_some();
                count += 1;
            }
            for home in &homes[..count] {
                home.slots().for_each(|slot| slot.prefetch());
            }
            if has_elements {
                self.prefetch_elements(&homes[..count]);
            }
            if count < PREFETCH_KEYS {
                return;
            }
        }
    }

    /// The same for elements of large collections, as soon as the entries are there.
    fn prefetch_elements(&self, homes: &[HomeOf<'_, '_>]) {
        let mut trails: [Option<Trail<'_>>; PREFETCH_KEYS] = [const { None }; PREFETCH_KEYS];
        for (home, trail) in homes.iter().zip(&mut trails) {
            // Another key's entry with the same tag is a way in vain, and no harm.
            if let Some(element) = home.element
                && let Some(entry) = home.slots().find_map(|slot| self.entry(*slot))
                && entry.is_boxed()
            {
                *trail = entry.value().trail(element);
            }
        }
        Trail::go(&mut trails, prefetch);
    }

    /// All entries, in no useful order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        let segments = self.branches.iter().flat_map(|branch| branch.segments.iter());
        segments.flat_map(|segment| segment.slots()).filter_map(|slot| self.entry(slot))
    }

    /// Frees one segment of a table nobody uses any more. False when nothing is left.
    pub(crate) fn free_one_segment(&mut self, mut free: impl FnMut(OwnedEntry)) -> bool {
        while let Some(branch) = self.branches.last_mut() {
            if let Some(segment) = branch.segments.pop() {
                segment.slots().filter_map(Self::own).for_each(&mut free);
                return true;
            }
            self.branches.pop();
        }
        false
    }

    /// What a slot holds, which is not used again.
    #[allow(unsafe_code)]
    fn own(slot: Slot) -> Option<OwnedEntry> {
        // SAFETY: only called for slots of segments that were just taken out of the table.
        slot.entry().map(|entry| unsafe { entry.own() })
    }

    /// Memory of the table itself, without the entries, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        let segments: usize = self.branches.iter().map(|branch| branch.segments.capacity()).sum();
        self.directory.capacity() * size_of::<u32>()
            + self.branches.len() * size_of::<Branch>()
            + segments * size_of::<segment::Segment>()
            + self.totals.bucket_count * size_of::<[Slot; BUCKET_SLOTS]>()
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        while self.free_one_segment(drop) {}
    }
}
