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

pub use element::Element;
pub use foreign::Malformed;

use crate::allocation::block_len_bytes;
use element::{END, OVERHEAD_MAX_BYTES, back_len_bytes, decode_back_len};
use std::ops::Range;

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

/// Where an element is. Good until the listpack changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(u32);

impl Position {
    #[inline]
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// A sequence of elements.
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

    /// The whole run of bytes, as it stands in a snapshot.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of that run.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Memory beyond the `Listpack` itself, in bytes.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        block_len_bytes(self.bytes.capacity())
    }

    /// Whether `added` more bytes of content may go into it: Redis keeps no listpack longer than 1 GiB.
    pub fn has_room_for(&self, added: usize) -> bool {
        self.bytes.len().saturating_add(added) <= MAX_LEN_BYTES
    }

    /// How many elements. Takes a walk if there are 65,535 or more.
    #[inline]
    pub fn len(&self) -> usize {
        match self.counted() {
            MANY => self.iter().count(),
            counted => usize::from(counted),
        }
    }

    /// There is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == EMPTY_LEN_BYTES
    }

    #[inline]
    fn counted(&self) -> u16 {
        u16::from_le_bytes([self.bytes[4], self.bytes[5]])
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

    /// The first element's place.
    #[inline]
    pub fn first(&self) -> Option<Position> {
        self.here(HEADER_BYTES)
    }

    /// The last element's place.
    #[inline]
    pub fn last(&self) -> Option<Position> {
        self.before(self.bytes.len() - 1)
    }

    #[inline]
    fn here(&self, at: usize) -> Option<Position> {
        (self.bytes[at] != END).then_some(Position(at as u32))
    }

    #[inline]
    fn before(&self, at: usize) -> Option<Position> {
        if at == HEADER_BYTES {
            return None;
        }
        let (len, used) = decode_back_len(&self.bytes, at);
        Some(Position((at - used - len) as u32))
    }

    /// The place behind an element's.
    #[inline]
    pub fn next(&self, position: Position) -> Option<Position> {
        self.here(self.end_of(position))
    }

    /// The place before an element's.
    #[inline]
    pub fn previous(&self, position: Position) -> Option<Position> {
        self.before(position.at())
    }

    #[inline]
    fn end_of(&self, position: Position) -> usize {
        let (_, len) = self.decode(position);
        position.at() + len + back_len_bytes(len)
    }

    #[inline]
    fn decode(&self, position: Position) -> (Element<'_>, usize) {
        Element::decode(&self.bytes[position.at()..]).expect("a position is that of an element")
    }

    /// The element at a place.
    #[inline]
    pub fn get(&self, position: Position) -> Element<'_> {
        self.decode(position).0
    }

    /// The place of element number `index`, looked for from the nearer end.
    pub fn seek(&self, index: usize) -> Option<Position> {
        let counted = self.counted();
        if counted != MANY && index >= usize::from(counted) {
            return None;
        }
        if counted != MANY && index > usize::from(counted) / 2 {
            let mut position = self.last()?;
            for _ in index + 1..usize::from(counted) {
                position = self.previous(position)?;
            }
            return Some(position);
        }
        let mut position = self.first()?;
        for _ in 0..index {
            position = self.next(position)?;
        }
        Some(position)
    }

    /// The first place from `from` on whose element is `bytes`, when every `stride`th element is looked at.
    pub fn find(&self, from: Option<Position>, bytes: &[u8], stride: usize) -> Option<Position> {
        let wanted = Element::new(bytes);
        let mut at = from?.at();
        loop {
            let (element, len) = Element::decode(&self.bytes[at..])?;
            if element == wanted {
                return Some(Position(at as u32));
            }
            at += len + back_len_bytes(len);
            for _ in 1..stride {
                let (_, len) = Element::decode(&self.bytes[at..])?;
                at += len + back_len_bytes(len);
            }
        }
    }

    /// All elements, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(self.first())
    }

    /// The elements from a place on; none without one.
    #[inline]
    pub fn iter_from(&self, from: Option<Position>) -> Iter<'_> {
        let end = self.bytes.len() - 1;
        Iter { listpack: self, range: from.map_or(end, Position::at)..end }
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
        if block_len_bytes(after) < block_len_bytes(self.bytes.capacity()) / 2 {
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

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`Listpack::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    listpack: &'a Listpack,
    /// The bytes of the elements that are left.
    range: Range<usize>,
}

impl Iter<'_> {
    /// The place of the element that comes next.
    pub fn position(&self) -> Option<Position> {
        (!self.range.is_empty()).then_some(Position(self.range.start as u32))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.range.is_empty() {
            return None;
        }
        let (element, len) = Element::decode(&self.listpack.bytes[self.range.start..])?;
        self.range.start += len + back_len_bytes(len);
        Some(element)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.range.is_empty() {
            return None;
        }
        let position = self.listpack.before(self.range.end)?;
        self.range.end = position.at();
        Some(self.listpack.get(position))
    }
}

#[cfg(test)]
mod tests;
