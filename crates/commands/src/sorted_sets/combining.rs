//! Unions, intersections and differences of sorted sets, with plain sets among them.

use super::inputs::{Aggregate, Input, number_or_zero};
use std::cmp::Ordering;
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::listpack::Element;
use tessera_values::table::HashTable;

/// Members with their scores, each once.
#[derive(Default)]
pub(super) struct Combined(Vec<(Vec<u8>, f64)>);

impl Combined {
    /// In the order of a sorted set.
    fn sorted(mut self) -> Combined {
        self.0.sort_unstable_by(|(member, score), (other, other_score)| {
            score.partial_cmp(other_score).unwrap_or(Ordering::Equal).then_with(|| member.cmp(other))
        });
        self
    }

    /// The elements in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Element<'_>, f64)> + Clone {
        self.0.iter().map(|(member, score)| (Element::Bytes(member), *score))
    }

    /// A sorted set of them.
    pub fn to_sorted_set(&self, thresholds: &Thresholds) -> SortedSet {
        SortedSet::from_sorted(self.iter(), thresholds)
    }
}

/// Members that are met several times.
struct Collector {
    members: Vec<(Vec<u8>, f64)>,
    index: HashTable<usize>,
}

impl Collector {
    fn new(seed: u64) -> Collector {
        Collector { members: Vec::new(), index: HashTable::new(seed) }
    }

    /// The score of a member, if it has been met, else it is now.
    fn meet(&mut self, member: &[u8], score: f64) -> Option<&mut f64> {
        let Collector { members, index } = self;
        let hasher = index.hasher();
        let hash = hasher(member);
        if let Some(at) = index.find(hash, |at| members[*at].0 == member) {
            return Some(&mut members[*at].1);
        }
        index.insert(hash, members.len(), |at| hasher(&members[*at].0));
        members.push((member.to_vec(), score));
        None
    }

    fn has(&self, member: &[u8]) -> bool {
        self.index.find(self.index.hash(member), |at| self.members[*at].0 == member).is_some()
    }
}

/// All members of all inputs.
pub(super) fn unite(mut inputs: Vec<Input<'_>>, aggregate: Aggregate, seed: u64) -> Combined {
    // Sums depend on the order of what is added: it must be Redis's.
    inputs.sort_by_key(Input::len);
    let mut collector = Collector::new(seed);
    for input in &inputs {
        input.visit(|member, score| {
            let score = number_or_zero(input.weight * score);
            if let Some(before) = collector.meet(member.as_bytes(&mut Digits::new()), score) {
                *before = aggregate.apply(*before, score);
            }
            true
        });
    }
    Combined(collector.members).sorted()
}

/// Visits the members that are in all inputs, with their scores, until `visit` is false.
fn visit_common<'v>(
    mut inputs: Vec<Input<'v>>,
    aggregate: Aggregate,
    mut visit: impl FnMut(Element<'v>, f64) -> bool,
) {
    inputs.sort_by_key(Input::len);
    let Some((smallest, others)) = inputs.split_first() else { return };
    smallest.visit(|member, score| {
        let mut combined = number_or_zero(smallest.weight * score);
        for other in others {
            let Some(score) = other.score(member) else { return true };
            combined = aggregate.apply(combined, score * other.weight);
        }
        visit(member, combined)
    });
}

/// The members that are in all inputs.
pub(super) fn intersect(inputs: Vec<Input<'_>>, aggregate: Aggregate) -> Combined {
    let mut combined = Combined::default();
    visit_common(inputs, aggregate, |member, score| {
        combined.0.push((member.to_vec(), score));
        true
    });
    combined.sorted()
}

/// How many members are in all inputs, counted no further than `limit`.
pub(super) fn count_common(inputs: Vec<Input<'_>>, limit: usize) -> usize {
    let mut count = 0;
    visit_common(inputs, Aggregate::Sum, |_, _| {
        count += 1;
        count < limit
    });
    count
}

/// The members of the first input that are in no other.
pub(super) fn subtract(inputs: &[Input<'_>], seed: u64) -> Combined {
    let Some((first, others)) = inputs.split_first() else { return Combined::default() };
    let mut combined = Combined::default();
    // Either each member is looked for in all other inputs, or those are brought together first. The former has the
    // advantage that it can stop early.
    let looking = first.len().saturating_mul(others.len()) / 2;
    let collecting = others.iter().map(Input::len).sum::<usize>().saturating_add(first.len());
    let mut excluded = Collector::new(seed);
    if looking > collecting {
        for other in others {
            other.visit(|member, score| {
                excluded.meet(member.as_bytes(&mut Digits::new()), score);
                true
            });
        }
    }
    first.visit(|member, score| {
        let is_excluded = if looking > collecting {
            excluded.has(member.as_bytes(&mut Digits::new()))
        } else {
            others.iter().any(|other| other.score(member).is_some())
        };
        if !is_excluded {
            combined.0.push((member.to_vec(), score));
        }
        true
    });
    combined.sorted()
}
