//! Adding to an integer: what INCR, DECR, INCRBY and DECRBY do.

use tessera_command::prelude::*;

/// Adds `increment` to the integer at `key` and answers the sum.
///
/// # Errors
/// If the key holds no integer, or the sum is none of 64 bits.
#[inline]
pub(super) fn add(
    key: &[u8],
    increment: i64,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let sum = db.change_string(key, Event::IncrBy, |entry| {
        let sum = entry
            .string()
            .and_then(StringRef::as_integer)
            .ok_or(Error::NOT_AN_INTEGER)?
            .checked_add(increment)
            .ok_or(Error::Text("ERR increment or decrement would overflow"))?;
        entry.set_string(StringValue::integer(sum));
        // Also by 0, as in Redis.
        Ok::<_, Error>((sum, true))
    })?;
    let sum = sum.unwrap_or_else(|| {
        db.put(key, StringValue::integer(increment), Expire::Clear, Event::IncrBy);
        increment
    });
    reply.integer(sum);
    Ok(Effect::Verbatim)
}
