//! Ziplists, which small collections were before Redis 7.0.
//!
//! ```text
//! byte 0              4                      8          10
//!     +--------------+----------------------+----------+-------+-------+- - -+------+
//!     | total length | offset of last entry | entries  | entry | entry |     | 0xff |
//!     +--------------+----------------------+----------+-------+-------+- - -+------+
//! ```
//! Numbers are little-endian; 65,535 entries means: count them. An entry is the length of the one before it (one byte
//! up to 253, else 254 and four bytes), and then
//! ```text
//!     00xxxxxx data              bytes, up to 63
//!     01xxxxxx xxxxxxxx data     bytes, up to 16,383
//!     10______ length (4) data   bytes; the length is big-endian
//!     1100____ integer (2)       integers, signed
//!     1101____ integer (4)
//!     1110____ integer (8)
//!     11110000 integer (3)
//!     11111110 integer (1)
//!     1111xxxx                   x - 1, from 0 to 12
//! ```

use tessera_values::listpack::{Element, Listpack, Malformed};

const HEADER_BYTES: usize = 10;
const END: u8 = 0xff;
/// The length before an entry takes five bytes.
const LONG: u8 = 254;

/// A ziplist that was looked at to its last byte.
#[derive(Clone, Copy)]
pub(super) struct Ziplist<'a>(&'a [u8]);

impl<'a> Ziplist<'a> {
    /// The one that `bytes` are.
    pub fn new(bytes: &'a [u8]) -> Result<Ziplist<'a>, Malformed> {
        let (Some(header), Some(&END)) = (bytes.first_chunk::<HEADER_BYTES>(), bytes.last()) else {
            return Err(Malformed::at(0, "it is too short for a ziplist, or has no end"));
        };
        let number =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        if bytes.len() == HEADER_BYTES || number(0) as usize != bytes.len() {
            return Err(Malformed::at(0, "the length of the ziplist is not what it says"));
        }
        let counted = u16::from_le_bytes([header[8], header[9]]);
        let end = bytes.len() - 1;
        let (mut at, mut last, mut before_len, mut count) = (HEADER_BYTES, HEADER_BYTES, 0, 0);
        while at < end {
            let (_, len) =
                entry(&bytes[at..end], Some(before_len)).map_err(|problem| Malformed::at(at, problem))?;
            (last, before_len) = (at, len);
            at += len;
            count += 1;
        }
        if count > 0 && number(4) as usize != last || number(4) as usize > end {
            return Err(Malformed::at(4, "the last entry is not where the ziplist says"));
        }
        if counted != u16::MAX && usize::from(counted) != count {
            return Err(Malformed::at(8, "the number of entries is not what there is"));
        }
        Ok(Ziplist(bytes))
    }

    /// The entries, one after the other: a list of them could take many times what they take here.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> {
        let mut rest = &self.0[HEADER_BYTES..self.0.len() - 1];
        std::iter::from_fn(move || {
            let (element, len) = entry(rest, None).ok()?;
            rest = &rest[len..];
            Some(element)
        })
    }

    /// The same elements in a listpack.
    pub fn to_listpack(self) -> Result<Listpack, Malformed> {
        let mut listpack = Listpack::new();
        // Lengths of long elements may take a byte more in a listpack.
        if !listpack.has_room_for(self.0.len() + self.0.len() / 32) {
            return Err(Malformed::at(0, "the ziplist is longer than 1 GiB"));
        }
        listpack.extend(self.iter());
        Ok(listpack)
    }
}

/// The entry that `bytes` begin with, and its length. What it says of the length of the one before is compared with
/// what that is.
fn entry(bytes: &[u8], before_len: Option<usize>) -> Result<(Element<'_>, usize), &'static str> {
    const BEYOND: &str = "an entry reaches beyond the ziplist";
    let (said_before, start) = match bytes {
        [LONG, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 5),
        [LONG..=u8::MAX, ..] | [] => return Err(BEYOND),
        [len, ..] => (usize::from(*len), 1),
    };
    if before_len.is_some_and(|before_len| said_before != before_len) {
        return Err("the length before an entry is not that of the one before");
    }
    let (&first, rest) = bytes.get(start..).and_then(<[u8]>::split_first).ok_or(BEYOND)?;
    let string = |header: usize, len: usize| {
        let data = rest.get(header..).and_then(|data| data.get(..len)).ok_or(BEYOND)?;
        Ok((Element::new(data), start + 1 + header + len))
    };
    let integer = |len: usize| {
        let mut wide = [0; 8];
        wide[8 - len..].copy_from_slice(rest.get(..len).ok_or(BEYOND)?);
        Ok((Element::Integer(i64::from_le_bytes(wide) >> (64 - 8 * len)), start + 1 + len))
    };
    match first {
        0..0x40 => string(0, usize::from(first)),
        0x40..0x80 => {
            let low = rest.first().ok_or(BEYOND)?;
            string(1, usize::from(first & 0x3f) << 8 | usize::from(*low))
        }
        0x80..0xc0 => {
            let len = rest.first_chunk::<4>().ok_or(BEYOND)?;
            string(4, u32::from_be_bytes(*len) as usize)
        }
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => Ok((Element::Integer(i64::from(first & 0x0f) - 1), start + 1)),
        _ => Err("an entry of unknown encoding"),
    }
}
