//! Setting fields: what HSET and HMSET have in common.

use super::access::change_or_create;
use tessera_command::prelude::*;
use tessera_values::hash::FieldExpire;

/// A field and its value.
pub(super) const DATA_MEMBERS: &[Arg] = &[string("field"), string("value")];

/// The same, repeated.
pub(super) const DATA: Arg = block("data", DATA_MEMBERS).multiple();

/// The key, and fields with values in turn.
pub type Pairs<'a> = (&'a [u8], Args<'a>);

/// Reads the words.
pub(super) fn parse<'a>(words: &mut Words<'a>) -> Result<Pairs<'a>, Error> {
    let pairs = (words.word()?, words.rest());
    if pairs.1.len().is_multiple_of(2) { Ok(pairs) } else { Err(Error::Arity) }
}

/// Sets the fields. How many of them are new.
pub(super) fn set((key, data): &Pairs<'_>, db: &mut ViewMut<'_>) -> Result<i64, Error> {
    let thresholds = db.settings().thresholds;
    change_or_create(db, key, data.iter().step_by(2), Event::HSet, |hash| {
        hash.prepare(data.len() / 2, data.iter(), &thresholds);
        let mut created = 0;
        let mut words = data.iter();
        while let (Some(field), Some(value)) = (words.next(), words.next()) {
            created += i64::from(hash.set(field, value, FieldExpire::Clear, &thresholds));
        }
        (created, true)
    })
}
