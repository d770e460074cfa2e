//! A branch: up to 64 segments whose keys share their leading hash bits, with a directory of its own.
//!
//! A table's directory leads to branches, a branch's directory to segments. Both double when they must, as in
//! extendible hashing; being two, neither gets so large that this takes long.

use super::segment::{BUCKETS_MAX, NEVER_MS, Segment};
use super::slot::Slot;

/// Directory bits of a branch at most; its directory then is one cache line.
const BITS_MAX: u32 = 6;
/// Segments this deep do not fill: among all keys that fit into any memory, few share so many hash bits. Together with
/// a tag they are a scan position.
const DEPTH_MAX: u32 = super::scan::POSITION_BITS - super::slot::Tag::BITS;
/// Two branches that have no more segments than this each are made one.
const MERGE_MAX_SEGMENTS: usize = 16;

#[derive(Debug)]
pub(super) struct Branch {
    /// How many leading hash bits all keys share, and these bits, the others being 0.
    pub(super) depth: u32,
    pub(super) prefix: u64,
    bits: u32,
    directory: [u8; 1 << BITS_MAX],
    pub(super) segments: Vec<Segment>,
    /// As [`Segment::next_due_ms`], of all segments: no later than the earliest of them.
    pub(super) next_due_ms: i64,
}

/// What [`Branch::make_room`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is room, and so many buckets more than before.
    Made(isize),
    /// The branch must be split first.
    SplitBranch,
}

impl Branch {
    pub(super) fn new() -> Branch {
        Branch {
            depth: 0,
            prefix: 0,
            bits: 0,
            directory: [0; 1 << BITS_MAX],
            segments: vec![Segment::new(0)],
            next_due_ms: NEVER_MS,
        }
    }

    #[inline]
    fn directory_index(&self, hash: u64) -> usize {
        // With no bits at all, shifting by 64 is not allowed, and 0 is meant.
        (hash << self.depth).checked_shr(u64::BITS - self.bits).unwrap_or(0) as usize
    }

    #[inline]
    pub(super) fn segment_index(&self, hash: u64) -> usize {
        usize::from(self.directory[self.directory_index(hash)])
    }

    /// The directory indices that lead to a segment of this depth and any of its hashes.
    fn run(&self, hash: u64, depth: u32) -> std::ops::Range<usize> {
        let span = 1 << (self.bits - (depth - self.depth));
        let first = self.directory_index(hash) & !(span - 1);
        first..first + span
    }

    /// Has the segment that `hash` belongs to take one more entry.
    pub(super) fn make_room(&mut self, hash: u64, hash_of: &impl Fn(Slot) -> u64) -> Room {
        let mut more_buckets = 0;
        loop {
            let index = self.segment_index(hash);
            let segment = &mut self.segments[index];
            if segment.has_room() {
                return Room::Made(more_buckets);
            }
            let buckets = segment.bucket_count() as isize;
            if segment.grow() {
                more_buckets += segment.bucket_count() as isize - buckets;
                continue;
            }
            let depth = segment.depth();
            // The seed is the server's own and told to nobody, so no client can choose such keys.
            assert!(depth < DEPTH_MAX, "hundreds of keys share {DEPTH_MAX} bits of a seeded hash");
            if depth - self.depth == BITS_MAX {
                // Nothing has changed yet: a segment this deep has not just been split.
                debug_assert_eq!(more_buckets, 0);
                return Room::SplitBranch;
            }
            if depth - self.depth == self.bits {
                self.double_directory();
            }
            let run = self.run(hash, depth);
            let upper = self.segments[index].split(hash_of);
            more_buckets += (self.segments[index].bucket_count() + upper.bucket_count()) as isize - buckets;
            let upper_index = self.segments.len() as u8;
            self.segments.push(upper);
            self.directory[run.start + run.len() / 2..run.end].fill(upper_index);
        }
    }

    fn double_directory(&mut self) {
        for index in (0..1 << self.bits).rev() {
            let segment = self.directory[index];
            self.directory[2 * index..2 * index + 2].fill(segment);
        }
        self.bits += 1;
    }

    /// Splits by the next hash bit. The upper half is returned.
    pub(super) fn split(&mut self) -> Branch {
        let half = 1 << (self.bits - 1);
        let depth = self.depth + 1;
        let bit = 1 << (u64::BITS - depth);
        let old_segments = std::mem::take(&mut self.segments);
        let mut halves = [0, bit].map(|bit| Branch {
            depth,
            prefix: self.prefix | bit,
            bits: self.bits - 1,
            directory: [0; 1 << BITS_MAX],
            segments: Vec::with_capacity(old_segments.len() / 2 + 1),
            next_due_ms: self.next_due_ms,
        });
        let mut new_index = [None; 1 << BITS_MAX];
        let mut old_segments: Vec<Option<Segment>> = old_segments.into_iter().map(Some).collect();
        for (at, old_index) in self.directory[..2 * half].iter().enumerate() {
            let branch = &mut halves[at / half];
            let old_index = usize::from(*old_index);
            let index = *new_index[old_index].get_or_insert_with(|| {
                branch.segments.push(old_segments[old_index].take().expect("moved once"));
                (branch.segments.len() - 1) as u8
            });
            branch.directory[at % half] = index;
        }
        let [lower, upper] = halves;
        *self = lower;
        upper
    }

    /// Gives back memory where an entry with `hash` was taken out. Returns how many buckets fewer there are.
    #[inline]
    pub(super) fn shrink(&mut self, hash: u64) -> usize {
        let index = self.segment_index(hash);
        let before = self.segments[index].bucket_count();
        if !self.segments[index].shrink() {
            return 0;
        }
        let mut fewer = before - self.segments[index].bucket_count();
        while let Some(merged) = self.merge_segments(hash) {
            fewer += merged;
        }
        fewer
    }

    /// Makes one of the segment that `hash` belongs to and its other half, if both are small. Returns how many buckets
    /// fewer there are.
    fn merge_segments(&mut self, hash: u64) -> Option<usize> {
        let index = self.segment_index(hash);
        let depth = self.segments[index].depth();
        if depth == self.depth {
            return None;
        }
        let other_hash = hash ^ 1 << (u64::BITS - depth);
        let other = self.segment_index(other_hash);
        let (this_len, other_len) = (self.segments[index].len(), self.segments[other].len());
        // Half of what a segment can hold, so that it does not split again soon.
        if self.segments[other].depth() != depth || this_len + other_len > BUCKETS_MAX * 7 / 2 {
            return None;
        }
        let is_upper = hash >> (u64::BITS - depth) & 1 != 0;
        let (lower, upper) = if is_upper { (other, index) } else { (index, other) };
        let before = self.segments[lower].bucket_count() + self.segments[upper].bucket_count();
        let run = self.run(hash, depth - 1);
        self.segments[lower] = Segment::merge(&self.segments[lower], &self.segments[upper]);
        self.directory[run].fill(lower as u8);
        let merged = before - self.segments[lower].bucket_count();
        self.segments.swap_remove(upper);
        let moved = self.segments.len() as u8;
        for index in &mut self.directory[..1 << self.bits] {
            if *index == moved {
                *index = upper as u8;
            }
        }
        self.halve_directory();
        if self.segments.capacity() > 4 * self.segments.len() {
            self.segments.shrink_to(2 * self.segments.len());
        }
        Some(merged)
    }

    fn halve_directory(&mut self) {
        while self.bits > 0 && self.segments.iter().all(|segment| segment.depth() - self.depth < self.bits) {
            self.bits -= 1;
            for index in 0..1 << self.bits {
                self.directory[index] = self.directory[2 * index];
            }
        }
    }

    /// Whether this and another branch, split from the same one, may become one again.
    pub(super) fn may_merge(&self, other: &Branch) -> bool {
        let small = |branch: &Branch| branch.segments.len() <= MERGE_MAX_SEGMENTS && branch.bits < BITS_MAX;
        self.depth == other.depth && small(self) && small(other)
    }

    /// Takes the segments of the branch that was split off.
    pub(super) fn merge(&mut self, upper: Branch) {
        let bits = self.bits.max(upper.bits);
        let first_upper = self.segments.len() as u8;
        let mut directory = [0; 1 << BITS_MAX];
        for at in 0..1usize << bits {
            directory[at] = self.directory[at >> (bits - self.bits)];
            directory[(1 << bits) + at] = upper.directory[at >> (bits - upper.bits)] + first_upper;
        }
        self.directory = directory;
        self.bits = bits + 1;
        self.depth -= 1;
        self.segments.extend(upper.segments);
        self.next_due_ms = self.next_due_ms.min(upper.next_due_ms);
        debug_assert_eq!(self.prefix >> (u64::BITS - self.depth - 1) & 1, 0, "the lower half stays");
    }

    /// Panics if the branch is not what it should be.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut met = vec![0usize; self.segments.len()];
        for index in &self.directory[..1 << self.bits] {
            met[usize::from(*index)] += 1;
        }
        for (segment, met) in self.segments.iter().zip(met) {
            assert_eq!(met, 1 << (self.bits - (segment.depth() - self.depth)));
            assert!(self.next_due_ms <= segment.next_due_ms);
        }
    }
}
