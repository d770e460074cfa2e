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
    let sum = match db.string_mut(key)? {
        Some(mut entry) => {
            let sum = entry
                .string()
                .and_then(StringRef::as_integer)
                .ok_or(Error::NOT_AN_INTEGER)?
                .checked_add(increment)
                .ok_or(Error::Text("ERR increment or decrement would overflow"))?;
            entry.set_string(StringValue::integer(sum));
            sum
        }
        None => {
            db.put(key, StringValue::integer(increment), Expire::Clear);
            increment
        }
    };
    reply.integer(sum);
    Ok(Effect::Verbatim)
}
