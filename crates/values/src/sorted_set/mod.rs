//! Sorted sets: members, each with a score, in the order of score and then of bytes.

mod flat;
mod members;
mod ranked;
mod reading;
mod span;
mod tree;

pub(crate) use reading::SortedSetTrail;
pub use reading::{Elements, RankedMembers, SortedSetRef};
pub use span::{LexBound, ScoreBound, Span};

use crate::allocation::block_len_bytes;
use crate::listpack::{Element, Listpack};
use crate::string::Digits;
use crate::{Collection, Thresholds, Value, ValueRef};
use flat::Flat;
use ranked::Ranked;
use std::ops::Range;

#[derive(Clone)]
enum Form {
    Flat(Listpack),
    Ranked(Box<Ranked>),
}

/// Members in the order of their scores, those of equal scores in the order of their bytes. What there is to look at is
/// in [`SortedSetRef`].
#[derive(Clone)]
pub struct SortedSet {
    form: Form,
}

impl Default for SortedSet {
    fn default() -> SortedSet {
        SortedSet { form: Form::Flat(Listpack::new()) }
    }
}

impl SortedSet {
    /// The one in a listpack of members and scores in turn, in their order.
    pub fn from_listpack(listpack: Listpack) -> SortedSet {
        SortedSet { form: Form::Flat(listpack) }
    }

    /// One of these elements, which are in their order and have each member once. Whether they fit into a listpack is
    /// looked at before: there, a score of -0 becomes 0.
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
            || !flat::fits(elements.len(), total_bytes)
        {
            set.enlarge(thresholds);
        }
        let mut digits = Digits::new();
        for (member, score) in elements {
            let member = member.as_bytes(&mut digits);
            match &mut set.form {
                Form::Flat(listpack) => flat::push(listpack, member, score),
                Form::Ranked(ranked) => ranked.add(member, score),
            }
        }
        set
    }

    /// The bytes of its listpack, if it is one.
    pub(crate) fn into_flat_bytes(self) -> Option<Vec<u8>> {
        match self.form {
            Form::Flat(listpack) => Some(listpack.into_bytes()),
            Form::Ranked(_) => None,
        }
    }

    /// Prepares for `count` elements to come in one go: more than a listpack may have make it a large one at once, even
    /// if they turn out to be fewer members.
    pub fn reserve(&mut self, count: usize, thresholds: &Thresholds) {
        if count as u64 > thresholds.zset_max_listpack_entries {
            self.enlarge(thresholds);
        }
    }

    /// Makes it a large one, however few its members are.
    pub fn enlarge(&mut self, thresholds: &Thresholds) {
        let Form::Flat(listpack) = &self.form else { return };
        let mut ranked = Box::new(Ranked::new(thresholds.seed));
        let mut digits = Digits::new();
        for (member, score) in Flat(listpack).iter() {
            ranked.add(member.as_bytes(&mut digits), score);
        }
        self.form = Form::Ranked(ranked);
    }

    /// Makes it a large one if it is not and another member is too much for a listpack.
    fn make_room_for(&mut self, member: &[u8], thresholds: &Thresholds) {
        let Form::Flat(listpack) = &self.form else { return };
        if Flat(listpack).len() as u64 >= thresholds.zset_max_listpack_entries
            || member.len() as u64 > thresholds.zset_max_listpack_value_bytes
        {
            self.enlarge(thresholds);
        }
    }

    /// Gives a member, which is there or not, a score, which is a number. The one it had.
    pub fn set(&mut self, member: &[u8], score: f64, thresholds: &Thresholds) -> Option<f64> {
        debug_assert!(!score.is_nan());
        if let Form::Flat(listpack) = &self.form
            && !flat::has_room_for(listpack, member)
        {
            self.enlarge(thresholds);
        }
        if let Form::Flat(listpack) = &mut self.form {
            if let Some(before) = flat::update(listpack, member, score) {
                return Some(before);
            }
            self.make_room_for(member, thresholds);
        }
        match &mut self.form {
            Form::Flat(listpack) => {
                flat::add(listpack, member, score);
                None
            }
            Form::Ranked(ranked) => ranked.set(member, score),
        }
    }

    /// Removes a member. Its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.form {
            Form::Flat(listpack) => flat::remove(listpack, member),
            Form::Ranked(ranked) => ranked.remove(member),
        }
    }

    /// Removes the elements of these ranks, as far as they are there. How many.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match &mut self.form {
            Form::Flat(listpack) => flat::remove_at(listpack, ranks.start, count),
            Form::Ranked(ranked) => (0..count).for_each(|_| ranked.remove_at(ranks.start)),
        }
        count
    }
}

/// See [`SortedSetRef`].
impl PartialEq for SortedSet {
    fn eq(&self, other: &SortedSet) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl std::fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl Collection for SortedSet {
    type Ref<'a> = SortedSetRef<'a>;

    #[inline]
    fn as_ref(&self) -> SortedSetRef<'_> {
        match &self.form {
            Form::Flat(listpack) => SortedSetRef::Listpack(listpack),
            Form::Ranked(ranked) => SortedSetRef::Ranked(RankedMembers(ranked)),
        }
    }

    fn allocated_bytes(&self) -> usize {
        match &self.form {
            Form::Flat(listpack) => listpack.allocated_bytes(),
            Form::Ranked(ranked) => block_len_bytes(size_of::<Ranked>()) + ranked.allocated_bytes(),
        }
    }

    fn free_some(&mut self) -> bool {
        match &mut self.form {
            Form::Flat(_) => false,
            Form::Ranked(ranked) => ranked.free_some(),
        }
    }

    #[inline]
    fn of_ref(value: ValueRef<'_>) -> Option<SortedSetRef<'_>> {
        if let ValueRef::SortedSet(value) = value { Some(value) } else { None }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut SortedSet> {
        if let Value::SortedSet(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
