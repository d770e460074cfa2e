//! Members by chance.

use super::members::Member;
use super::{Form, Set, SetRef, TableMembers};
use crate::collection::CollectionRef;
use crate::listpack::Element;
use crate::{Collection, Thresholds};
use fastrand::Rng;
use std::collections::BTreeSet;

/// If at least this many times as many members are taken as stay, those that stay are drawn and make a new set, as
/// Redis does it: it shows in the encoding.
const STAY_FACTOR: usize = 5;
/// If a set has at least this many times as many members as are needed, they are drawn one by one.
const DRAW_FACTOR: usize = 3;

/// Chooses `needed` of `len` things that pass by, all choices with the same chance. (Knuth's algorithm S.)
struct Selection {
    left: usize,
    needed: usize,
}

impl Selection {
    fn takes_next(&mut self, random: &mut Rng) -> bool {
        let takes = self.needed > 0 && random.usize(..self.left) < self.needed;
        self.left -= 1;
        self.needed -= usize::from(takes);
        takes
    }
}

impl<'a> SetRef<'a> {
    /// A random member, each with the same chance.
    pub fn random(self, random: &mut Rng) -> Option<Element<'a>> {
        let len = self.len();
        if len == 0 {
            return None;
        }
        match self {
            SetRef::Integers(integers) => integers.get(random.usize(..len)).map(Element::Integer),
            SetRef::Listpack(pack) => pack.seek(random.usize(..len)).map(|position| pack.get(position)),
            SetRef::Table(TableMembers(members)) => members.random(random).map(Member::as_element),
        }
    }

    /// Visits `count` different random members, or all if there are no more, in no particular order.
    pub fn sample(self, count: usize, random: &mut Rng, mut visit: impl FnMut(Element<'a>)) {
        let len = self.len();
        if count > len / DRAW_FACTOR || matches!(self, SetRef::Listpack(_)) {
            let mut selection = Selection { left: len, needed: count.min(len) };
            return self.iter().filter(|_| selection.takes_next(random)).for_each(visit);
        }
        match self {
            SetRef::Integers(integers) => {
                let mut drawn = BTreeSet::new();
                while drawn.len() < count {
                    drawn.insert(random.usize(..len));
                }
                drawn
                    .into_iter()
                    .filter_map(|index| integers.get(index))
                    .map(Element::Integer)
                    .for_each(visit);
            }
            SetRef::Table(TableMembers(members)) => {
                let mut drawn = BTreeSet::new();
                while drawn.len() < count
                    && let Some(member) = members.random(random)
                {
                    if drawn.insert(std::ptr::from_ref(member)) {
                        visit(member.as_element());
                    }
                }
            }
            SetRef::Listpack(_) => {}
        }
    }
}

impl Set {
    /// Takes a random member, each with the same chance, and shows it.
    pub fn pop(&mut self, random: &mut Rng, taken: impl FnOnce(Element<'_>)) {
        let len = self.len();
        if len == 0 {
            return;
        }
        match &mut self.form {
            Form::Integers(integers) => {
                if let Some(integer) = integers.get(random.usize(..len)) {
                    taken(Element::Integer(integer));
                    integers.remove(integer);
                }
            }
            Form::Flat(pack) => {
                if let Some(position) = pack.seek(random.usize(..len)) {
                    taken(pack.get(position));
                    pack.remove(position, 1);
                }
            }
            Form::Table(members) => {
                if let Some(member) = members.pop(random) {
                    taken(member.as_element());
                }
            }
        }
    }

    /// Takes `count` random members, fewer than there are, and shows them. If few of a large set stay, they move to a
    /// new one; the old one is returned, to be freed.
    pub fn pop_some(
        &mut self,
        count: usize,
        thresholds: &Thresholds,
        random: &mut Rng,
        mut taken: impl FnMut(Element<'_>),
    ) -> Option<Set> {
        let len = self.len();
        let count = count.min(len);
        let mut selection = Selection { left: len, needed: count };
        match &mut self.form {
            Form::Integers(integers) => integers.retain(|integer| {
                let takes = selection.takes_next(random);
                if takes {
                    taken(Element::Integer(integer));
                }
                !takes
            }),
            Form::Flat(pack) => {
                let mut position = pack.first();
                while let Some(here) = position {
                    if selection.takes_next(random) {
                        taken(pack.get(here));
                        position = pack.remove(here, 1);
                    } else {
                        position = pack.next(here);
                    }
                }
            }
            Form::Table(members) if (len - count) * STAY_FACTOR > count => {
                for _ in 0..count {
                    if let Some(member) = members.pop(random) {
                        taken(member.as_element());
                    }
                }
            }
            Form::Table(members) => {
                let mut stay = Set::flat();
                for _ in 0..len - count {
                    if let Some(member) = members.pop(random) {
                        stay.add(member.as_element(), thresholds);
                    }
                }
                members.iter().map(Member::as_element).for_each(taken);
                return Some(std::mem::replace(self, stay));
            }
        }
        None
    }
}
