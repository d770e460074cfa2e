//! When the fields of a large hash expire, in the order of time.
//!
//! Sorted chunks of bounded length, in a sorted list: a change moves at most a chunk's content and the list's, which
//! for ten million fields is some hundred kilobytes. Unlike a tree of the standard library it knows its memory to the
//! byte.

use crate::allocation::block_len_bytes;

/// A chunk of so many is split.
const CHUNK_MAX_LEN: usize = 512;

/// Neighbours of no more than so many become one.
const JOINED_MAX_LEN: usize = CHUNK_MAX_LEN * 3 / 4;

/// When, in Unix milliseconds, and the hash of the field's name.
pub(super) type Deadline = (i64, u64);

/// An ordered set of deadlines.
#[derive(Default)]
pub(super) struct Deadlines {
    /// None of them is empty.
    chunks: Vec<Vec<Deadline>>,
    chunks_bytes: usize,
}

fn bytes(chunk: &Vec<Deadline>) -> usize {
    block_len_bytes(chunk.capacity() * size_of::<Deadline>())
}

/// The copy takes no more room than it needs, so that its memory is counted anew.
impl Clone for Deadlines {
    fn clone(&self) -> Deadlines {
        let chunks = self.chunks.clone();
        let chunks_bytes = chunks.iter().map(bytes).sum();
        Deadlines { chunks, chunks_bytes }
    }
}

/// Has a chunk have room for one more, and some that may follow.
fn make_room(chunk: &mut Vec<Deadline>) {
    if chunk.len() == chunk.capacity() {
        let wanted_bytes = block_len_bytes((chunk.len() + chunk.len() / 8 + 1) * size_of::<Deadline>());
        chunk.reserve_exact(wanted_bytes / size_of::<Deadline>() - chunk.len());
    }
}

/// Gives memory of a chunk back if a good part of it is not needed.
fn shrink(chunk: &mut Vec<Deadline>) {
    if chunk.len() < chunk.capacity() / 4 * 3 {
        chunk.shrink_to(chunk.len() + chunk.len() / 8);
    }
}

impl Deadlines {
    /// Memory beyond the structure itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.chunks_bytes + block_len_bytes(self.chunks.capacity() * size_of::<Vec<Deadline>>())
    }

    /// The earliest.
    #[inline]
    pub fn first(&self) -> Option<Deadline> {
        self.chunks.first()?.first().copied()
    }

    /// The chunk that has `deadline` or would have it.
    fn chunk_of(&self, deadline: Deadline) -> usize {
        self.chunks.partition_point(|chunk| chunk[0] <= deadline).saturating_sub(1)
    }

    /// Adds one, if it is not there.
    pub fn insert(&mut self, deadline: Deadline) {
        let mut index = self.chunk_of(deadline);
        if index == self.chunks.len() {
            self.chunks.push(Vec::new());
        }
        if self.chunks[index].len() == CHUNK_MAX_LEN {
            let chunk = &mut self.chunks[index];
            let before = bytes(chunk);
            let upper = chunk.split_off(CHUNK_MAX_LEN / 2);
            chunk.shrink_to_fit();
            self.chunks_bytes = self.chunks_bytes + bytes(chunk) + bytes(&upper) - before;
            let above = deadline >= upper[0];
            self.chunks.insert(index + 1, upper);
            index += usize::from(above);
        }
        let chunk = &mut self.chunks[index];
        if let Err(at) = chunk.binary_search(&deadline) {
            let before = bytes(chunk);
            make_room(chunk);
            chunk.insert(at, deadline);
            self.chunks_bytes = self.chunks_bytes + bytes(chunk) - before;
        }
    }

    /// Takes one away, if it is there.
    pub fn remove(&mut self, deadline: Deadline) {
        let index = self.chunk_of(deadline);
        let Some(chunk) = self.chunks.get_mut(index) else { return };
        let Ok(at) = chunk.binary_search(&deadline) else { return };
        let before = bytes(chunk);
        chunk.remove(at);
        if chunk.is_empty() {
            self.chunks.remove(index);
            self.chunks_bytes -= before;
            if self.chunks.len() < self.chunks.capacity() / 4 {
                self.chunks.shrink_to(self.chunks.len() * 2);
            }
        } else {
            shrink(chunk);
            self.chunks_bytes = self.chunks_bytes + bytes(chunk) - before;
            self.join(index);
        }
    }

    /// Makes one of a chunk and a neighbour, if they have few.
    fn join(&mut self, index: usize) {
        let len = |at: usize| self.chunks.get(at).map_or(CHUNK_MAX_LEN, Vec::len);
        let fits = |left: usize| len(left) + len(left + 1) <= JOINED_MAX_LEN;
        let left = match index.checked_sub(1) {
            Some(before) if fits(before) => before,
            _ if fits(index) => index,
            _ => return,
        };
        let next = self.chunks.remove(left + 1);
        let chunk = &mut self.chunks[left];
        let before = bytes(chunk) + bytes(&next);
        chunk.reserve_exact(next.len());
        chunk.extend_from_slice(&next);
        self.chunks_bytes = self.chunks_bytes + bytes(chunk) - before;
        if self.chunks.len() < self.chunks.capacity() / 4 {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
    }

    /// How many come before `now_ms`.
    pub fn count_before(&self, now_ms: i64) -> usize {
        let whole = self.chunks.partition_point(|chunk| chunk[chunk.len() - 1].0 < now_ms);
        let rest =
            self.chunks.get(whole).map_or(0, |chunk| chunk.partition_point(|deadline| deadline.0 < now_ms));
        self.chunks[..whole].iter().map(Vec::len).sum::<usize>() + rest
    }

    /// Frees a chunk. False if there is none. Nothing else may be done with the deadlines then.
    pub fn free_some(&mut self) -> bool {
        let Some(chunk) = self.chunks.pop() else { return false };
        self.chunks_bytes -= bytes(&chunk);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn check(deadlines: &Deadlines, model: &BTreeSet<Deadline>) {
        assert!(deadlines.chunks.iter().flatten().eq(model), "same elements in the same order");
        assert!(deadlines.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_MAX_LEN));
        assert_eq!(deadlines.chunks_bytes, deadlines.chunks.iter().map(bytes).sum::<usize>());
        assert_eq!(deadlines.first(), model.first().copied());
    }

    #[test]
    fn they_behave_like_an_ordered_set() {
        for seed in 0..10 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut deadlines, mut model) = (Deadlines::default(), BTreeSet::new());
            for phase in 0..6 {
                for _ in 0..random.usize(..6000) {
                    let deadline = (random.i64(-50..3000), random.u64(..3));
                    if (random.u8(..10) < 7) == (phase % 2 == 0) {
                        deadlines.insert(deadline);
                        model.insert(deadline);
                    } else {
                        deadlines.remove(deadline);
                        model.remove(&deadline);
                    }
                }
                check(&deadlines, &model);
                let now_ms = random.i64(-60..3010);
                let before = model.iter().filter(|(at_ms, _)| *at_ms < now_ms).count();
                assert_eq!(deadlines.count_before(now_ms), before);
            }
            let copy = deadlines.clone();
            check(&copy, &model);
            assert!(copy.allocated_bytes() <= deadlines.allocated_bytes());
            while deadlines.free_some() {}
            assert_eq!(deadlines.chunks_bytes, 0);
        }
    }
}
