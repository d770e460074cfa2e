//! Small hashes: one listpack, with a value behind each field, and where fields may expire, a time behind each value.
//!
//! Both forms are those of Redis and of its snapshots. In the one with times, 0 stands for none; fields that expire
//! come first, in the order of time, so those that have expired are at the start.

use super::FieldExpire;
use crate::listpack::{Element, Listpack, Pack, Position};

/// Elements for each field without times.
pub(super) const PLAIN: usize = 2;
/// Elements for each field with times.
pub(super) const VOLATILE: usize = 3;

/// Field, value, and the time at which the field expires.
pub(super) type Row<'a> = (Element<'a>, Element<'a>, Option<i64>);

/// All rows of a listpack of `stride` elements each.
pub(super) fn rows(listpack: &Pack, stride: usize) -> impl Iterator<Item = Row<'_>> {
    let mut elements = listpack.iter();
    std::iter::from_fn(move || {
        let (field, value) = (elements.next()?, elements.next()?);
        let expire_at_ms = if stride == VOLATILE { time(elements.next()?) } else { None };
        Some((field, value, expire_at_ms))
    })
}

fn time(element: Element<'_>) -> Option<i64> {
    element.as_integer().filter(|at_ms| *at_ms != 0)
}

/// The place of a field's value.
#[inline]
pub(super) fn find(listpack: &Pack, field: &[u8], stride: usize) -> Option<Position> {
    let field = listpack.find(listpack.first(), field, stride)?;
    listpack.next(field)
}

/// When the field expires whose value is at `value`, in a listpack with times.
pub(super) fn expire_at_ms(listpack: &Pack, value: Position) -> Option<i64> {
    time(listpack.get(listpack.next(value)?))
}

/// Sets a field in a listpack without times. True if it is new.
pub(super) fn set(listpack: &mut Listpack, field: &[u8], value: &[u8]) -> bool {
    match find(listpack, field, PLAIN) {
        Some(place) => {
            listpack.replace(place, value);
            false
        }
        None => {
            listpack.insert(None, &[Element::new(field), Element::new(value)]);
            true
        }
    }
}

/// Sets a field in a listpack with times. True if it is new.
pub(super) fn set_volatile(listpack: &mut Listpack, field: &[u8], value: &[u8], expire: FieldExpire) -> bool {
    let place = find(listpack, field, VOLATILE);
    let before_ms = place.and_then(|place| expire_at_ms(listpack, place));
    let after_ms = expire.after(before_ms);
    match place {
        Some(place) if before_ms == after_ms => listpack.replace(place, value),
        _ => {
            remove(listpack, field, VOLATILE);
            insert_row(listpack, field, value, after_ms);
        }
    }
    place.is_none()
}

/// Changes when a field expires. False if there is no such field.
pub(super) fn set_expire(listpack: &mut Listpack, field: &[u8], after_ms: Option<i64>) -> bool {
    let Some(place) = find(listpack, field, VOLATILE) else { return false };
    if expire_at_ms(listpack, place) != after_ms {
        let value = listpack.get(place).to_vec();
        remove(listpack, field, VOLATILE);
        insert_row(listpack, field, &value, after_ms);
    }
    true
}

/// Adds a row where its time belongs: behind those of the same time.
fn insert_row(listpack: &mut Listpack, field: &[u8], value: &[u8], expire_at_ms: Option<i64>) {
    let mut place = None;
    if let Some(at_ms) = expire_at_ms {
        let is_earlier = |(_, _, other_ms): &Row<'_>| other_ms.is_some_and(|other_ms| other_ms <= at_ms);
        let earlier = rows(listpack, VOLATILE).take_while(is_earlier).count();
        place = listpack.seek(earlier * VOLATILE);
    }
    let time = Element::Integer(expire_at_ms.unwrap_or(0));
    listpack.insert(place, &[Element::new(field), Element::new(value), time]);
}

/// False if there is no such field.
pub(super) fn remove(listpack: &mut Listpack, field: &[u8], stride: usize) -> bool {
    let Some(place) = listpack.find(listpack.first(), field, stride) else { return false };
    listpack.remove(place, stride);
    true
}

/// The same rows with times, of which there are none.
pub(super) fn with_times(plain: &Pack) -> Listpack {
    let mut volatile = Listpack::new();
    volatile.extend(rows(plain, PLAIN).flat_map(|(field, value, _)| [field, value, Element::Integer(0)]));
    volatile
}

/// How many rows have expired.
pub(super) fn expired_len(volatile: &Pack, now_ms: i64) -> usize {
    rows(volatile, VOLATILE)
        .take_while(|(_, _, expire_at_ms)| expire_at_ms.is_some_and(|at_ms| at_ms < now_ms))
        .count()
}

/// Removes up to `max` expired rows.
pub(super) fn remove_expired(
    volatile: &mut Listpack,
    now_ms: i64,
    max: usize,
    mut removed: impl FnMut(&[u8]),
) {
    let count = expired_len(volatile, now_ms).min(max);
    for (field, _, _) in rows(volatile, VOLATILE).take(count) {
        removed(&field.to_vec());
    }
    if let Some(first) = volatile.first() {
        volatile.remove(first, count * VOLATILE);
    }
}

/// The earliest time at which a field expires.
pub(super) fn next_expire_at_ms(volatile: &Pack) -> Option<i64> {
    rows(volatile, VOLATILE).next()?.2
}
