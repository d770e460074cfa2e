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
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// A zipmap that was looked at to its last byte.
#[derive(Clone, Copy)]
pub(super) struct Zipmap<'a> {
    /// Without the number of fields and the end.
    content: &'a [u8],
    /// How many fields there are.
    pub len: usize,
}

impl<'a> Zipmap<'a> {
    /// The one that `bytes` are.
    pub fn new(bytes: &'a [u8]) -> Result<Zipmap<'a>, Malformed> {
        let [counted, content @ .., END] = bytes else {
            return Err(Malformed::at(0, "it is too short for a zipmap, or has no end"));
        };
        let (mut at, mut len) = (0, 0);
        while at < content.len() {
            (_, at) = pair(content, at).map_err(|at| beyond(at + 1))?;
            len += 1;
        }
        if at != content.len() {
            return Err(beyond(at + 1));
        }
        if *counted != LONG && usize::from(*counted) != len {
            return Err(Malformed::at(0, "the number of fields is not what there is"));
        }
        if len == 0 {
            return Err(Malformed::at(0, "the zipmap is empty"));
        }
        Ok(Zipmap { content, len })
    }

    /// Fields and values, one after the other: a list of them could take many times what they take here.
    pub fn iter(self) -> impl Iterator<Item = Pair<'a>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (pair, behind) = pair(self.content, at).ok()?;
            at = behind;
            Some(pair)
        })
    }
}

fn beyond(at: usize) -> Malformed {
    Malformed::at(at, "a field or value reaches beyond the zipmap")
}

/// The pair at `at`, and where the next one is.
///
/// # Errors
/// If it is not whole: where it is cut off.
fn pair(content: &[u8], at: usize) -> Result<(Pair<'_>, usize), usize> {
    let (field, value_at) = text(content, at, 0).ok_or(at)?;
    let (value, behind) = text(content, value_at, 1).ok_or(value_at)?;
    let free = content[behind - value.len() - 1];
    Ok(((field, value), behind + usize::from(free)))
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
            assert_eq!(Zipmap::new(&with(counted)).is_ok(), is_good, "{counted}");
        }
        let many: Vec<u8> = (0..300).flat_map(|_| *b"\x01f\x01\x00v").collect();
        assert_eq!(
            Zipmap::new(&[&[254][..], &many, &[END]].concat()).map(|zipmap| zipmap.len).ok(),
            Some(300)
        );
    }
}
