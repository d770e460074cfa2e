//! Looking at a listpack, wherever its bytes are.

use super::element::{END, Element, back_len_bytes, decode_back_len};
use super::{EMPTY_LEN_BYTES, HEADER_BYTES, Listpack, MANY, MAX_LEN_BYTES};
use ref_cast::RefCast;
use std::ops::Range;

/// Where an element is. Good until the listpack changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position(pub(super) u32);

impl Position {
    #[inline]
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A sequence of elements to look at: the bytes of a listpack.
#[derive(PartialEq, Eq, RefCast)]
#[repr(transparent)]
pub struct Pack([u8]);

impl Pack {
    /// The one that `bytes` are. They are known to be a listpack and not looked at: of others, anything may be read, or
    /// a panic come.
    #[inline]
    pub fn of_trusted(bytes: &[u8]) -> &Pack {
        Pack::ref_cast(bytes)
    }

    /// A listpack of its own.
    pub fn to_listpack(&self) -> Listpack {
        Listpack::of_trusted(self.0.to_vec())
    }

    /// The whole run of bytes, as it stands in a snapshot.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Length of that run.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.0.len()
    }

    /// The bytes of the elements, one behind the other.
    pub(super) fn elements(&self) -> &[u8] {
        &self.0[HEADER_BYTES..self.0.len() - 1]
    }

    /// Whether `added` more bytes may go into it, with what elements take besides theirs: Redis keeps no listpack
    /// longer than 1 GiB.
    #[inline]
    pub fn has_room_for(&self, added: usize) -> bool {
        self.0.len().saturating_add(added) <= MAX_LEN_BYTES
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
        self.0.len() == EMPTY_LEN_BYTES
    }

    #[inline]
    pub(super) fn counted(&self) -> u16 {
        u16::from_le_bytes([self.0[4], self.0[5]])
    }

    /// The first element's place.
    #[inline]
    pub fn first(&self) -> Option<Position> {
        self.here(HEADER_BYTES)
    }

    /// The last element's place.
    #[inline]
    pub fn last(&self) -> Option<Position> {
        self.before(self.0.len() - 1)
    }

    #[inline]
    pub(super) fn here(&self, at: usize) -> Option<Position> {
        (self.0[at] != END).then_some(Position(at as u32))
    }

    #[inline]
    fn before(&self, at: usize) -> Option<Position> {
        if at == HEADER_BYTES {
            return None;
        }
        let (len, used) = decode_back_len(&self.0, at);
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
    pub(super) fn end_of(&self, position: Position) -> usize {
        let (_, len) = self.decode(position);
        position.at() + len + back_len_bytes(len)
    }

    #[inline]
    fn decode(&self, position: Position) -> (Element<'_>, usize) {
        Element::decode(&self.0[position.at()..]).expect("a position is that of an element")
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
            let (element, len) = Element::decode(&self.0[at..])?;
            if element == wanted {
                return Some(Position(at as u32));
            }
            at += len + back_len_bytes(len);
            for _ in 1..stride {
                let (_, len) = Element::decode(&self.0[at..])?;
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
        let end = self.0.len() - 1;
        Iter { pack: self, range: from.map_or(end, Position::at)..end }
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Pack {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`Pack::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    pack: &'a Pack,
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
        let (element, len) = Element::decode(&self.pack.0[self.range.start..])?;
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
        let position = self.pack.before(self.range.end)?;
        self.range.end = position.at();
        Some(self.pack.get(position))
    }
}
