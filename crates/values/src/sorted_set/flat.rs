//! A small sorted set: a listpack with members and scores in turn, in their order, as Redis has it.

use crate::double;
use crate::listpack::{Element, Iter, Listpack, Position};
use crate::string::Digits;
use std::cmp::Ordering;
use tessera_resp::number::DoubleText;

/// Members with scores.
#[derive(Clone, Default)]
pub(super) struct Flat {
    listpack: Listpack,
}

fn score_of(element: Element<'_>) -> f64 {
    match element {
        Element::Integer(value) => value as f64,
        Element::Bytes(text) => double::parse(text).unwrap_or_default(),
    }
}

impl Flat {
    /// Those of a listpack that has members and scores in turn, in their order.
    pub fn new(listpack: Listpack) -> Flat {
        Flat { listpack }
    }

    pub fn listpack(&self) -> &Listpack {
        &self.listpack
    }

    pub fn len(&self) -> usize {
        self.listpack.len() / 2
    }

    fn find(&self, name: &[u8]) -> Option<(Position, f64)> {
        let position = self.listpack.find(self.listpack.first(), name, 2)?;
        let score = self.listpack.next(position)?;
        Some((position, score_of(self.listpack.get(score))))
    }

    /// The score of a member.
    pub fn score(&self, name: &[u8]) -> Option<f64> {
        self.find(name).map(|(_, score)| score)
    }

    /// The rank and the score of a member.
    pub fn rank(&self, name: &[u8]) -> Option<(usize, f64)> {
        let wanted = Element::new(name);
        self.iter()
            .enumerate()
            .find(|(_, (member, _))| *member == wanted)
            .map(|(rank, (_, score))| (rank, score))
    }

    /// Gives a member that is there another score. The one it had.
    pub fn update(&mut self, name: &[u8], score: f64) -> Option<f64> {
        let (position, before) = self.find(name)?;
        if before != score {
            self.listpack.remove(position, 2);
            self.add(name, score);
        }
        Some(before)
    }

    /// Adds a member that is not there.
    pub fn add(&mut self, name: &[u8], score: f64) {
        let place = self.place(name, score);
        self.insert(place, name, score);
    }

    /// Adds a member that belongs behind all others.
    pub fn push(&mut self, name: &[u8], score: f64) {
        self.insert(None, name, score);
    }

    fn insert(&mut self, place: Option<Position>, name: &[u8], score: f64) {
        let text;
        let written = match double::as_integer(score) {
            Some(integer) => Element::Integer(integer),
            None => {
                text = DoubleText::new(score);
                Element::new(text.as_bytes())
            }
        };
        self.listpack.insert(place, &[Element::new(name), written]);
    }

    /// Where a member belongs.
    fn place(&self, name: &[u8], score: f64) -> Option<Position> {
        let mut elements = self.listpack.iter();
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

    /// Removes a member. Its score.
    pub fn remove(&mut self, name: &[u8]) -> Option<f64> {
        let (position, score) = self.find(name)?;
        self.listpack.remove(position, 2);
        Some(score)
    }

    /// Removes so many elements from a rank on.
    pub fn remove_at(&mut self, rank: usize, count: usize) {
        if let Some(position) = self.listpack.seek(rank * 2) {
            self.listpack.remove(position, count * 2);
        }
    }

    /// The elements from a rank on.
    pub fn iter_from(&self, rank: usize) -> FlatIter<'_> {
        let from = if rank == 0 { self.listpack.first() } else { self.listpack.seek(rank * 2) };
        FlatIter(self.listpack.iter_from(from))
    }

    /// All elements.
    pub fn iter(&self) -> FlatIter<'_> {
        self.iter_from(0)
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
