//! The part of a string between two indices: GETRANGE, SUBSTR.

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
/// If the key holds no string.
pub(super) fn answer(range: &Range<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
    let mut digits = Digits::new();
    let bytes = db.string(range.key)?.map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
    reply.bulk(cut(bytes, range.start, range.end));
    Ok(())
}

fn cut(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    let len = bytes.len() as i64;
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let from_front = |index: i64| if index < 0 { (len + index).max(0) } else { index };
    let (start, end) = (from_front(start), from_front(end).min(len - 1));
    if start > end { b"" } else { &bytes[start as usize..=end as usize] }
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
            assert_eq!(cut(b"hello", start, end), part.as_bytes(), "{start} {end}");
        }
        assert_eq!(cut(b"", 0, 0), b"");
        assert_eq!(cut(b"", -1, -1), b"");
    }
}
