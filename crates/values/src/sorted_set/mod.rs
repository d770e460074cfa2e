//! Sorted sets: members, each with a score, in the order of score and then of bytes.

mod flat;
mod members;
mod ranked;
mod span;
mod tree;

pub use span::{LexBound, ScoreBound, Span};

use crate::allocation::block_len_bytes;
use crate::listpack::{Element, Listpack};
use crate::string::Digits;
use crate::{Collection, Thresholds, Value, ValueRef};
use flat::{Flat, FlatIter};
use ranked::{Ranked, RankedIter};
use std::ops::Range;

#[derive(Clone)]
enum Form {
    Flat(Flat),
    Ranked(Box<Ranked>),
}

/// Members in the order of their scores, those of equal scores in the order of their bytes.
#[derive(Clone)]
pub struct SortedSet {
    form: Form,
}

impl Default for SortedSet {
    fn default() -> SortedSet {
        SortedSet { form: Form::Flat(Flat::default()) }
    }
}

impl SortedSet {
    /// The one in a listpack of members and scores in turn, in their order.
    pub fn from_listpack(listpack: Listpack) -> SortedSet {
        SortedSet { form: Form::Flat(Flat::new(listpack)) }
    }

    /// One of these elements, which are in their order and have each member once. Whether they fit into a listpack is looked
    /// at before: there, a score of -0 becomes 0.
    pub fn from_sorted<'m>(
        elements: impl ExactSizeIterator<Item = (Element<'m>, f64)> + Clone,
        thresholds: &Thresholds,
    ) -> SortedSet {
        let mut set = SortedSet::default();
        let is_long = |len_bytes: usize| len_bytes as u64 > thresholds.zset_max_listpack_value_bytes;
        let mut total_bytes = 0;
        if elements.len() as u64 > thresholds.zset_max_listpack_entries
            || elements.clone().any(|(member, _)| {
                total_bytes += member.len_bytes();
                is_long(member.len_bytes())
            })
            || !Listpack::new().has_room_for(total_bytes)
        {
            set.enlarge(thresholds);
        }
        let mut digits = Digits::new();
        for (member, score) in elements {
            let member = member.as_bytes(&mut digits);
            match &mut set.form {
                Form::Flat(flat) => flat.push(member, score),
                Form::Ranked(ranked) => ranked.add(member, score),
            }
        }
        set
    }

    /// The listpack that it is kept in, if it is.
    pub fn as_listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Flat(flat) => Some(flat.listpack()),
            Form::Ranked(_) => None,
        }
    }

    /// Prepares for `count` elements to come in one go: more than a listpack may have make it a large one at once, even
    /// if they turn out to be fewer members.
    pub fn expect(&mut self, count: usize, thresholds: &Thresholds) {
        if count as u64 > thresholds.zset_max_listpack_entries {
            self.enlarge(thresholds);
        }
    }

    /// Makes it a large one, however few its members are.
    pub fn enlarge(&mut self, thresholds: &Thresholds) {
        let Form::Flat(flat) = &self.form else { return };
        let mut ranked = Box::new(Ranked::new(thresholds.seed));
        let mut digits = Digits::new();
        for (member, score) in flat.iter() {
            ranked.add(member.as_bytes(&mut digits), score);
        }
        self.form = Form::Ranked(ranked);
    }

    /// Makes it a large one if it is not and another member is too much for a listpack.
    fn make_room_for(&mut self, member: &[u8], thresholds: &Thresholds) {
        let Form::Flat(flat) = &self.form else { return };
        if flat.len() as u64 >= thresholds.zset_max_listpack_entries
            || member.len() as u64 > thresholds.zset_max_listpack_value_bytes
            || !flat.listpack().has_room_for(member.len())
        {
            self.enlarge(thresholds);
        }
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Flat(flat) => flat.score(member),
            Form::Ranked(ranked) => ranked.score(member),
        }
    }

    /// How many elements are before a member, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match &self.form {
            Form::Flat(flat) => flat.rank(member),
            Form::Ranked(ranked) => ranked.rank(member),
        }
    }

    /// Gives a member, which is there or not, a score, which is a number. The one it had.
    pub fn set(&mut self, member: &[u8], score: f64, thresholds: &Thresholds) -> Option<f64> {
        debug_assert!(!score.is_nan());
        if let Form::Flat(flat) = &mut self.form {
            if let Some(before) = flat.update(member, score) {
                return Some(before);
            }
            self.make_room_for(member, thresholds);
        }
        match &mut self.form {
            Form::Flat(flat) => {
                flat.add(member, score);
                None
            }
            Form::Ranked(ranked) => ranked.set(member, score),
        }
    }

    /// Removes a member. Its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Flat(flat) => flat.remove(member),
            Form::Ranked(ranked) => ranked.remove(member),
        }
    }

    /// Removes the elements of these ranks, as far as they are there. How many.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match &mut self.form {
            Form::Flat(flat) => flat.remove_at(ranks.start, count),
            Form::Ranked(ranked) => (0..count).for_each(|_| ranked.remove_at(ranks.start)),
        }
        count
    }

    /// The elements of these ranks, as far as they are there, from either end.
    pub fn range(&self, ranks: Range<usize>) -> Elements<'_> {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        let (inner, behind) = match &self.form {
            Form::Flat(flat) => (Inner::Flat(flat.iter_from(start)), flat.len() - end),
            Form::Ranked(ranked) => (Inner::Ranked(ranked.range(start..end)), 0),
        };
        Elements { inner, left: end - start, behind }
    }

    /// All elements, from either end.
    pub fn iter(&self) -> Elements<'_> {
        self.range(0..self.len())
    }

    /// The element of a rank.
    pub fn get(&self, rank: usize) -> Option<(Element<'_>, f64)> {
        match &self.form {
            Form::Flat(flat) => flat.iter_from(rank).next().filter(|_| rank < flat.len()),
            Form::Ranked(ranked) => ranked.get(rank),
        }
    }

    /// The rank of the first element of a range. Where members of different scores make a range of members meaningless, it is the
    /// one that Redis finds in a listpack.
    pub fn first_of(&self, span: &Span<'_>) -> Option<usize> {
        if span.is_empty() {
            return None;
        }
        match &self.form {
            Form::Flat(flat) => {
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
            Form::Ranked(ranked) => {
                let (before, end) = ranked.around(span);
                (before < end).then_some(before)
            }
        }
    }

    /// The rank of the last element of a range; see [`SortedSet::first_of`].
    pub fn last_of(&self, span: &Span<'_>) -> Option<usize> {
        if span.is_empty() {
            return None;
        }
        match &self.form {
            Form::Flat(flat) => {
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
            Form::Ranked(ranked) => {
                let (before, end) = ranked.around(span);
                (before < end).then(|| end - 1)
            }
        }
    }

    /// The ranks of all elements of a range.
    pub fn ranks_of(&self, span: &Span<'_>) -> Range<usize> {
        self.first_of(span).map_or(0..0, |first| self.ranks_from(first, span))
    }

    /// The ranks from `rank` on, up to the first element that is behind a range.
    pub fn ranks_from(&self, rank: usize, span: &Span<'_>) -> Range<usize> {
        match &self.form {
            Form::Flat(_) => {
                let is_within = |(member, score): &(Element<'_>, f64)| span.is_within(*member, *score);
                rank..rank + self.range(rank..self.len()).take_while(is_within).count()
            }
            Form::Ranked(ranked) => rank..ranked.around(span).1.max(rank),
        }
    }

    /// The ranks up to `end`, which is not among them, down to the first element that is before a range.
    pub fn ranks_up_to(&self, end: usize, span: &Span<'_>) -> Range<usize> {
        match &self.form {
            Form::Flat(_) => {
                let reaches = |(member, score): &(Element<'_>, f64)| span.reaches(*member, *score);
                end - self.range(0..end).rev().take_while(reaches).count()..end
            }
            Form::Ranked(ranked) => ranked.around(span).0.min(end)..end,
        }
    }

    /// Visits about `count` elements from a position on, 0 at the start; those of a small set all at once. The position to
    /// go on from, or `None` at the end.
    pub fn scan(&self, position: u64, count: usize, mut visit: impl FnMut(Element<'_>, f64)) -> Option<u64> {
        match &self.form {
            Form::Flat(flat) => {
                flat.iter().for_each(|(member, score)| visit(member, score));
                None
            }
            Form::Ranked(ranked) => ranked.scan(position, count, visit),
        }
    }
}

/// Equal sets have the same members with the same scores, however kept.
impl PartialEq for SortedSet {
    fn eq(&self, other: &SortedSet) -> bool {
        let mut digits = [Digits::new(), Digits::new()];
        let [left, right] = &mut digits;
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((member, score), (other, other_score))| {
                score == other_score && member.as_bytes(left) == other.as_bytes(right)
            })
    }
}

impl std::fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Collection for SortedSet {
    fn len(&self) -> usize {
        match &self.form {
            Form::Flat(flat) => flat.len(),
            Form::Ranked(ranked) => ranked.len(),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.form {
            Form::Flat(flat) => flat.listpack().is_empty(),
            Form::Ranked(ranked) => ranked.len() == 0,
        }
    }

    fn encoding_name(&self) -> &'static str {
        match &self.form {
            Form::Flat(_) => "listpack",
            Form::Ranked(_) => "skiplist",
        }
    }

    fn allocated_bytes(&self) -> usize {
        match &self.form {
            Form::Flat(flat) => flat.listpack().allocated_bytes(),
            Form::Ranked(ranked) => block_len_bytes(size_of::<Ranked>()) + ranked.allocated_bytes(),
        }
    }

    fn free_some(&mut self) -> bool {
        match &mut self.form {
            Form::Flat(_) => false,
            Form::Ranked(ranked) => ranked.free_some(),
        }
    }

    fn of_ref(value: ValueRef<'_>) -> Option<&SortedSet> {
        if let ValueRef::SortedSet(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut SortedSet> {
        if let Value::SortedSet(value) = value { Some(value) } else { None }
    }
}

#[derive(Clone)]
enum Inner<'a> {
    Flat(FlatIter<'a>),
    Ranked(RankedIter<'a>),
}

/// Elements of a sorted set: see [`SortedSet::range`].
#[derive(Clone)]
pub struct Elements<'a> {
    inner: Inner<'a>,
    left: usize,
    /// Elements of a listpack to be passed over from the end on.
    behind: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = (Element<'a>, f64);

    #[inline]
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

#[cfg(test)]
mod tests;
