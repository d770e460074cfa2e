//! A small sorted set: a listpack with members and scores in turn, in their order, as Redis has it.

use crate::double;
use crate::listpack::{Element, Iter, Listpack, Pack, Position};
use crate::string::Digits;
use std::cmp::Ordering;
use tessera_resp::number::DoubleText;

/// Members with scores to look at.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a>(pub &'a Pack);

/// What an element takes at most besides its member's bytes, in bytes: its score is a text of up to 24.
const ROW_OVERHEAD_BYTES: usize = 40;

/// Whether an element may be added, or get another score.
#[inline]
pub(super) fn has_room_for(listpack: &Pack, name: &[u8]) -> bool {
    listpack.has_room_for(name.len().saturating_add(ROW_OVERHEAD_BYTES))
}

/// Whether so many elements with members of so many bytes in all fit into a listpack.
pub(super) fn fits(len: usize, members_bytes: usize) -> bool {
    let rows_bytes = len.saturating_mul(ROW_OVERHEAD_BYTES);
    Listpack::new().has_room_for(members_bytes.saturating_add(rows_bytes))
}

fn score_of(element: Element<'_>) -> f64 {
    match element {
        Element::Integer(value) => value as f64,
        Element::Bytes(text) => double::parse(text).unwrap_or_default(),
    }
}

impl<'a> Flat<'a> {
    pub fn len(self) -> usize {
        self.0.len() / 2
    }

    fn find(self, name: &[u8]) -> Option<(Position, f64)> {
        let position = self.0.find(self.0.first(), name, 2)?;
        let score = self.0.next(position)?;
        Some((position, score_of(self.0.get(score))))
    }

    /// The score of a member.
    pub fn score(self, name: &[u8]) -> Option<f64> {
        self.find(name).map(|(_, score)| score)
    }

    /// The rank and the score of a member.
    pub fn rank(self, name: &[u8]) -> Option<(usize, f64)> {
        let wanted = Element::new(name);
        self.iter()
            .enumerate()
            .find(|(_, (member, _))| *member == wanted)
            .map(|(rank, (_, score))| (rank, score))
    }

    /// Where a member belongs.
    fn place(self, name: &[u8], score: f64) -> Option<Position> {
        let mut elements = self.0.iter();
        loop {
            let position = elements.position()?;
            let (member, other) = (elements.next()?, score_of(elements.next()?));
            let is_behind = match other.partial_cmp(&score) {
                Some(Ordering::Less) | None => false,
                Some(Ordering::Equal) => member.as_bytes(&mut Digits::new()) > name,
                Some(Ordering::Greater) => true,
            };
            if is_behind {
                return Some(position);
            }
        }
    }

    /// The elements from a rank on.
    pub fn iter_from(self, rank: usize) -> FlatIter<'a> {
        let from = if rank == 0 { self.0.first() } else { self.0.seek(rank * 2) };
        FlatIter(self.0.iter_from(from))
    }

    /// All elements.
    pub fn iter(self) -> FlatIter<'a> {
        self.iter_from(0)
    }
}

/// Gives a member that is there another score. The one it had.
pub(super) fn update(listpack: &mut Listpack, name: &[u8], score: f64) -> Option<f64> {
    let (position, before) = Flat(listpack).find(name)?;
    if before != score {
        listpack.remove(position, 2);
        add(listpack, name, score);
    }
    Some(before)
}

/// Adds a member that is not there.
pub(super) fn add(listpack: &mut Listpack, name: &[u8], score: f64) {
    let place = Flat(listpack).place(name, score);
    insert(listpack, place, name, score);
}

/// Adds a member that belongs behind all others.
pub(super) fn push(listpack: &mut Listpack, name: &[u8], score: f64) {
    insert(listpack, None, name, score);
}

fn insert(listpack: &mut Listpack, place: Option<Position>, name: &[u8], score: f64) {
    let text;
    let written = match double::as_integer(score) {
        Some(integer) => Element::Integer(integer),
        None => {
            text = DoubleText::new(score);
            Element::new(text.as_bytes())
        }
    };
    listpack.insert(place, &[Element::new(name), written]);
}

/// Removes a member. Its score.
pub(super) fn remove(listpack: &mut Listpack, name: &[u8]) -> Option<f64> {
    let (position, score) = Flat(listpack).find(name)?;
    listpack.remove(position, 2);
    Some(score)
}

/// Removes so many elements from a rank on.
pub(super) fn remove_at(listpack: &mut Listpack, rank: usize, count: usize) {
    if let Some(position) = listpack.seek(rank * 2) {
        listpack.remove(position, count * 2);
    }
}

/// See [`Flat::iter`].
#[derive(Clone)]
pub(super) struct FlatIter<'a>(Iter<'a>);

impl<'a> Iterator for FlatIter<'a> {
    type Item = (Element<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let member = self.0.next()?;
        let score = self.0.next()?;
        Some((member, score_of(score)))
    }
}

impl DoubleEndedIterator for FlatIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let score = self.0.next_back()?;
        let member = self.0.next_back()?;
        Some((member, score_of(score)))
    }
}
