//! Collections that are one string: listpacks, ziplists, zipmaps and sets of integers.
//!
//! Each is looked at to the last byte. One that may stay a listpack is taken over as it is. As in Redis it may if it
//! does not have too many elements; how long they are is not asked, but of zipmaps.

use super::distinct::are_distinct;
use super::ziplist::Ziplist;
use super::zipmap::Zipmap;
use super::{Decoded, FIELD_EXPIRE_MAX_MS, malformed, sorted_set};
use crate::rdb::decode::reader::{RawString, Stop, bad};
use crate::rdb::opcodes::ValueType;
use tessera_values::list::ListBuilder;
use tessera_values::listpack::{Element, Listpack, Position};
use tessera_values::set::IntSet;
use tessera_values::{Collection, Hash, Set, SortedSet, Thresholds};

/// The collection of a type that is one string.
pub(super) fn decode(
    value_type: ValueType,
    string: RawString<'_>,
    thresholds: &Thresholds,
) -> Result<Decoded, Stop> {
    let bytes = string.to_vec()?;
    let listpack = match value_type {
        ValueType::HashZipmap => return hash_of_zipmap(&bytes, thresholds).map(|hash| Some(hash).into()),
        ValueType::ListZiplist => return list_of_ziplist(&bytes, thresholds),
        ValueType::SetIntset => return set_of_integers(bytes, thresholds).map(|set| Some(set).into()),
        ValueType::SortedSetZiplist | ValueType::HashZiplist => {
            Ziplist::new(&bytes).and_then(Ziplist::to_listpack)
        }
        _ => Listpack::from_bytes(bytes),
    };
    let listpack = listpack.or_else(malformed)?;
    if listpack.is_empty() {
        return Ok(Decoded::Empty);
    }
    match value_type {
        ValueType::SetListpack => set(listpack, thresholds).map(|set| Some(set).into()),
        ValueType::SortedSetZiplist | ValueType::SortedSetListpack => {
            sorted_set(listpack, thresholds).map(|set| Some(set).into())
        }
        ValueType::HashListpackTimes | ValueType::HashListpackTimesPreRelease => {
            hash_with_times(listpack, thresholds).map(|hash| Some(hash).into())
        }
        _ => hash(listpack, thresholds).map(|hash| Some(hash).into()),
    }
}

fn list_of_ziplist(bytes: &[u8], thresholds: &Thresholds) -> Result<Decoded, Stop> {
    let mut list = ListBuilder::new(thresholds.list_setting());
    for element in Ziplist::new(bytes).or_else(malformed)?.iter() {
        list.push(element.as_bytes(&mut Default::default()));
    }
    // Redis does not ask here whether it is short enough for a listpack.
    let list = (!list.is_empty()).then(|| list.finish_quick());
    Ok(list.into())
}

fn set_of_integers(bytes: Vec<u8>, thresholds: &Thresholds) -> Result<Set, Stop> {
    let integers = IntSet::from_bytes(bytes).or_else(malformed)?;
    if integers.is_empty() {
        return bad("the set of integers is empty");
    }
    Ok(Set::from_integers(integers, thresholds))
}

/// The set of a listpack's elements.
pub(super) fn set(listpack: Listpack, thresholds: &Thresholds) -> Result<Set, Stop> {
    if !are_distinct(listpack.iter(), thresholds.seed) {
        return bad("a member of the set is there twice");
    }
    Ok(Set::from_listpack(listpack, thresholds))
}

/// The hash of a listpack's fields and values.
pub(super) fn hash(listpack: Listpack, thresholds: &Thresholds) -> Result<Hash, Stop> {
    check_rows(&listpack, 2, "hash", thresholds)?;
    let mut hash = Hash::from_listpack(listpack);
    if hash.len() as u64 > thresholds.hash_max_listpack_entries {
        hash.enlarge(thresholds);
    }
    Ok(hash)
}

/// The hash of a listpack's fields, values and times, in any order.
pub(super) fn hash_with_times(listpack: Listpack, thresholds: &Thresholds) -> Result<Hash, Stop> {
    check_rows(&listpack, 3, "hash", thresholds)?;
    let (mut before_ms, mut in_order) = (0, true);
    for time in listpack.iter().skip(2).step_by(3) {
        let at_ms = time.as_integer().and_then(|at_ms| u64::try_from(at_ms).ok());
        let Some(at_ms) = at_ms.filter(|at_ms| *at_ms <= FIELD_EXPIRE_MAX_MS) else {
            return bad("the time of a field is no time");
        };
        in_order &= before_ms <= order_of(at_ms);
        before_ms = order_of(at_ms);
    }
    let listpack = if in_order { listpack } else { by_time(&listpack) };
    let mut hash = Hash::from_listpack_with_times(listpack);
    if hash.len() as u64 > thresholds.hash_max_listpack_entries {
        hash.enlarge(thresholds);
    }
    Ok(hash)
}

/// Fields that do not expire come last.
fn order_of(at_ms: u64) -> u64 {
    if at_ms == 0 { u64::MAX } else { at_ms }
}

/// The places of a listpack's rows. A row of `stride` elements takes at least as many bytes as two places.
fn places(listpack: &Listpack, stride: usize) -> Vec<Position> {
    let mut elements = listpack.iter();
    std::iter::from_fn(|| {
        let place = elements.position()?;
        elements.nth(stride - 1)?;
        Some(place)
    })
    .collect()
}

/// The same rows in the order of their times.
fn by_time(listpack: &Listpack) -> Listpack {
    let row = |place: &Position| listpack.iter_from(Some(*place)).take(3);
    let mut places = places(listpack, 3);
    places.sort_by_key(|place| {
        let time = row(place).last().and_then(Element::as_integer);
        order_of(time.unwrap_or_default().cast_unsigned())
    });
    let mut sorted = Listpack::new();
    sorted.extend(places.iter().flat_map(row));
    sorted
}

/// The sorted set of a listpack's members and scores.
fn sorted_set(listpack: Listpack, thresholds: &Thresholds) -> Result<SortedSet, Stop> {
    check_rows(&listpack, 2, "sorted set", thresholds)?;
    let mut scores = listpack.iter().skip(1).step_by(2);
    scores.try_for_each(|score| sorted_set::score_of_element(score).map(drop))?;
    let row = |place: &Position| {
        let mut row = listpack.iter_from(Some(*place));
        let member = row.next().unwrap_or(Element::Integer(0));
        // Scores have been looked at.
        (member, row.next().and_then(|score| sorted_set::score_of_element(score).ok()).unwrap_or_default())
    };
    let mut places = places(&listpack, 2);
    if !places.is_sorted_by(|left, right| sorted_set::order(&row(left), &row(right)).is_le()) {
        // Redis takes it over and does not find members then.
        places.sort_unstable_by(|left, right| sorted_set::order(&row(left), &row(right)));
        return Ok(SortedSet::from_sorted(places.iter().map(row), thresholds));
    }
    let is_large = places.len() as u64 > thresholds.zset_max_listpack_entries;
    let mut set = SortedSet::from_listpack(listpack);
    if is_large {
        set.enlarge(thresholds);
    }
    Ok(set)
}

/// Rows are whole, and their first elements are there once.
fn check_rows(listpack: &Listpack, stride: usize, what: &str, thresholds: &Thresholds) -> Result<(), Stop> {
    if !listpack.len().is_multiple_of(stride) {
        return bad(format!("the last element of the {what} is not whole"));
    }
    if !are_distinct(listpack.iter().step_by(stride), thresholds.seed) {
        return bad(format!("an element of the {what} is there twice"));
    }
    Ok(())
}

fn hash_of_zipmap(bytes: &[u8], thresholds: &Thresholds) -> Result<Hash, Stop> {
    let zipmap = Zipmap::new(bytes).or_else(malformed)?;
    let mut listpack = Listpack::new();
    // Lengths of long texts may take a few bytes more in a listpack.
    if !listpack.has_room_for(bytes.len() + 8 * zipmap.len + bytes.len() / 32) {
        return bad("the zipmap is longer than 1 GiB");
    }
    listpack.extend(zipmap.iter().flat_map(|(field, value)| [Element::new(field), Element::new(value)]));
    let longest = zipmap.iter().map(|(field, value)| field.len().max(value.len())).max();
    let mut hash = hash(listpack, thresholds)?;
    if longest.unwrap_or_default() as u64 > thresholds.hash_max_listpack_value_bytes {
        hash.enlarge(thresholds);
    }
    Ok(hash)
}
