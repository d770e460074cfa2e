//! Sorted sets that come member by member, and scores.

use super::distinct::are_distinct;
use crate::rdb::decode::reader::{Reader, Stop, bad};
use std::cmp::Ordering;
use tessera_values::listpack::Element;
use tessera_values::{Digits, SortedSet, Thresholds, double};

/// Lengths of a score's text that stand for what has no text.
const NOT_A_NUMBER: u8 = 253;
const INFINITY: u8 = 254;
const MINUS_INFINITY: u8 = 255;
const TWICE: &str = "a member of the sorted set is there twice";

/// A sorted set that is not whole yet.
#[derive(Debug)]
pub(super) enum SortedSetBuilder {
    /// Few members, in the order in which they came.
    Few(Vec<(Box<[u8]>, f64)>),
    /// Too many for a listpack.
    Large(SortedSet),
}

impl SortedSetBuilder {
    /// For so many members.
    pub fn new(len: u64, thresholds: &Thresholds) -> SortedSetBuilder {
        if len > thresholds.zset_max_listpack_entries {
            let mut set = SortedSet::default();
            set.enlarge(thresholds);
            return SortedSetBuilder::Large(set);
        }
        SortedSetBuilder::Few(Vec::new())
    }

    /// The sorted set as far as it goes, if it is a large one.
    pub fn large(&self) -> Option<&SortedSet> {
        match self {
            SortedSetBuilder::Large(set) => Some(set),
            SortedSetBuilder::Few(_) => None,
        }
    }

    /// Adds a member.
    #[inline]
    pub fn add(&mut self, member: Element<'_>, score: f64, thresholds: &Thresholds) -> Result<(), Stop> {
        if score.is_nan() {
            return bad("a score is not a number");
        }
        let mut digits = Digits::new();
        let member = member.as_bytes(&mut digits);
        match self {
            SortedSetBuilder::Few(few) => few.push((member.into(), score)),
            SortedSetBuilder::Large(set) => {
                if set.set(member, score, thresholds).is_some() {
                    return bad(TWICE);
                }
            }
        }
        Ok(())
    }

    /// The sorted set.
    pub fn finish(self, thresholds: &Thresholds) -> Result<SortedSet, Stop> {
        let few = match self {
            SortedSetBuilder::Few(few) => few,
            SortedSetBuilder::Large(set) => return Ok(set),
        };
        let mut elements: Vec<(Element<'_>, f64)> =
            few.iter().map(|(member, score)| (Element::new(member), *score)).collect();
        if !are_distinct(elements.iter().map(|(member, _)| *member), thresholds.seed) {
            return bad(TWICE);
        }
        sort(&mut elements);
        Ok(SortedSet::from_sorted(elements.iter().copied(), thresholds))
    }
}

/// Whether an element comes before, or behind, another.
pub(super) fn order(
    (member, score): &(Element<'_>, f64),
    (other, other_score): &(Element<'_>, f64),
) -> Ordering {
    let by_score = score.partial_cmp(other_score).unwrap_or(Ordering::Equal);
    let by_member = || member.as_bytes(&mut Digits::new()).cmp(other.as_bytes(&mut Digits::new()));
    by_score.then_with(by_member)
}

/// Puts elements in their order. No score is NaN.
fn sort(elements: &mut [(Element<'_>, f64)]) {
    if !elements.is_sorted_by(|left, right| order(left, right).is_le()) {
        elements.sort_unstable_by(order);
    }
}

/// The score that an element of a listpack is.
pub(super) fn score_of_element(element: Element<'_>) -> Result<f64, Stop> {
    let score = match element {
        Element::Integer(integer) => Some(integer as f64),
        Element::Bytes(text) => double::parse(text),
    };
    score.filter(|score| !score.is_nan()).map_or_else(|| bad("a score is no number"), Ok)
}

/// Reads a score as text, behind its length.
pub(super) fn score_of_text(reader: &mut Reader<'_>) -> Result<f64, Stop> {
    match reader.byte()? {
        NOT_A_NUMBER => Ok(f64::NAN),
        INFINITY => Ok(f64::INFINITY),
        MINUS_INFINITY => Ok(f64::NEG_INFINITY),
        0 => bad("a score is empty"),
        len => {
            let text = reader.bytes(len)?;
            double::parse_bound(text).map_or_else(|| bad("a score is no number"), Ok)
        }
    }
}
