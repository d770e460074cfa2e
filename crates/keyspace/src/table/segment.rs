//! A segment: some hundred entries whose keys share their leading hash bits.
//!
//! Buckets of eight slots, a cache line each. An entry belongs in the bucket that its tag points to, scaled to the
//! number of buckets, or in one of those behind it if that is full (linear probing, round the end). So entries lie
//! nearly in the order of their hashes, the number of buckets need not be a power of two, and a segment grows by a
//! chunk of eight buckets instead of doubling. Chunks are all of one length: what one segment gives back fits any
//! other. Neither growing nor shrinking nor merging looks at an entry; only splitting does.

use super::slot::{Slot, Tag};

/// Slots in a bucket.
pub(super) const BUCKET_SLOTS: usize = 8;
/// Of eight slots so many are filled at most, on average over a segment.
const FILLED_MAX_SLOTS: usize = 7;
/// Buckets that are allocated together.
const CHUNK_BUCKETS: usize = 8;
const CHUNKS_MAX: usize = 8;
/// A segment this large splits instead of growing.
pub(super) const BUCKETS_MAX: usize = CHUNK_BUCKETS * CHUNKS_MAX;
/// Nothing is due.
pub(super) const NEVER_MS: i64 = i64::MAX;

type Bucket = [Slot; BUCKET_SLOTS];
type Chunk = [Bucket; CHUNK_BUCKETS];

/// Where a slot is in a segment: bucket times eight plus place.
pub(super) type Place = usize;

#[derive(Debug)]
pub(super) struct Segment {
    /// The first `chunk_count` are there.
    chunks: [Option<Box<Chunk>>; CHUNKS_MAX],
    /// No entry's time is over before this, in Unix milliseconds, except for the few that a search for expired ones
    /// left to be found together with others. [`NEVER_MS`] without such entries.
    pub(super) next_due_ms: i64,
    len: u16,
    pub(super) volatile_len: u16,
    chunk_count: u8,
    depth: u8,
}

/// How many entries so many chunks take.
fn filled_max_len(chunk_count: usize) -> usize {
    chunk_count * CHUNK_BUCKETS * FILLED_MAX_SLOTS
}

/// As few chunks as hold `len` entries and an eighth more.
fn chunk_count_for(len: usize) -> usize {
    (len + len / 8).div_ceil(filled_max_len(1)).clamp(1, CHUNKS_MAX)
}

impl Segment {
    pub(super) fn new(depth: u32) -> Segment {
        Segment::with_chunk_count(1, depth)
    }

    fn with_chunk_count(count: usize, depth: u32) -> Segment {
        let mut segment = Segment {
            chunks: Default::default(),
            next_due_ms: NEVER_MS,
            len: 0,
            volatile_len: 0,
            chunk_count: 0,
            depth: depth as u8,
        };
        segment.set_chunk_count(count);
        segment
    }

    /// Allocates or frees the last chunks.
    fn set_chunk_count(&mut self, count: usize) {
        self.chunk_count = count as u8;
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            if at >= count {
                *chunk = None;
            } else if chunk.is_none() {
                *chunk = Some(Box::default());
            }
        }
    }

    /// How many leading hash bits all keys share.
    #[inline]
    pub(super) fn depth(&self) -> u32 {
        u32::from(self.depth)
    }

    #[inline]
    fn bucket(&self, at: usize) -> &Bucket {
        let chunk = self.chunks[at / CHUNK_BUCKETS].as_deref();
        &chunk.expect("there are as many chunks as the count says")[at % CHUNK_BUCKETS]
    }

    #[inline]
    fn bucket_mut(&mut self, at: usize) -> &mut Bucket {
        let chunk = self.chunks[at / CHUNK_BUCKETS].as_deref_mut();
        &mut chunk.expect("there are as many chunks as the count says")[at % CHUNK_BUCKETS]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub(super) fn bucket_count(&self) -> usize {
        usize::from(self.chunk_count) * CHUNK_BUCKETS
    }

    /// The bucket where an entry with this tag belongs.
    #[inline]
    pub(super) fn home(&self, tag: Tag) -> usize {
        (usize::from(tag) * self.bucket_count()) >> Tag::BITS
    }

    /// The first tag that belongs in `bucket`.
    pub(super) fn first_tag(&self, bucket: usize) -> usize {
        (bucket << Tag::BITS).div_ceil(self.bucket_count())
    }

    /// Has the processor load the entries in `bucket`, if there is such a bucket.
    pub(super) fn prefetch_entries(&self, bucket: usize) {
        if bucket < self.bucket_count() {
            self.bucket(bucket).iter().for_each(|slot| slot.prefetch());
        }
    }

    #[inline]
    fn bucket_after(&self, bucket: usize) -> usize {
        if bucket + 1 == self.bucket_count() { 0 } else { bucket + 1 }
    }

    /// How many buckets an entry in `bucket` is away from `home`.
    fn distance(&self, home: usize, bucket: usize) -> usize {
        if bucket >= home { bucket - home } else { bucket + self.bucket_count() - home }
    }

    #[inline]
    pub(super) fn slot(&self, place: Place) -> Slot {
        self.bucket(place / BUCKET_SLOTS)[place % BUCKET_SLOTS]
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, place: Place) -> &mut Slot {
        &mut self.bucket_mut(place / BUCKET_SLOTS)[place % BUCKET_SLOTS]
    }

    /// The bucket where an entry with this tag is most likely found.
    #[inline]
    pub(super) fn home_bucket(&self, tag: Tag) -> &[Slot; BUCKET_SLOTS] {
        self.bucket(self.home(tag))
    }

    /// Where the entry is that has this tag and for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, tag: Tag, mut is_it: impl FnMut(Slot) -> bool) -> Option<Place> {
        let home = self.home(tag);
        let mut bucket = home;
        loop {
            let slots = self.bucket(bucket);
            let (mut equal, has_room) = look_at(slots, tag);
            while equal != 0 {
                let at = equal.trailing_zeros() as usize;
                if is_it(slots[at]) {
                    return Some(bucket * BUCKET_SLOTS + at);
                }
                equal &= equal - 1;
            }
            if has_room {
                return None;
            }
            bucket = self.bucket_after(bucket);
            if bucket == home {
                return None;
            }
        }
    }

    /// Another entry fits without growing.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.len() < filled_max_len(usize::from(self.chunk_count))
    }

    /// Puts an entry in. There is room.
    pub(super) fn insert(&mut self, slot: Slot) -> Place {
        debug_assert!(self.has_room() && !slot.is_empty());
        self.len += 1;
        self.volatile_len += u16::from(slot.is_volatile());
        self.place(slot)
    }

    fn place(&mut self, slot: Slot) -> Place {
        let mut bucket = self.home(slot.tag());
        loop {
            let slots = self.bucket_mut(bucket);
            if let Some(at) = slots.iter().position(|slot| slot.is_empty()) {
                slots[at] = slot;
                return bucket * BUCKET_SLOTS + at;
            }
            bucket = self.bucket_after(bucket);
        }
    }

    /// Takes an entry out. Those behind move up where that closes a gap, so that a search may end at an empty slot.
    pub(super) fn remove(&mut self, place: Place) -> Slot {
        let (mut gap, mut at) = (place / BUCKET_SLOTS, place % BUCKET_SLOTS);
        let was_full = !self.bucket(gap).iter().any(|slot| slot.is_empty());
        let removed = std::mem::take(&mut self.bucket_mut(gap)[at]);
        debug_assert!(!removed.is_empty());
        self.len -= 1;
        self.volatile_len -= u16::from(removed.is_volatile());
        if !was_full {
            return removed;
        }
        let mut bucket = self.bucket_after(gap);
        while bucket != gap {
            let is_last = self.bucket(bucket).iter().any(|slot| slot.is_empty());
            let away = self.distance(gap, bucket);
            let movable = self
                .bucket(bucket)
                .iter()
                .position(|slot| !slot.is_empty() && self.distance(self.home(slot.tag()), bucket) >= away);
            if let Some(from) = movable {
                self.bucket_mut(gap)[at] = std::mem::take(&mut self.bucket_mut(bucket)[from]);
                (gap, at) = (bucket, from);
            }
            if is_last {
                break;
            }
            bucket = self.bucket_after(bucket);
        }
        removed
    }

    /// Makes room by growing. False if the segment is to be split instead.
    pub(super) fn grow(&mut self) -> bool {
        let count = usize::from(self.chunk_count) + 1;
        if count > CHUNKS_MAX {
            return false;
        }
        self.resize(count);
        true
    }

    /// Gives memory back if few entries are left. True if it did.
    pub(super) fn shrink(&mut self) -> bool {
        let count = usize::from(self.chunk_count);
        if count == 1 || self.len() * 8 > filled_max_len(count) * 4 {
            return false;
        }
        let fitting = chunk_count_for(self.len());
        if fitting >= count {
            return false;
        }
        self.resize(fitting);
        true
    }

    fn resize(&mut self, count: usize) {
        let (slots, slots_len) = self.copy_slots();
        for chunk in self.chunks.iter_mut().flatten() {
            **chunk = Chunk::default();
        }
        self.set_chunk_count(count);
        for slot in &slots[..slots_len] {
            self.place(*slot);
        }
    }

    /// The slots that hold something, and how many these are.
    fn copy_slots(&self) -> ([Slot; BUCKETS_MAX * BUCKET_SLOTS], usize) {
        let mut slots = [Slot::EMPTY; BUCKETS_MAX * BUCKET_SLOTS];
        let mut slots_len = 0;
        for slot in self.slots() {
            slots[slots_len] = slot;
            slots_len += 1;
        }
        (slots, slots_len)
    }

    /// Splits by the next hash bit. `hash_of` tells the hash of an entry's key. The upper half is returned.
    pub(super) fn split(&mut self, hash_of: impl Fn(Slot) -> u64) -> Segment {
        // Every key is hashed, which means a cache miss for each: have them all at once.
        self.slots().for_each(Slot::prefetch);
        let depth = self.depth() + 1;
        let is_upper = |slot: Slot| slot.tag() >> (Tag::BITS - 1) != 0;
        let upper_len = self.slots().filter(|slot| is_upper(*slot)).count();
        let mut lower = Segment::with_chunk_count(chunk_count_for(self.len() - upper_len), depth);
        let mut upper = Segment::with_chunk_count(chunk_count_for(upper_len), depth);
        for slot in self.slots() {
            let half = if is_upper(slot) { &mut upper } else { &mut lower };
            half.insert(slot.with_tag(tag_at(hash_of(slot), depth)));
        }
        for half in [&mut lower, &mut upper] {
            half.next_due_ms = if half.volatile_len == 0 { NEVER_MS } else { self.next_due_ms };
        }
        *self = lower;
        upper
    }

    /// Of two segments that were split from one, or could have been, makes one.
    pub(super) fn merge(lower: &Segment, upper: &Segment) -> Segment {
        debug_assert!(lower.depth == upper.depth && lower.depth > 0);
        let count = chunk_count_for(lower.len() + upper.len());
        let mut merged = Segment::with_chunk_count(count, lower.depth() - 1);
        for (half, bit) in [(lower, 0), (upper, 1)] {
            for slot in half.slots() {
                merged.insert(slot.with_tag(slot.tag() >> 1 | bit << (Tag::BITS - 1)));
            }
        }
        merged.next_due_ms = lower.next_due_ms.min(upper.next_due_ms);
        merged
    }

    /// Moves the chunks into other blocks of memory for which `should_move` says so, told address and length.
    pub(super) fn move_chunks(&mut self, mut should_move: impl FnMut(*const u8, usize) -> bool) {
        for chunk in self.chunks.iter_mut().flatten() {
            if should_move(std::ptr::from_ref(chunk.as_ref()).cast(), size_of::<Chunk>()) {
                *chunk = chunk.clone();
            }
        }
    }

    /// The slots that hold something, with their places.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Slot)> {
        let slots = self.chunks.iter().flatten().flat_map(|chunk| chunk.as_flattened());
        slots.copied().enumerate().filter(|(_, slot)| !slot.is_empty())
    }

    /// The slots that hold something.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        self.places().map(|(_, slot)| slot)
    }

    /// Calls `visit` with the entries that belong in `bucket`, and their places.
    pub(super) fn visit_home(&self, home: usize, mut visit: impl FnMut(Place, Slot)) {
        let mut bucket = home;
        loop {
            let mut has_room = false;
            for (at, slot) in self.bucket(bucket).iter().enumerate() {
                if slot.is_empty() {
                    has_room = true;
                } else if self.home(slot.tag()) == home {
                    visit(bucket * BUCKET_SLOTS + at, *slot);
                }
            }
            bucket = self.bucket_after(bucket);
            if has_room || bucket == home {
                return;
            }
        }
    }
}

/// The tag of a key with this hash in a segment of this depth.
#[inline]
pub(super) fn tag_at(hash: u64, depth: u32) -> Tag {
    ((hash << depth) >> (u64::BITS - Tag::BITS)) as Tag
}

/// Which slots of a bucket hold an entry with this tag, a bit each, and whether any is empty.
#[inline]
fn look_at(bucket: &Bucket, tag: Tag) -> (u32, bool) {
    let (mut equal, mut empty) = (0, 0);
    for (at, slot) in bucket.iter().enumerate() {
        equal |= u32::from(slot.tag() == tag) << at;
        empty |= u32::from(slot.is_empty()) << at;
    }
    (equal & !empty, empty != 0)
}
