//! Zipmaps, which small hashes were before Redis 2.6.
//!
//! ```text
//!     +--------+--------+-------+--------+------+-------+------+- - -+------+
//!     | fields | length | field | length | free | value | free |     | 0xff |
//!     +--------+--------+-------+--------+------+-------+------+- - -+------+
//! ```
//! The number of fields is a byte; 254 means: count them. A length is one byte up to 253, else 254 and four bytes,
//! little-endian. `free`, one byte, is how many bytes lie unused behind the value.

use tessera_values::listpack::Malformed;

const END: u8 = 0xff;
/// A length takes five bytes; fields are to be counted.
const LONG: u8 = 254;

/// A field and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// Fields and values.
pub(super) fn pairs(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Malformed> {
    let [counted, .., END] = bytes else {
        return Err(Malformed::at(0, "it is too short for a zipmap, or has no end"));
    };
    let content = &bytes[..bytes.len() - 1];
    let beyond = |at: usize| Malformed::at(at, "a field or value reaches beyond the zipmap");
    let (mut at, mut pairs) = (1, Vec::new());
    while at < content.len() {
        let (field, value_at) = text(content, at, 0).ok_or_else(|| beyond(at))?;
        let (value, behind) = text(content, value_at, 1).ok_or_else(|| beyond(value_at))?;
        let free = content[behind - value.len() - 1];
        at = behind + usize::from(free);
        pairs.push((field, value));
    }
    if at != content.len() {
        return Err(beyond(at));
    }
    if *counted != LONG && usize::from(*counted) != pairs.len() {
        return Err(Malformed::at(0, "the number of fields is not what there is"));
    }
    if pairs.is_empty() {
        return Err(Malformed::at(0, "the zipmap is empty"));
    }
    Ok(pairs)
}

/// The text whose length is at `at` and which begins `skipped` bytes behind that, and where it ends.
fn text(bytes: &[u8], at: usize, skipped: usize) -> Option<(&[u8], usize)> {
    let (len, header) = match bytes.get(at..)? {
        [LONG, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5),
        [LONG..=u8::MAX, ..] | [] => return None,
        [len, ..] => (usize::from(*len), 1),
    };
    let start = at + header + skipped;
    let text = bytes.get(start..)?.get(..len)?;
    Some((text, start + len))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Redis 7.2.6 says of files with these: only 254 leaves fields to be counted.
    #[test]
    fn the_number_of_fields_is_right_or_not_said() {
        let with = |counted: u8| [&[counted][..], b"\x01f\x01\x00v\xff"].concat();
        for (counted, is_good) in [(1, true), (254, true), (0, false), (2, false), (253, false), (255, false)]
        {
            assert_eq!(pairs(&with(counted)).is_ok(), is_good, "{counted}");
        }
        let many: Vec<u8> = (0..300).flat_map(|_| *b"\x01f\x01\x00v").collect();
        assert_eq!(pairs(&[&[254][..], &many, &[END]].concat()).map(|pairs| pairs.len()).ok(), Some(300));
    }
}
