//! Sets made of sets. How Redis goes about it shows in the encodings of the results.

use tessera_command::prelude::*;
use tessera_values::listpack::Element;
use tessera_values::{Set, SetRef};

/// Sets in the order of the keys; `None` for those that are missing.
pub(super) type Sets<'v> = [Option<SetRef<'v>>];

/// The sets that were found.
///
/// # Errors
/// If there is anything else among them.
pub(super) fn sets_of<'v>(found: &[Found<'v>]) -> Result<Vec<Option<SetRef<'v>>>, Error> {
    found
        .iter()
        .map(|found| found.value.map(|value| Set::of_ref(value).ok_or(Error::WRONG_TYPE)).transpose())
        .collect()
}

/// The sets from the smallest to the largest; `None` if one is missing.
fn by_len<'v>(sets: &Sets<'v>) -> Option<Vec<SetRef<'v>>> {
    let mut sets: Vec<SetRef<'_>> = sets.iter().copied().collect::<Option<_>>()?;
    sets.sort_by_key(|set| set.len());
    Some(sets)
}

/// Visits the members that all sets have, as long as `visit` wants more.
pub(super) fn intersect<'v>(sets: &Sets<'v>, visit: impl FnMut(Element<'v>) -> bool) {
    if let Some(sets) = by_len(sets) {
        intersect_sorted(&sets, visit);
    }
}

fn intersect_sorted<'v>(sets: &[SetRef<'v>], mut visit: impl FnMut(Element<'v>) -> bool) {
    let [first, others @ ..] = sets else { return };
    let others: Vec<SetRef<'_>> = others.iter().copied().filter(|other| !other.is_same(*first)).collect();
    for member in first.iter() {
        if others.iter().all(|other| other.contains(member)) && !visit(member) {
            return;
        }
    }
}

/// The members that all sets have. Integers alone become a set of integers, if they are not too many.
pub(super) fn intersection(sets: &Sets<'_>, thresholds: &Thresholds) -> Set {
    let Some(sets) = by_len(sets) else { return Set::default() };
    let begins_as_intset = sets.first().is_none_or(|set| set.is_intset());
    let mut result = if begins_as_intset { Set::default() } else { Set::flat() };
    let mut only_integers = true;
    intersect_sorted(&sets, |member| {
        only_integers &= member.as_integer().is_some();
        result.add(member, thresholds);
        true
    });
    if only_integers && !result.as_ref().is_intset() {
        result.become_integers(thresholds);
    }
    result
}

/// The members that any of the sets has.
pub(super) fn union(sets: &Sets<'_>, thresholds: &Thresholds) -> Set {
    let mut result = Set::default();
    for member in sets.iter().flatten().flat_map(|set| set.iter()) {
        result.add(member, thresholds);
    }
    result
}

/// The members of the first set that no other has.
pub(super) fn difference(sets: &Sets<'_>, thresholds: &Thresholds) -> Set {
    let mut result = Set::default();
    let [Some(first), others @ ..] = sets else { return result };
    let mut others: Vec<SetRef<'_>> = others.iter().copied().flatten().collect();
    if others.iter().any(|other| other.is_same(*first)) {
        return result;
    }
    // Either each member is looked for in the other sets, or theirs are taken out of a copy of the first.
    let looking_work = first.len() * (1 + others.len()) / 2;
    let taking_work = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
    if looking_work <= taking_work {
        others.sort_by_key(|set| std::cmp::Reverse(set.len()));
        for member in first.iter() {
            if !others.iter().any(|other| other.contains(member)) {
                result.add(member, thresholds);
            }
        }
        return result;
    }
    for member in first.iter() {
        result.add(member, thresholds);
    }
    for other in others {
        if result.is_empty() {
            break;
        }
        for member in other.iter() {
            result.remove(member);
        }
    }
    result
}
