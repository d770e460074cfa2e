//! Listpack: a sequence of elements in one run of bytes, walked from either end.
//!
//! The format is the one of Redis and of its snapshots (`listpack.md` in its source tree tells it), so small
//! collections go into a snapshot as they are:
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
use element::{END, OVERHEAD_MAX_BYTES, back_len_bytes};
use std::ops::Deref;

const HEADER_BYTES: usize = 6;
/// Header and end.
const EMPTY_LEN_BYTES: usize = HEADER_BYTES + 1;
/// This many elements or more.
const MANY: u16 = u16::MAX;
/// A listpack of too many elements to know is counted anew whenever its length falls below a multiple of this. That is
/// less than so many elements take, so none with fewer of them stays uncounted for long.
const RECOUNT_BYTES: usize = 16 * 1024;
/// Longest listpack that Redis makes, in bytes. Whoever adds asks [`Pack::has_room_for`] first, and takes another form
/// if there is no room. Tests of that have a shorter one.
pub(crate) const MAX_LEN_BYTES: usize = if cfg!(test) { 1 << 18 } else { 1 << 30 };
/// What an element takes at most besides its bytes.
pub(crate) const ELEMENT_OVERHEAD_BYTES: usize = OVERHEAD_MAX_BYTES;
/// Longest listpack that there may be: of one element that is a byte short of the longest.
pub(crate) const LONGEST_BYTES: usize = EMPTY_LEN_BYTES + MAX_LEN_BYTES + OVERHEAD_MAX_BYTES;

/// Below this capacity an allocation stays as long as it is, however short its content becomes. So the shortest
/// listpacks, which may be in a buffer that is used again and again, do not shrink it.
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
        let counted = match self.counted() {
            // Too many to know: it may be known again. To count at each removal would be as much again as to find what
            // is removed.
            MANY if self.bytes.len() / RECOUNT_BYTES < before_len_bytes / RECOUNT_BYTES => {
                self.iter().count()
            }
            MANY => usize::from(MANY),
            counted => usize::from(counted).wrapping_add_signed(change),
        };
        self.set_header(counted);
    }

    /// Writes the header of so many elements.
    fn set_header(&mut self, count: usize) {
        let (total, counted) = (self.bytes.len() as u32, u16::try_from(count).unwrap_or(MANY));
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        self.bytes[4..HEADER_BYTES].copy_from_slice(&counted.to_le_bytes());
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

    /// Adds elements at the end, however many, without a list of them.
    pub fn extend<'e>(&mut self, elements: impl IntoIterator<Item = Element<'e>>) {
        let (before, mut count) = (self.bytes.len(), 0);
        self.bytes.truncate(before - 1);
        for element in elements {
            let (start, len) = (self.bytes.len(), element.encoded_len_bytes());
            self.reserve_for(start + len + 1);
            self.bytes.resize(start + len, 0);
            element.encode(&mut self.bytes[start..]);
            count += 1;
        }
        self.bytes.push(END);
        check_len(self.bytes.len());
        if self.bytes.capacity() > SHRINK_MIN_BYTES {
            self.trim();
        }
        self.fix_header(count, before);
    }

    /// Has room for `len_bytes` in all, and an eighth more if that is to become longer bit by bit.
    fn reserve_for(&mut self, len_bytes: usize) {
        if len_bytes > self.bytes.capacity() {
            let wanted = block_len_bytes(len_bytes + self.bytes.len() / 8);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }

    /// Adds all elements of another one at the end.
    pub fn append(&mut self, other: &Pack) {
        let (before, added) = (self.bytes.len(), other.elements());
        let after = before + added.len();
        check_len(after);
        self.bytes.truncate(before - 1);
        if after > self.bytes.capacity() {
            self.bytes.reserve_exact(block_len_bytes(after) - self.bytes.len());
        }
        self.bytes.extend_from_slice(added);
        self.bytes.push(END);
        self.fix_header(other.len() as isize, before);
    }

    /// Takes away the elements from `position` on. A listpack of them.
    pub fn split_off(&mut self, position: Position) -> Listpack {
        let before = self.bytes.len();
        let moved = &self.bytes[position.at()..before - 1];
        let mut behind =
            Listpack { bytes: Vec::with_capacity(block_len_bytes(EMPTY_LEN_BYTES + moved.len())) };
        behind.bytes.extend_from_slice(&self.bytes[..HEADER_BYTES]);
        behind.bytes.extend_from_slice(moved);
        behind.bytes.push(END);
        let count = behind.iter().count();
        behind.set_header(count);
        self.truncate(position.at());
        self.fix_header(-(count as isize), before);
        behind
    }

    /// Keeps the elements for which `keep` holds, which is asked for each in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(Element<'_>) -> bool) {
        let (before, mut removed) = (self.bytes.len(), 0);
        let (mut from, mut to) = (HEADER_BYTES, HEADER_BYTES);
        while let Some((element, len)) = Element::decode(&self.bytes[from..]) {
            let end = from + len + back_len_bytes(len);
            if keep(element) {
                self.bytes.copy_within(from..end, to);
                to += end - from;
            } else {
                removed += 1;
            }
            from = end;
        }
        if removed > 0 {
            self.truncate(to);
            self.fix_header(-removed, before);
        }
    }

    /// Gives up what is behind `content_end`, and memory where there is much too much of it. The header has to be put
    /// right.
    fn truncate(&mut self, content_end: usize) {
        self.bytes[content_end] = END;
        self.bytes.truncate(content_end + 1);
        self.shrink();
    }

    fn shrink(&mut self) {
        let wanted = block_len_bytes(self.bytes.len());
        if self.bytes.capacity() > SHRINK_MIN_BYTES && wanted < block_len_bytes(self.bytes.capacity()) / 2 {
            self.bytes.shrink_to(wanted);
        }
    }

    /// Puts elements in the place of `old_len` bytes at `at`. There are `change` more elements then.
    fn splice(&mut self, at: usize, old_len: usize, new: &[Element<'_>], change: isize) {
        let new_len: usize = new.iter().map(|element| element.encoded_len_bytes()).sum();
        let (before, after) = (self.bytes.len(), self.bytes.len() - old_len + new_len);
        check_len(after);
        if after > self.bytes.capacity() {
            // Blocks come in coarse lengths: whatever the next one has to spare is ours anyway.
            self.bytes.reserve_exact(block_len_bytes(after) - before);
        }
        if new_len > old_len {
            self.bytes.resize(after, 0);
        }
        self.bytes.copy_within(at + old_len..before, at + new_len);
        self.bytes.truncate(after);
        self.shrink();
        let mut start = at;
        for element in new {
            let len = element.encoded_len_bytes();
            element.encode(&mut self.bytes[start..start + len]);
            start += len;
        }
        self.fix_header(change, before);
    }
}

/// To be asked before a listpack becomes `len_bytes` long.
fn check_len(len_bytes: usize) {
    debug_assert!(len_bytes <= LONGEST_BYTES, "whoever adds to a listpack asks whether it has room");
    // Nobody gets here: all that add ask, and 3 GiB are between what they are told and this. Beyond, places would be
    // wrong.
    assert!(u32::try_from(len_bytes).is_ok(), "a listpack is less than 4 GiB long");
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
