//! Walks in the order of hashes, for SCAN.

use super::Table;
use super::raw::Entry;
use super::segment::tag_at;
use super::slot::{Slot, Tag};

/// A scan position has this many bits: the leading ones of a hash. With the number of one of up to 1024 shards they make a
/// number that a double has exactly, as clients may keep cursors.
pub const POSITION_BITS: u32 = 43;

impl Table {
    /// Visits about `count` entries from `position` on in the order of their hashes, and returns where to go
    /// on, or `None` at the end. Entries that share a position are visited together, so an entry that stays
    /// in the table from the first call to the last is visited at least once, whatever else changes.
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(Entry<'_>)) -> Option<u64> {
        let mut position = position;
        let mut visited = 0;
        loop {
            let hash = position << (u64::BITS - POSITION_BITS);
            let branch = &self.branches[self.branch_index(hash)?];
            let segment = &branch.segments[branch.segment_index(hash)];
            // Positions within the segment are its tags.
            let width_bits = POSITION_BITS - segment.depth();
            let first_position = position >> width_bits << width_bits;
            let from = tag_at(hash, segment.depth());
            let mut found: Vec<Slot> = Vec::new();
            for bucket in segment.home(from)..segment.bucket_count() {
                found.clear();
                segment.visit_home(bucket, |_, slot| found.extend((slot.tag() >= from).then_some(slot)));
                found.sort_unstable_by_key(|slot| slot.tag());
                let mut last = None;
                for slot in &found {
                    let tag = slot.tag();
                    if visited >= count && last != Some(tag) {
                        return Some(first_position | u64::from(tag) << (width_bits - Tag::BITS));
                    }
                    if let Some(entry) = self.entry(*slot) {
                        visit(entry);
                    }
                    visited += 1;
                    last = Some(tag);
                }
            }
            position = first_position + (1 << width_bits);
            if position >> POSITION_BITS != 0 {
                return None;
            }
            if visited >= count {
                return Some(position);
            }
        }
    }
}
