//! Bit offsets, and room for the bits they point to.

use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

const OUT_OF_RANGE: Error = Error::Text("ERR bit offset is not an integer or out of range");

/// Reads a bit offset, `#` times `width` in front of a number if there is a width. How large it may be depends on
/// the configuration: see [`check`].
///
/// # Errors
/// If it is no offset.
pub(super) fn parse(word: &[u8], width: Option<u32>) -> Result<u64, Error> {
    let offset = match (word.strip_prefix(b"#"), width) {
        (Some(number), Some(width)) => {
            // Redis lets the product wrap around.
            parse_i64(number).map(|number| number.wrapping_mul(i64::from(width)))
        }
        _ => parse_i64(word),
    };
    offset.and_then(|offset| u64::try_from(offset).ok()).ok_or(OUT_OF_RANGE)
}

/// An offset must lie within the longest string.
///
/// # Errors
/// If it does not.
pub(super) fn check(offset: u64, settings: tessera_keyspace::ShardSettings) -> Result<(), Error> {
    if offset / 8 < settings.string_max_len_bytes { Ok(()) } else { Err(OUT_OF_RANGE) }
}

/// Has `change` change the string at `key` in place, with room for bit `last`, and say whether it has changed it. Returns what
/// `change` does, and whether the string had to grow, or to be made.
///
/// # Errors
/// If the key holds something else.
pub(super) fn with_room<R>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    last: u64,
    change: impl FnOnce(&mut [u8]) -> (R, bool),
) -> Result<(R, bool), Error> {
    let len_bytes = (last / 8 + 1) as usize;
    let mut change = Some(change);
    let mut once = |bytes: &mut [u8]| change.take().map(|change| change(bytes));
    let changed = db.change_string(key, Event::SetBit, |entry| {
        let changed = entry.change_raw_to(len_bytes, |bytes| {
            let grows = bytes.len() < len_bytes;
            if grows {
                bytes.resize(len_bytes, 0);
            }
            (once(bytes), grows)
        });
        let (result, grows) = changed.ok_or(Error::WRONG_TYPE)?;
        let (result, has_changed) = result.expect("it is called for the first time");
        Ok::<_, Error>(((result, grows), grows || has_changed))
    })?;
    if let Some(changed) = changed {
        return Ok(changed);
    }
    let mut bytes = vec![0; len_bytes];
    let (result, _) = once(&mut bytes).expect("without a key it was not called");
    db.put(key, StringValue::raw(bytes), Expire::Clear, Event::SetBit);
    Ok((result, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        for (word, width, offset) in [
            ("7", None, Ok(7)),
            ("7", Some(8), Ok(7)),
            ("#7", Some(8), Ok(56)),
            ("#7", None, Err(OUT_OF_RANGE)),
            ("-1", None, Err(OUT_OF_RANGE)),
            ("#-1", Some(8), Err(OUT_OF_RANGE)),
            ("", None, Err(OUT_OF_RANGE)),
            ("#", Some(8), Err(OUT_OF_RANGE)),
            ("07", None, Err(OUT_OF_RANGE)),
        ] {
            assert_eq!(parse(word.as_bytes(), width), offset, "{word:?}");
        }
    }
}
