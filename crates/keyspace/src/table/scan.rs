//! Walks in the order of hashes, for SCAN.
//!
//! A walk stops between the last key visited and the next, at the position of the fewest leading bits that lies there.
//! These bits in the opposite order are the number that SCAN gets: about as large as the number of keys, and in any
//! case of no more than [`CURSOR_BITS`] bits. With a shard's number of up to 14 bits, clients may keep it as a double.

use super::Table;
use super::raw::Entry;
use super::segment::tag_at;
use super::slot::{Slot, Tag};

/// A position has this many bits: the leading ones of a hash.
pub const POSITION_BITS: u32 = 48;
/// A cursor of [`Table::scan`] has at most this many bits. Keys whose hashes have as many leading bits in common are
/// visited together.
pub const CURSOR_BITS: u32 = 39;

/// The cursor of a position, which may be one of fewer bits.
fn cursor_of(position: u64) -> u64 {
    (position << (u64::BITS - POSITION_BITS)).reverse_bits()
}

/// The position behind `last` and not behind `next` of the fewest bits. `None` if there is none that a cursor may stand
/// for.
pub(super) fn between(last: u64, next: u64) -> Option<u64> {
    let bit = (last ^ next).checked_ilog2()?;
    (bit >= POSITION_BITS - CURSOR_BITS).then_some(next >> bit << bit)
}

impl Table {
    /// Visits about `count` entries from a cursor on, 0 at the start, in the order of their hashes. The cursor to go on
    /// from, or `None` at the end. Entries that are too close together for a cursor are visited together, so an entry
    /// that stays in the table from the first call to the last is visited at least once, whatever else changes.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(Entry<'_>)) -> Option<u64> {
        let mut position = cursor.reverse_bits() >> (u64::BITS - POSITION_BITS);
        let (mut visited, mut last) = (0, None);
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
                for slot in &found {
                    let here = first_position | u64::from(slot.tag()) << (width_bits - Tag::BITS);
                    if visited >= count
                        && let Some(stop) = last.and_then(|last| between(last, here))
                    {
                        return Some(cursor_of(stop));
                    }
                    if let Some(entry) = self.entry(*slot) {
                        visit(entry);
                    }
                    visited += 1;
                    last = Some(here);
                }
            }
            position = first_position + (1 << width_bits);
            if position >> POSITION_BITS != 0 {
                return None;
            }
            // Positions at which segments begin have few bits.
            if visited >= count && position.trailing_zeros() >= POSITION_BITS - CURSOR_BITS {
                return Some(cursor_of(position));
            }
        }
    }
}
