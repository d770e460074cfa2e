//! Moving entries into other blocks of memory, so that the allocator may give back the pages that they leave.
//!
//! Only the allocator knows which blocks are worth moving, so whoever asks brings a test of an address. What moves
//! keeps its place in the table, its tag and its marks: nobody can tell, neither a command nor a walk that is under
//! way.

use super::Table;
use super::raw::RawEntry;
use super::segment::{Segment, tag_at};
use super::slot::Slot;
use super::walk::{END, POSITION_SHIFT, PREFETCH_BUCKETS, Spot};
use tessera_values::listpack::{Element, Pack};
use tessera_values::table::Cursor;
use tessera_values::{HashRef, ListRef, SetRef, SortedSetRef, StringValue, Value, ValueRef};

/// Longer blocks are left where they are, in bytes. The allocator has none of them in common with others.
const MOVED_MAX_BYTES: usize = 512 * 1024;
/// Collections that take more memory than this are left as they are, in bytes: they are rebuilt as a whole.
const REBUILT_MAX_BYTES: usize = 256 * 1024;
/// So many of a collection's blocks are looked at.
const LOOKED_AT_MAX: usize = 64;
/// It is rebuilt if at least one of so many of them had better move.
const REBUILT_SHARE: u64 = 4;

/// Which blocks had better move, and how many did.
pub(crate) struct Moves<'a> {
    is_sparse: &'a dyn Fn(*const u8) -> bool,
    /// Collections of more elements are left as they are, all of them if it is 0.
    pub(crate) elements_max: usize,
    /// Blocks that were moved.
    pub(crate) hits: u64,
    /// Blocks that were not.
    pub(crate) misses: u64,
    /// Keys of which anything was moved.
    pub(crate) key_hits: u64,
    /// Keys of which nothing was.
    pub(crate) key_misses: u64,
}

impl<'a> Moves<'a> {
    pub(crate) fn new(is_sparse: &'a dyn Fn(*const u8) -> bool) -> Moves<'a> {
        Moves { is_sparse, elements_max: 0, hits: 0, misses: 0, key_hits: 0, key_misses: 0 }
    }

    /// Whether a block is to be moved, which then counts as done.
    #[inline]
    pub(super) fn should_move(&mut self, block: *const u8, len_bytes: usize) -> bool {
        if len_bytes == 0 {
            return false;
        }
        let moves = len_bytes <= MOVED_MAX_BYTES && (self.is_sparse)(block);
        self.hits += u64::from(moves);
        self.misses += u64::from(!moves);
        moves
    }
}

impl Table {
    /// Moves what belongs to the entries of one bucket, the one at `position`, which is as in [`Table::scan`]; and of
    /// the table itself, what that begins. Returns where to go on, `None` at the end.
    pub(crate) fn defragment_bucket(&mut self, position: u64, moves: &mut Moves<'_>) -> Option<u64> {
        let spot = self.spot(position)?;
        let branch = &mut self.branches[spot.branch];
        let segment = &mut branch.segments[spot.segment];
        let bucket = segment.home(tag_at(position << POSITION_SHIFT, segment.depth()));
        if bucket == 0 {
            segment.move_chunks(|chunk, len_bytes| moves.should_move(chunk, len_bytes));
        }
        segment.prefetch_entries(bucket + PREFETCH_BUCKETS);
        let mut places = Vec::new();
        segment.visit_home(bucket, |place, _| places.push(place));
        let next_position = spot.position(segment.first_tag(bucket + 1));
        if bucket == 0 && spot.segment == 0 {
            let len_bytes = branch.segments.capacity() * size_of::<Segment>();
            if moves.should_move(branch.segments.as_ptr().cast(), len_bytes) {
                let mut moved = Vec::with_capacity(branch.segments.capacity());
                moved.append(&mut branch.segments);
                branch.segments = moved;
            }
        }
        for place in places {
            self.defragment_entry(&spot, place, moves);
        }
        (next_position < END).then_some(next_position)
    }

    #[allow(unsafe_code)]
    fn defragment_entry(&mut self, spot: &Spot, place: usize, moves: &mut Moves<'_>) {
        let slot = self.branches[spot.branch].segments[spot.segment].slot(place);
        let Some(raw) = slot.entry() else { return };
        let hits = moves.hits;
        // SAFETY: the table owns the entry and is borrowed mutably. The old address leaves the slot before anything
        // else happens.
        let moved = unsafe { raw.relocate(moves) };
        if moved != raw {
            let moved = Slot::new(slot.tag(), moved, slot.is_volatile()).with_done(slot.is_done());
            *self.branches[spot.branch].segments[spot.segment].slot_mut(place) = moved;
        }
        self.defragment_value(moved, moves);
        let is_hit = moves.hits > hits;
        moves.key_hits += u64::from(is_hit);
        moves.key_misses += u64::from(!is_hit);
    }

    /// Moves what belongs to a boxed value, if the entry has one.
    #[allow(unsafe_code)]
    fn defragment_value(&mut self, raw: RawEntry, moves: &mut Moves<'_>) {
        // SAFETY: the table owns the entry and is borrowed mutably.
        let Some(value) = (unsafe { raw.boxed_mut() }) else { return };
        let before_bytes = value.allocated_bytes();
        if let Value::String(string) = value {
            let StringValue::Growing(bytes) = string else { return };
            if moves.should_move(bytes.as_ptr(), bytes.capacity()) {
                // With the same room to grow.
                let mut moved = Vec::with_capacity(bytes.capacity());
                moved.extend_from_slice(bytes);
                *bytes = moved;
            }
        } else if before_bytes <= REBUILT_MAX_BYTES && is_worth_rebuilding(value, moves) {
            *value = value.clone();
        }
        self.totals.entry_bytes = self.totals.entry_bytes + value.allocated_bytes() - before_bytes;
    }
}

/// Looks at some of a collection's blocks, and answers whether enough of them had better move for all of it to be built
/// anew; that then counts as done.
fn is_worth_rebuilding(value: &Value, moves: &mut Moves<'_>) -> bool {
    if value.as_ref().elements_len() > moves.elements_max {
        return false;
    }
    let (mut looked_at, mut sparse) = (0, 0);
    let is_sparse = moves.is_sparse;
    let mut look = |block: &[u8]| {
        looked_at += 1;
        sparse += u64::from(is_sparse(block.as_ptr()));
    };
    let blocks_len = match value.as_ref() {
        ValueRef::String(_) => return false,
        ValueRef::List(ListRef::Nodes(nodes)) => {
            let places = std::iter::successors(nodes.first(), |place| nodes.next(*place));
            for place in places.take(LOOKED_AT_MAX) {
                look(nodes.get(place).map_or_else(|plain| plain, Pack::as_bytes));
            }
            nodes.len()
        }
        ValueRef::Hash(HashRef::Table(fields)) => {
            let first = fields.walk(Cursor::default());
            let walk = std::iter::successors(first, |(_, cursor)| fields.walk(*cursor));
            walk.take(LOOKED_AT_MAX).for_each(|(field, _)| look(field.name));
            fields.len()
        }
        ValueRef::Set(SetRef::Table(members)) => {
            let first = members.walk(Cursor::default());
            let walk = std::iter::successors(first, |(_, cursor)| members.walk(*cursor));
            for (member, _) in walk.take(LOOKED_AT_MAX) {
                if let Element::Bytes(bytes) = member {
                    look(bytes);
                }
            }
            members.len()
        }
        ValueRef::SortedSet(sorted_set @ SortedSetRef::Ranked(_)) => {
            // Members stand together in chunks.
            for (member, _) in sorted_set.iter().take(LOOKED_AT_MAX) {
                if let Element::Bytes(bytes) = member {
                    look(bytes);
                }
            }
            1
        }
        flat => {
            let Some((_, bytes)) = flat.as_flat() else { return false };
            look(bytes);
            1
        }
    };
    let is_worth_it = sparse * REBUILT_SHARE >= looked_at && sparse > 0;
    let counter = if is_worth_it { &mut moves.hits } else { &mut moves.misses };
    *counter += blocks_len as u64;
    is_worth_it
}
