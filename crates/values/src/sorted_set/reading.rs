//! Looking at sorted sets, wherever they are kept.

use super::flat::{Flat, FlatIter};
use super::members::Members;
use super::ranked::{Ranked, RankedIter};
use super::{Form, SortedSet, Span};
use crate::collection::CollectionRef;
use crate::listpack::{Element, Pack};
use crate::string::Digits;
use crate::table::Way;
use std::ops::Range;

/// A sorted set to look at, and how it is kept.
#[derive(Clone, Copy)]
pub enum SortedSetRef<'a> {
    /// Members and scores in turn, in their order.
    Listpack(&'a Pack),
    /// A tree.
    Ranked(RankedMembers<'a>),
}

/// The members of a large sorted set.
#[derive(Clone, Copy)]
pub struct RankedMembers<'a>(pub(super) &'a Ranked);

impl<'a> RankedMembers<'a> {
    /// The way to a member and its score.
    #[inline]
    pub(crate) fn trail(self, member: &[u8]) -> SortedSetTrail<'a> {
        let (way, members) = self.0.way(member);
        SortedSetTrail { way, members }
    }
}

/// The way to one of them.
pub(crate) struct SortedSetTrail<'a> {
    way: Way<'a, u32>,
    members: &'a Members,
}

impl SortedSetTrail<'_> {
    /// See [`crate::Trail::advance`].
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<*const u8> {
        self.way.advance(|id| Some(self.members.address(*id)))
    }
}

impl<'a> SortedSetRef<'a> {
    /// The score of a member.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            SortedSetRef::Listpack(pack) => Flat(pack).score(member),
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.score(member),
        }
    }

    /// How many elements are before a member, and its score.
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            SortedSetRef::Listpack(pack) => Flat(pack).rank(member),
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.rank(member),
        }
    }

    /// The elements of these ranks, as far as they are there, from either end.
    pub fn range(self, ranks: Range<usize>) -> Elements<'a> {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        let (inner, behind) = match self {
            SortedSetRef::Listpack(pack) => {
                let flat = Flat(pack);
                (Inner::Flat(flat.iter_from(start)), flat.len() - end)
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => (Inner::Ranked(ranked.range(start..end)), 0),
        };
        Elements { inner, left: end - start, behind }
    }

    /// A sorted set of its own.
    pub fn to_sorted_set(self) -> SortedSet {
        let form = match self {
            SortedSetRef::Listpack(pack) => Form::Flat(pack.to_listpack()),
            SortedSetRef::Ranked(RankedMembers(ranked)) => Form::Ranked(Box::new(ranked.clone())),
        };
        SortedSet { form }
    }

    /// All elements, from either end.
    pub fn iter(self) -> Elements<'a> {
        self.range(0..self.len())
    }

    /// The element of a rank.
    pub fn get(self, rank: usize) -> Option<(Element<'a>, f64)> {
        match self {
            SortedSetRef::Listpack(pack) => {
                let flat = Flat(pack);
                flat.iter_from(rank).next().filter(|_| rank < flat.len())
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.get(rank),
        }
    }

    /// The rank of the first element of a range. Where members of different scores make a range of members meaningless,
    /// it is the one that Redis finds in a listpack.
    pub fn first_of(self, span: &Span<'_>) -> Option<usize> {
        if span.is_empty() {
            return None;
        }
        match self {
            SortedSetRef::Listpack(pack) => {
                let flat = Flat(pack);
                let (last, last_score) = flat.iter().next_back()?;
                let mut elements = flat.iter().enumerate();
                let (_, (first, first_score)) = elements.clone().next()?;
                if !span.reaches(last, last_score) || !span.is_within(first, first_score) {
                    return None;
                }
                let (rank, (member, score)) =
                    elements.find(|(_, (member, score))| span.reaches(*member, *score))?;
                span.is_within(member, score).then_some(rank)
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => {
                let (before, end) = ranked.around(span);
                (before < end).then_some(before)
            }
        }
    }

    /// The rank of the last element of a range; see [`SortedSetRef::first_of`].
    pub fn last_of(self, span: &Span<'_>) -> Option<usize> {
        if span.is_empty() {
            return None;
        }
        match self {
            SortedSetRef::Listpack(pack) => {
                let flat = Flat(pack);
                let (last, last_score) = flat.iter().next_back()?;
                let (first, first_score) = flat.iter().next()?;
                if !span.reaches(last, last_score) || !span.is_within(first, first_score) {
                    return None;
                }
                let mut elements = (0..flat.len()).rev().zip(flat.iter().rev());
                let (rank, (member, score)) =
                    elements.find(|(_, (member, score))| span.is_within(*member, *score))?;
                span.reaches(member, score).then_some(rank)
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => {
                let (before, end) = ranked.around(span);
                (before < end).then(|| end - 1)
            }
        }
    }

    /// The ranks of all elements of a range.
    pub fn ranks_of(self, span: &Span<'_>) -> Range<usize> {
        self.first_of(span).map_or(0..0, |first| self.ranks_from(first, span))
    }

    /// The ranks from `rank` on, up to the first element that is behind a range.
    pub fn ranks_from(self, rank: usize, span: &Span<'_>) -> Range<usize> {
        match self {
            SortedSetRef::Listpack(_) => {
                let is_within = |(member, score): &(Element<'_>, f64)| span.is_within(*member, *score);
                rank..rank + self.range(rank..self.len()).take_while(is_within).count()
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => rank..ranked.around(span).1.max(rank),
        }
    }

    /// The ranks up to `end`, which is not among them, down to the first element that is before a range.
    pub fn ranks_up_to(self, end: usize, span: &Span<'_>) -> Range<usize> {
        match self {
            SortedSetRef::Listpack(_) => {
                let reaches = |(member, score): &(Element<'_>, f64)| span.reaches(*member, *score);
                end - self.range(0..end).rev().take_while(reaches).count()..end
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.around(span).0.min(end)..end,
        }
    }

    /// Visits about `count` elements from a position on, 0 at the start; those of a small set all at once. The position
    /// to go on from, or `None` at the end.
    pub fn scan(self, position: u64, count: usize, mut visit: impl FnMut(Element<'_>, f64)) -> Option<u64> {
        match self {
            SortedSetRef::Listpack(pack) => {
                Flat(pack).iter().for_each(|(member, score)| visit(member, score));
                None
            }
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.scan(position, count, visit),
        }
    }
}

impl CollectionRef for SortedSetRef<'_> {
    #[inline]
    fn len(self) -> usize {
        match self {
            SortedSetRef::Listpack(pack) => Flat(pack).len(),
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.len(),
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        match self {
            SortedSetRef::Listpack(pack) => pack.is_empty(),
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.len() == 0,
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            SortedSetRef::Listpack(_) => "listpack",
            SortedSetRef::Ranked(_) => "skiplist",
        }
    }

    fn content_bytes(self) -> usize {
        match self {
            SortedSetRef::Listpack(pack) => pack.len_bytes(),
            SortedSetRef::Ranked(RankedMembers(ranked)) => ranked.allocated_bytes(),
        }
    }
}

/// Equal sets have the same members with the same scores, however kept.
impl PartialEq for SortedSetRef<'_> {
    fn eq(&self, other: &SortedSetRef<'_>) -> bool {
        let mut digits = [Digits::new(), Digits::new()];
        let [left, right] = &mut digits;
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((member, score), (other, other_score))| {
                score == other_score && member.as_bytes(left) == other.as_bytes(right)
            })
    }
}

impl std::fmt::Debug for SortedSetRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[derive(Clone)]
enum Inner<'a> {
    Flat(FlatIter<'a>),
    Ranked(RankedIter<'a>),
}

/// Elements of a sorted set: see [`SortedSetRef::range`].
#[derive(Clone)]
pub struct Elements<'a> {
    inner: Inner<'a>,
    left: usize,
    /// Elements of a listpack to be passed over from the end on.
    behind: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = (Element<'a>, f64);

    // Loops over many elements do little with each, and a call for each costs them: left to itself the compiler makes
    // one of it where a loop's body is long, as that of GEOSEARCH is.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.inner {
            Inner::Flat(flat) => flat.next(),
            Inner::Ranked(ranked) => ranked.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Elements<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.inner {
            Inner::Flat(flat) => flat.nth_back(std::mem::take(&mut self.behind)),
            Inner::Ranked(ranked) => ranked.next_back(),
        }
    }
}

impl ExactSizeIterator for Elements<'_> {}
