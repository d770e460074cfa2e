//! How commands get at a hash to change it, and how they answer what is in it.

use tessera_command::prelude::*;
use tessera_values::Hash;
use tessera_values::listpack::Element;

/// Expired fields that a change removes besides those it is about.
const EXPIRED_MAX: usize = 32;

/// Has `change` work on the hash at `key`, with none of `fields` expired but still there; removes the key if nothing is
/// left in it. `None` if there is no such key.
///
/// # Errors
/// If the key holds something else.
pub(super) fn change<'f, T>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
    event: Event,
    change: impl FnOnce(&mut Hash) -> (T, bool),
) -> Result<Option<T>, Error> {
    remove_expired(db, key, fields)?;
    Ok(db.change(key, event, change)?)
}

/// The same, beginning with an empty hash if there is no such key.
///
/// # Errors
/// If the key holds something else.
pub(super) fn change_or_create<'f, T>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
    event: Event,
    change: impl FnOnce(&mut Hash) -> (T, bool),
) -> Result<T, Error> {
    remove_expired(db, key, fields)?;
    Ok(db.change_or_create(key, event, change)?)
}

/// Removes those of `fields`, and some others, whose time is over, before a change that takes them for missing.
#[inline]
fn remove_expired<'f>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
) -> Result<(), WrongType> {
    if db.read().has_due_fields() { remove_expired_of(db, key, fields) } else { Ok(()) }
}

#[cold]
fn remove_expired_of<'f>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
) -> Result<(), WrongType> {
    let now_ms = db.now_ms();
    let next_ms = db.look_to_write(key, |entry| match entry.value() {
        ValueRef::Hash(hash) => hash.next_field_expire_at_ms(),
        _ => None,
    });
    if next_ms.flatten().is_none_or(|at_ms| now_ms <= at_ms) {
        return Ok(());
    }
    let mut expired = Vec::new();
    db.change(key, Event::HExpired, |hash: &mut Hash| {
        hash.remove_expired_fields(now_ms, EXPIRED_MAX, |field| expired.push(field.to_vec()));
        for field in fields {
            if hash.as_ref().find(field, now_ms).is_none() && hash.remove(field) {
                expired.push(field.to_vec());
            }
        }
        ((), !expired.is_empty())
    })?;
    record_expired(db, key, &expired);
    Ok(())
}

/// To a replica a field is there until it is told otherwise.
fn record_expired(db: &mut ViewMut<'_>, key: &[u8], expired: &[Vec<u8>]) {
    if !expired.is_empty() {
        let fields = expired.iter().map(Vec::as_slice);
        let words: Vec<&[u8]> = [b"HDEL".as_slice(), key].into_iter().chain(fields).collect();
        db.record(&words);
    }
}

/// Writes a field's name or value.
#[inline]
pub(super) fn bulk(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Bytes(bytes) => reply.bulk(bytes),
        Element::Integer(value) => reply.bulk_integer(value),
    }
}

/// Writes a value, or that there is none.
#[inline]
pub(super) fn bulk_or_null(reply: &mut Reply<'_>, element: Option<Element<'_>>) {
    match element {
        Some(element) => bulk(reply, element),
        None => reply.null(),
    }
}

/// Writes what so many fields of a hash that is not there are.
pub(super) fn nulls(reply: &mut Reply<'_>, len: usize) {
    reply.array(len);
    (0..len).for_each(|_| reply.null());
}
