//! A walk that visits every entry once that is there when it begins, while the table goes on changing.
//!
//! It goes in the order of hashes, as SCAN does, so growing and shrinking do not disturb it: what lies before the
//! position has been visited, what lies behind has not. Only exceptions are marked, by a bit in their slots: entries
//! behind the position that are not to be visited, because they are new or were visited out of turn. Passing them the
//! walk clears the bits, so at its end there are none.

use super::Table;
use super::raw::Entry;
use super::scan::POSITION_BITS;
use super::segment::{Place, tag_at};
use super::slot::Tag;

/// Behind the last position.
pub(super) const END: u64 = 1 << POSITION_BITS;
pub(super) const POSITION_SHIFT: u32 = u64::BITS - POSITION_BITS;
/// So many buckets before its turn an entry is loaded.
pub(super) const PREFETCH_BUCKETS: usize = 2;

/// Why [`Table::walk_some`] returned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// Everything was visited. No walk is under way any more.
    End,
    /// There is more to visit.
    Some,
    /// The entry of this key is large: it was not visited and will not be. There is more to visit.
    Large(Box<[u8]>),
}

/// A segment, and where the walk is in it.
pub(super) struct Spot {
    pub(super) branch: usize,
    pub(super) segment: usize,
    /// The segment's first position, and by how many bits a tag is shifted to make a position of it.
    first_position: u64,
    tag_shift: u32,
}

impl Spot {
    pub(super) fn position(&self, tag: usize) -> u64 {
        self.first_position + ((tag as u64) << self.tag_shift)
    }
}

impl Table {
    /// Begins a walk over all entries that are there now.
    pub(crate) fn begin_walk(&mut self) {
        debug_assert!(self.walked_to == END);
        self.walked_to = 0;
    }

    /// Gives the walk up. Bits may be set behind the position returned: see [`Table::clear_some`].
    pub(crate) fn abort_walk(&mut self) -> u64 {
        std::mem::replace(&mut self.walked_to, END)
    }

    #[inline]
    pub(super) fn is_ahead_of_walk(&self, hash: u64) -> bool {
        hash >> POSITION_SHIFT >= self.walked_to
    }

    /// Calls `visit` with the entry of `key` if the walk has it still to visit. If it answers true, the walk has not
    /// any more.
    pub(crate) fn visit_ahead(&mut self, key: &[u8], visit: impl FnOnce(Entry<'_>) -> bool) {
        let Some((branch, segment, place, hash)) = self.locate(key) else { return };
        if !self.is_ahead_of_walk(hash) {
            return;
        }
        let slot = self.branches[branch].segments[segment].slot(place);
        if !slot.is_done()
            && let Some(entry) = self.entry(slot)
            && visit(entry)
        {
            *self.branches[branch].segments[segment].slot_mut(place) = slot.with_done(true);
        }
    }

    /// Goes on with the walk, over up to `buckets` buckets, which are subtracted, or until `visit` answers false or
    /// something is met that `is_large`.
    pub(crate) fn walk_some(
        &mut self,
        buckets: &mut usize,
        is_large: impl Fn(Entry<'_>) -> bool,
        mut visit: impl FnMut(Entry<'_>) -> bool,
    ) -> Walked {
        let mut found: Vec<(Tag, Place)> = Vec::new();
        while self.walked_to < END {
            if *buckets == 0 {
                return Walked::Some;
            }
            *buckets -= 1;
            let Some(spot) = self.spot(self.walked_to) else {
                self.walked_to = END;
                break;
            };
            let next_position = self.find_of_bucket(&spot, &mut found);
            for group in found.chunk_by(|(tag, _), (other, _)| tag == other) {
                // A tag's entries are visited together: a position does not tell them apart.
                let large = group.iter().find(|(_, place)| {
                    let slot = self.branches[spot.branch].segments[spot.segment].slot(*place);
                    !slot.is_done() && self.entry(slot).is_some_and(&is_large)
                });
                if let Some((tag, place)) = large {
                    self.walked_to = self.walked_to.max(spot.position(usize::from(*tag)));
                    return Walked::Large(self.set_aside(&spot, *place));
                }
                let mut more = true;
                for (_, place) in group {
                    more &= self.pass(&spot, *place, &mut visit);
                }
                if !more {
                    self.walked_to = spot.position(usize::from(group[0].0) + 1);
                    return if self.walked_to < END { Walked::Some } else { Walked::End };
                }
            }
            self.walked_to = next_position;
        }
        Walked::End
    }

    pub(super) fn spot(&self, position: u64) -> Option<Spot> {
        let hash = position << POSITION_SHIFT;
        let branch = self.branch_index(hash)?;
        let segment = self.branches[branch].segment_index(hash);
        let width_bits = POSITION_BITS - self.branches[branch].segments[segment].depth();
        let first_position = position >> width_bits << width_bits;
        Some(Spot { branch, segment, first_position, tag_shift: width_bits - Tag::BITS })
    }

    /// Finds what is to be passed next, a bucket's entries in the order of their tags. Returns the position behind
    /// them.
    fn find_of_bucket(&self, spot: &Spot, found: &mut Vec<(Tag, Place)>) -> u64 {
        let segment = &self.branches[spot.branch].segments[spot.segment];
        let from = tag_at(self.walked_to << POSITION_SHIFT, segment.depth());
        let bucket = segment.home(from);
        segment.prefetch_entries(bucket + PREFETCH_BUCKETS);
        // Segments that were merged have coarser tags: the walk may have come half way through one.
        let is_inside = self.walked_to > spot.position(usize::from(from));
        found.clear();
        segment.visit_home(bucket, |place, slot| {
            let was_passed = slot.tag() < from
                || slot.tag() == from
                    && is_inside
                    && self.entry(slot).is_some_and(|entry| !self.is_ahead_of_walk(self.hash(entry.key())));
            if !was_passed {
                found.push((slot.tag(), place));
            }
        });
        found.sort_unstable();
        spot.position(segment.first_tag(bucket + 1))
    }

    /// Marks an entry that is large, so that the walk passes it. Its key.
    fn set_aside(&mut self, spot: &Spot, place: Place) -> Box<[u8]> {
        let segment = &mut self.branches[spot.branch].segments[spot.segment];
        let slot = segment.slot(place);
        *segment.slot_mut(place) = slot.with_done(true);
        self.entry(slot).map_or(Box::default(), |entry| entry.key().into())
    }

    /// Visits an entry unless it is marked; then it is not any more.
    fn pass(&mut self, spot: &Spot, place: Place, visit: &mut impl FnMut(Entry<'_>) -> bool) -> bool {
        let segment = &mut self.branches[spot.branch].segments[spot.segment];
        let slot = segment.slot(place);
        if slot.is_done() {
            *segment.slot_mut(place) = slot.with_done(false);
            return true;
        }
        self.entry(slot).is_none_or(visit)
    }

    /// Clears the marks that a walk left which was given up, of one segment. Returns where to go on; `None` at the end.
    pub(crate) fn clear_some(&mut self, position: u64) -> Option<u64> {
        let spot = self.spot(position)?;
        let segment = &mut self.branches[spot.branch].segments[spot.segment];
        let marked: Vec<Place> =
            segment.places().filter(|(_, slot)| slot.is_done()).map(|(place, _)| place).collect();
        for place in marked {
            let slot = segment.slot_mut(place);
            *slot = slot.with_done(false);
        }
        let next_position = spot.position(1 << Tag::BITS);
        (next_position < END).then_some(next_position)
    }
}

#[cfg(test)]
impl Table {
    /// How many entries are marked.
    pub(crate) fn marks(&self) -> usize {
        let segments = self.branches.iter().flat_map(|branch| &branch.segments);
        segments.flat_map(|segment| segment.slots()).filter(|slot| slot.is_done()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Content, OwnedEntry};
    use ahash::RandomState;

    /// Keys in the order of their hashes.
    fn filled(count: u32) -> (Table, Vec<(u64, Vec<u8>)>) {
        let mut table = Table::new(RandomState::with_seeds(1, 2, 3, 4));
        let mut keys = Vec::new();
        for number in 0..count {
            let key = number.to_string().into_bytes();
            table.insert_new(OwnedEntry::new(&key, Content::Integer(0), None, 0));
            keys.push((table.hash(&key), key));
        }
        keys.sort();
        (table, keys)
    }

    #[test]
    fn keys_that_come_to_share_a_position_are_told_apart() {
        let (_, keys) = filled(3000);
        let mut pairs = 0;
        for at in 0..keys.len() - 1 {
            // In one segment, as it will be, both have one tag; in the many that there are they do not.
            let [(first_hash, first), (second_hash, second)] = [&keys[at], &keys[at + 1]];
            if first_hash >> 48 != second_hash >> 48 || first_hash >> 46 == second_hash >> 46 {
                continue;
            }
            pairs += 1;
            let (mut table, _) = filled(3000);
            table.begin_walk();
            let mut visited = 0;
            let until_first = |entry: Entry<'_>| {
                visited += 1;
                entry.key() != first.as_slice()
            };
            assert_eq!(table.walk_some(&mut usize::MAX.clone(), |_| false, until_first), Walked::Some);
            assert_eq!(visited, at + 1);
            for (_, key) in keys.iter().filter(|(_, key)| key != first && key != second) {
                table.remove(key).unwrap();
            }
            assert_eq!(table.spot(0).unwrap().tag_shift, POSITION_BITS - 16, "it is one segment");
            let walked = table.walk_some(&mut usize::MAX.clone(), |_| true, |_| panic!("it is large"));
            assert_eq!(walked, Walked::Large(second.as_slice().into()));
            let walked = table.walk_some(&mut usize::MAX.clone(), |_| true, |_| panic!("both were visited"));
            assert_eq!((walked, table.marks()), (Walked::End, 0));
        }
        assert!(pairs > 5, "{pairs}");
    }
}
