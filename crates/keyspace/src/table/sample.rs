//! Random entries: for RANDOMKEY, and for eviction.

use super::Table;
use super::raw::Entry;
use super::segment::{BUCKET_SLOTS, BUCKETS_MAX};

/// Draws after which a fair one is given up on.
const DRAWS_MAX: usize = 100_000;
/// Segments a branch may have.
const BRANCH_MAX_SEGMENTS: usize = 64;

/// Where eviction looked last for entries with an expiry, which may be rare.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    branch: usize,
    segment: usize,
}

impl Table {
    /// A random entry, each with the same chance.
    pub fn random(&self, random: &mut fastrand::Rng) -> Option<Entry<'_>> {
        if self.is_empty() {
            return None;
        }
        // A small table has few segments, and small ones.
        let (segments_max, buckets_max) = if let [branch] = self.branches.as_slice() {
            let largest = branch.segments.iter().map(|segment| segment.bucket_count()).max();
            (branch.segments.len(), largest.unwrap_or(1))
        } else {
            (BRANCH_MAX_SEGMENTS, BUCKETS_MAX)
        };
        // Any slot of any segment has the same chance, as if all branches and segments were as large as they may be.
        for _ in 0..DRAWS_MAX {
            let branch = &self.branches[random.usize(..self.branches.len())];
            let Some(segment) = branch.segments.get(random.usize(..segments_max)) else { continue };
            let place = random.usize(..buckets_max * BUCKET_SLOTS);
            if place < segment.bucket_count() * BUCKET_SLOTS
                && let Some(entry) = self.entry(segment.slot(place))
            {
                return Some(entry);
            }
        }
        self.iter().nth(random.usize(..self.len()))
    }

    /// Calls `visit` with about `count` entries that lie together at a random place, among all entries or those with an
    /// expiry. Each entry has about the same chance.
    pub(crate) fn sample(
        &mut self,
        volatile: bool,
        count: usize,
        random: &mut fastrand::Rng,
        mut visit: impl FnMut(Entry<'_>),
    ) {
        let candidates = if volatile { self.totals.volatile_len } else { self.totals.len };
        if candidates == 0 {
            return;
        }
        let (mut branch_index, mut segment_index) = (self.sampling.branch, self.sampling.segment);
        // Where nearly all entries are candidates, start anywhere. Where they are rare, go on from the last place:
        // starting anywhere would walk the same long way again and again.
        if candidates * 64 > self.totals.len {
            branch_index = random.usize(..self.branches.len());
            segment_index = random.usize(..self.branches[branch_index].segments.len());
        }
        let mut visited = 0;
        loop {
            if branch_index >= self.branches.len() {
                branch_index = 0;
            }
            let branch = &self.branches[branch_index];
            let Some(segment) = branch.segments.get(segment_index) else {
                (branch_index, segment_index) = (branch_index + 1, 0);
                continue;
            };
            segment_index += 1;
            if segment.len() == 0 || volatile && segment.volatile_len == 0 {
                continue;
            }
            let places = segment.bucket_count() * BUCKET_SLOTS;
            let start = random.usize(..places);
            for at in 0..places {
                let slot = segment.slot((start + at) % places);
                if slot.is_empty() || volatile && !slot.is_volatile() {
                    continue;
                }
                if let Some(entry) = self.entry(slot) {
                    visit(entry);
                    visited += 1;
                }
                if visited == count.min(candidates) {
                    (self.sampling.branch, self.sampling.segment) = (branch_index, segment_index);
                    return;
                }
            }
        }
    }
}
