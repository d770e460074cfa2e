//! Listpack: a sequence of elements in one run of bytes, walked from either end.
//!
//! The format is the one of Redis and of its snapshots (`listpack.md` in its source tree tells it), so small collections go
//! into a snapshot as they are:
//!
//! ```text
//! byte 0              4          6
//!     +--------------+----------+-----------+-----------+- - -+------+
//!     | total length | elements | element   | element   |     | 0xff |
//!     +--------------+----------+-----------+-----------+- - -+------+
//! ```
//! Both numbers are little-endian; 65,535 elements means: so many or more, count them.

mod element;
mod foreign;
mod pack;

pub use element::Element;
pub use foreign::Malformed;
pub use pack::{Iter, Pack, Position};

use crate::allocation::block_len_bytes;
use element::{END, OVERHEAD_MAX_BYTES};
use std::ops::Deref;

const HEADER_BYTES: usize = 6;
/// Header and end.
const EMPTY_LEN_BYTES: usize = HEADER_BYTES + 1;
/// This many elements or more.
const MANY: u16 = u16::MAX;
/// A listpack of too many elements to know is counted anew whenever its length falls below a multiple of this. That is less than
/// so many elements take, so none with fewer of them stays uncounted for long.
const RECOUNT_BYTES: usize = 16 * 1024;
/// Longest listpack that Redis makes, in bytes.
const MAX_LEN_BYTES: usize = 1 << 30;

/// Below this capacity an allocation stays as long as it is, however short its content becomes. So the shortest listpacks,
/// which may be in a buffer that is used again and again, do not shrink it.
const SHRINK_MIN_BYTES: usize = 1024;

/// A sequence of elements that may be changed. What there is to look at is in [`Pack`].
#[derive(Clone, PartialEq, Eq)]
pub struct Listpack {
    bytes: Vec<u8>,
}

impl Default for Listpack {
    fn default() -> Listpack {
        Listpack::new()
    }
}

impl Listpack {
    /// No elements.
    pub fn new() -> Listpack {
        let mut bytes = Vec::with_capacity(block_len_bytes(HEADER_BYTES + 1));
        bytes.extend_from_slice(&[HEADER_BYTES as u8 + 1, 0, 0, 0, 0, 0, END]);
        Listpack { bytes }
    }

    /// The one that `bytes` are. They are known to be a listpack and not looked at.
    #[inline]
    pub fn of_trusted(bytes: Vec<u8>) -> Listpack {
        Listpack { bytes }
    }

    /// The run of bytes for good.
    #[inline]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Memory beyond the `Listpack` itself, in bytes.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        block_len_bytes(self.bytes.capacity())
    }

    /// Gives back memory that it does not need.
    pub fn trim(&mut self) {
        self.bytes.shrink_to(block_len_bytes(self.bytes.len()));
    }

    /// Puts the header right after a change that added or took `change` elements and left it as long as it is, from
    /// `before_len_bytes`.
    fn fix_header(&mut self, change: isize, before_len_bytes: usize) {
        let total = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        let counted = match self.counted() {
            // Too many to know: it may be known again. To count at each removal would be as much again as to find what is removed.
            MANY if self.bytes.len() / RECOUNT_BYTES < before_len_bytes / RECOUNT_BYTES => {
                self.iter().count()
            }
            MANY => usize::from(MANY),
            counted => usize::from(counted).wrapping_add_signed(change),
        };
        let counted = u16::try_from(counted).unwrap_or(MANY);
        self.bytes[4..6].copy_from_slice(&counted.to_le_bytes());
    }

    /// Adds an element at the end.
    #[inline]
    pub fn push_back(&mut self, bytes: &[u8]) {
        self.splice(self.bytes.len() - 1, 0, &[Element::new(bytes)], 1);
    }

    /// Adds an element at the start.
    pub fn push_front(&mut self, bytes: &[u8]) {
        self.splice(HEADER_BYTES, 0, &[Element::new(bytes)], 1);
    }

    /// Adds elements before the one at `position`, or at the end.
    pub fn insert(&mut self, position: Option<Position>, elements: &[Element<'_>]) {
        let at = position.map_or(self.bytes.len() - 1, Position::at);
        self.splice(at, 0, elements, elements.len() as isize);
    }

    /// Puts `bytes` in the place of the element at `position`, which is good for it afterwards.
    pub fn replace(&mut self, position: Position, bytes: &[u8]) {
        let old = self.end_of(position) - position.at();
        self.splice(position.at(), old, &[Element::new(bytes)], 0);
    }

    /// Takes away `count` elements, or as many as there are, from `position` on. The place of what follows.
    pub fn remove(&mut self, position: Position, count: usize) -> Option<Position> {
        let (mut end, mut removed) = (position.at(), 0);
        while removed < count
            && let Some(here) = self.here(end)
        {
            end = self.end_of(here);
            removed += 1;
        }
        self.splice(position.at(), end - position.at(), &[], -(removed as isize));
        self.here(position.at())
    }

    /// Puts elements in the place of `old_len` bytes at `at`. There are `change` more elements then.
    fn splice(&mut self, at: usize, old_len: usize, new: &[Element<'_>], change: isize) {
        let new_len: usize = new.iter().map(|element| element.encoded_len_bytes()).sum();
        let (before, after) = (self.bytes.len(), self.bytes.len() - old_len + new_len);
        assert!(
            after <= EMPTY_LEN_BYTES + MAX_LEN_BYTES + OVERHEAD_MAX_BYTES,
            "a listpack is bounded by whoever adds to it"
        );
        if after > self.bytes.capacity() {
            // Blocks come in coarse lengths: whatever the next one has to spare is ours anyway.
            self.bytes.reserve_exact(block_len_bytes(after) - before);
        }
        if new_len > old_len {
            self.bytes.resize(after, 0);
        }
        self.bytes.copy_within(at + old_len..before, at + new_len);
        self.bytes.truncate(after);
        if self.bytes.capacity() > SHRINK_MIN_BYTES
            && block_len_bytes(after) < block_len_bytes(self.bytes.capacity()) / 2
        {
            self.bytes.shrink_to(block_len_bytes(after));
        }
        let mut start = at;
        for element in new {
            let len = element.encoded_len_bytes();
            element.encode(&mut self.bytes[start..start + len]);
            start += len;
        }
        self.fix_header(change, before);
    }
}

impl Deref for Listpack {
    type Target = Pack;

    #[inline]
    fn deref(&self) -> &Pack {
        Pack::of_trusted(&self.bytes)
    }
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
