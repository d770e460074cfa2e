//! Walks that a client may interrupt for as long as it likes while the table changes, for SSCAN and its kin.
//!
//! They go in the order of hashes, which no growth or shrinking disturbs. A cursor stands for the lowest hash that was
//! not visited; of all that lie between the last element visited and the next it is the one of the fewest leading bits,
//! and these bits in the opposite order are the number. So a cursor is about as large as the number of elements, and
//! clients may keep it as whatever they have for numbers.

use super::HashTable;

/// A cursor has at most this many bits. Elements whose hashes have as many leading bits in common are visited together.
pub const CURSOR_BITS: u32 = 48;

/// The cursor behind an element of the hash `last` and before one of the hash `next`, which is higher or the same.
/// `None` if there is none.
fn between(last: u64, next: u64) -> Option<u64> {
    let bit = (last ^ next).checked_ilog2()?;
    (bit >= u64::BITS - CURSOR_BITS).then(|| (next >> bit << bit).reverse_bits())
}

impl<T> HashTable<T> {
    /// Visits about `count` elements from a cursor on; 0 is the start. The cursor to go on from, or `None` at the end.
    /// What is there from the first call to the last is visited at least once, whatever else comes and goes.
    pub fn scan<'t>(
        &'t self,
        cursor: u64,
        count: usize,
        hash_of: impl Fn(&T) -> u64,
        mut visit: impl FnMut(&'t T),
    ) -> Option<u64> {
        let (mut from, mut left) = (cursor.reverse_bits(), count.max(1));
        loop {
            let part = self.part_at(from);
            let mut ahead: Vec<(u64, &T)> = part
                .elements
                .iter()
                .map(|element| (hash_of(element), element))
                .filter(|(hash, _)| *hash >= from)
                .collect();
            ahead.sort_unstable_by_key(|(hash, _)| *hash);
            let mut last = None;
            for (hash, element) in ahead {
                if left == 0
                    && let Some(cursor) = last.and_then(|last| between(last, hash))
                {
                    return Some(cursor);
                }
                visit(element);
                left = left.saturating_sub(1);
                last = Some(hash);
            }
            // The first hash of the next segment.
            let step = if part.depth == 0 { return None } else { 1u64 << (u64::BITS - part.depth) };
            from = (from & !(step - 1)).checked_add(step)?;
            if left == 0 {
                return Some(from.reverse_bits());
            }
        }
    }
}
