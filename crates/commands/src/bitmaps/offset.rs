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

/// What was done to bits that a command was given room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Written {
    /// None was written.
    Nothing,
    /// Some were, and are as before.
    Same,
    /// Some are others now.
    Other,
}

/// Has `change` change the string at `key` in place, with room for bit `last`, and say what it has done. Returns what
/// `change` does, and whether the string had to grow, or to be made.
///
/// # Errors
/// If the key holds something else.
pub(super) fn with_room<R>(
    db: &mut ViewMut<'_>,
    key: &[u8],
    last: u64,
    change: impl FnOnce(&mut [u8]) -> (R, Written),
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
        let (result, written) = result.expect("it is called for the first time");
        let has_changed = written == Written::Other || grows && written == Written::Same;
        Ok::<_, Error>((((result, grows), written), has_changed))
    })?;
    if let Some((changed, written)) = changed {
        let (_, grows) = changed;
        if grows && written == Written::Nothing {
            // Redis tells nothing of a string that has only grown.
            db.tell_more(key, Event::Changed);
        }
        return Ok(changed);
    }
    let mut bytes = vec![0; len_bytes];
    let (result, written) = once(&mut bytes).expect("without a key it was not called");
    let event = if written == Written::Nothing { Event::Changed } else { Event::SetBit };
    db.put(key, StringValue::raw(bytes), Expire::Clear, event);
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
