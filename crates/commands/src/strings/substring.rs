//! The part of a string between two indices: GETRANGE, SUBSTR.

use super::long;
use tessera_command::prelude::*;

/// The parsed words.
pub struct Range<'a> {
    key: &'a [u8],
    start: i64,
    end: i64,
}

pub(super) fn parse<'a>(words: &mut Words<'a>) -> Result<Range<'a>, Error> {
    Ok(Range { key: words.word()?, start: words.integer()?, end: words.integer()? })
}

/// Answers the bytes from `start` to `end`, both included; negative indices count from the end.
///
/// # Errors
/// If the key holds no string, or the reply is long.
pub(super) fn answer(range: &Range<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
    let mut digits = Digits::new();
    let bytes = db.string(range.key)?.map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
    let part = &bytes[cut(bytes.len(), range.start, range.end)];
    if is_long_string(part.len()) && reply.may_stream() {
        return Err(Error::LongReply);
    }
    reply.bulk(part);
    Ok(())
}

/// Begins a long answer.
pub(super) fn stream<'a>(
    range: &Range<'a>,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Option<(&'a [u8], Box<dyn Stream>)> {
    let ValueRef::String(string) = db.peek(range.key)?.value() else { return None };
    let part = cut(string.len_bytes(), range.start, range.end);
    Some((range.key, long::begin(part.start, part.len(), reply)))
}

/// The part of `len_bytes` bytes.
fn cut(len_bytes: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    let len = len_bytes as i64;
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let from_front = |index: i64| if index < 0 { (len + index).max(0) } else { index };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn indices_are_clamped() {
        for (start, end, part) in [
            (0, -1, "hello"),
            (1, 3, "ell"),
            (-3, -2, "ll"),
            (-2, -3, ""),
            (3, 1, ""),
            (-100, 100, "hello"),
            (-100, -90, "h"),
            (5, 9, ""),
            (i64::MIN, i64::MAX, "hello"),
            (i64::MAX, i64::MIN, ""),
        ] {
            assert_eq!(&b"hello"[cut(5, start, end)], part.as_bytes(), "{start} {end}");
        }
        assert!(cut(0, 0, 0).is_empty());
        assert!(cut(0, -1, -1).is_empty());
    }
}
