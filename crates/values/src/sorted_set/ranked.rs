//! A large sorted set: a tree for the order, and an index that finds a member.

use super::members::Members;
use super::span::Span;
use super::tree::{Entries, Entry, Tree};
use crate::listpack::Element;
use crate::table::{HashTable, Way};
use std::cmp::Ordering;
use std::ops::Range;

/// Members with scores. Redis calls it a skip list, which is what it has in place of the tree.
#[derive(Clone)]
pub(super) struct Ranked {
    tree: Tree,
    index: HashTable<u32>,
    members: Members,
}

/// Whether an element comes before the place of `name` with `score`.
#[inline]
fn is_before<'m>(members: &'m Members, name: &'m [u8], score: f64) -> impl Fn(f64, u32) -> bool + use<'m> {
    move |other, id| match other.partial_cmp(&score) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => members.name(id) < name,
        _ => false,
    }
}

/// Whether an element comes before that place or is at it.
#[inline]
fn is_not_behind<'m>(
    members: &'m Members,
    name: &'m [u8],
    score: f64,
) -> impl Fn(f64, u32) -> bool + use<'m> {
    move |other, id| match other.partial_cmp(&score) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => members.name(id) <= name,
        _ => false,
    }
}

impl Ranked {
    /// No members.
    pub fn new(seed: u64) -> Ranked {
        Ranked { tree: Tree::new(), index: HashTable::new(seed), members: Members::new() }
    }

    pub fn len(&self) -> usize {
        self.tree.len()
    }

    pub fn allocated_bytes(&self) -> usize {
        self.tree.allocated_bytes() + self.index.allocated_bytes() + self.members.allocated_bytes()
    }

    fn find(&self, name: &[u8]) -> Option<u32> {
        let hash = self.index.hash(name);
        self.index.find(hash, |id| self.members.name(*id) == name).copied()
    }

    /// The way to a member's number, and what leads on from there.
    #[inline]
    pub fn way(&self, name: &[u8]) -> (Way<'_, u32>, &Members) {
        (self.index.way(self.index.hash(name)), &self.members)
    }

    /// The score of a member.
    pub fn score(&self, name: &[u8]) -> Option<f64> {
        self.find(name).map(|id| self.members.score(id))
    }

    /// The rank and the score of a member.
    pub fn rank(&self, name: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(name)?;
        Some((self.tree.count_before(is_before(&self.members, name, score)), score))
    }

    /// Gives a member, which is there or not, a score. The one it had.
    pub fn set(&mut self, name: &[u8], score: f64) -> Option<f64> {
        let Some(id) = self.find(name) else {
            self.add(name, score);
            return None;
        };
        let before = self.members.score(id);
        if before != score {
            self.tree.remove(is_not_behind(&self.members, name, before));
            self.members.set_score(id, score);
            self.tree.insert(Entry { score, id }, is_before(&self.members, name, score));
        }
        Some(before)
    }

    /// Adds a member that is not there.
    pub fn add(&mut self, name: &[u8], score: f64) {
        let Ranked { tree, index, members } = self;
        let id = members.add(name, score);
        let hasher = index.hasher();
        index.insert(hasher(name), id, |id| hasher(members.name(*id)));
        tree.insert(Entry { score, id }, is_before(members, name, score));
    }

    /// Removes a member. Its score.
    pub fn remove(&mut self, name: &[u8]) -> Option<f64> {
        let score = self.score(name)?;
        let entry = self.tree.remove(is_not_behind(&self.members, name, score));
        self.forget(entry.id);
        Some(score)
    }

    /// Removes the element of a rank, which must be there.
    pub fn remove_at(&mut self, rank: usize) {
        let entry = self.tree.remove_at(rank);
        self.forget(entry.id);
    }

    /// Removes a member that is not in the tree any more.
    fn forget(&mut self, id: u32) {
        let Ranked { tree, index, members } = self;
        let hasher = index.hasher();
        let hash = hasher(members.name(id));
        let found = index.remove(hash, |other| *other == id, |id| hasher(members.name(*id)));
        debug_assert_eq!(found, Some(id));
        if let Some(last) = members.remove(id) {
            let new = members.copy_last(last);
            let name = members.name(last);
            tree.relabel(is_not_behind(members, name, members.score(last)), new);
            if let Some(id) = index.find_mut(hasher(name), |other| *other == last) {
                *id = new;
            }
            members.forget_last(last);
        }
    }

    /// The elements of these ranks.
    pub fn range(&self, ranks: Range<usize>) -> RankedIter<'_> {
        RankedIter { members: &self.members, entries: self.tree.range(ranks) }
    }

    /// The element of a rank.
    pub fn get(&self, rank: usize) -> Option<(Element<'_>, f64)> {
        self.tree.get(rank).map(|entry| (Element::Bytes(self.members.name(entry.id)), entry.score))
    }

    /// How many elements are before a range, and how many are not behind it.
    pub fn around(&self, span: &Span<'_>) -> (usize, usize) {
        let name = |id| Element::Bytes(self.members.name(id));
        // Names are only looked up where the range is one of names.
        let count = |holds: &dyn Fn(Element<'_>, f64) -> bool| match span {
            Span::Score { .. } => self.tree.count_before(|score, _| holds(Element::Bytes(b""), score)),
            Span::Lex { .. } => self.tree.count_before(|score, id| holds(name(id), score)),
        };
        let before = count(&|member, score| !span.reaches(member, score));
        (before, count(&|member, score| span.is_within(member, score)))
    }

    /// See [`HashTable::scan`].
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(Element<'_>, f64)) -> Option<u64> {
        let hash_of = |id: &u32| self.index.hash(self.members.name(*id));
        self.index.scan(position, count, hash_of, |id| {
            visit(Element::Bytes(self.members.name(*id)), self.members.score(*id));
        })
    }

    /// Frees a few nodes, segments and chunks. False if little is left.
    pub fn free_some(&mut self) -> bool {
        let (mut nodes, mut segments) = (true, true);
        for _ in 0..4 {
            nodes = nodes && self.tree.free_some();
            segments = segments && self.index.take_some().is_some();
        }
        let chunks = self.members.free_some();
        nodes || segments || chunks
    }

    /// Checks what must hold between its parts, for tests.
    #[cfg(test)]
    pub fn check(&self) {
        self.tree.check();
        self.members.check();
        assert_eq!(self.index.len(), self.tree.len());
        for entry in self.tree.range(0..self.len()) {
            assert_eq!(self.find(self.members.name(entry.id)), Some(entry.id));
            assert_eq!(self.members.score(entry.id).to_bits(), entry.score.to_bits());
        }
    }
}

/// See [`Ranked::range`].
#[derive(Clone)]
pub(super) struct RankedIter<'a> {
    members: &'a Members,
    entries: Entries<'a>,
}

impl<'a> RankedIter<'a> {
    #[inline]
    fn element(&self, entry: Entry) -> (Element<'a>, f64) {
        (Element::Bytes(self.members.name(entry.id)), entry.score)
    }
}

impl<'a> Iterator for RankedIter<'a> {
    type Item = (Element<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.entries.next().map(|entry| self.element(entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl DoubleEndedIterator for RankedIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.entries.next_back().map(|entry| self.element(entry))
    }
}
