//! Listpacks that come from elsewhere: nothing about them is taken for granted.

use super::element::{back_len_bytes, encode_back_len};
use super::{END, Element, HEADER_BYTES, LONGEST_BYTES, Listpack, MANY};
use crate::string::canonical_integer;

/// What is wrong with bytes that should have been a collection, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// In bytes from their beginning.
    pub offset_bytes: usize,
    /// In words.
    pub problem: &'static str,
}

impl Malformed {
    /// Says what is wrong at an offset.
    pub fn at(offset_bytes: usize, problem: &'static str) -> Malformed {
        Malformed { offset_bytes, problem }
    }
}

impl Listpack {
    /// Takes over a listpack as it stands in a snapshot. Every byte of it is looked at. Digits that are not kept as the
    /// integer that they are become one.
    ///
    /// # Errors
    /// If it is no listpack.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Listpack, Malformed> {
        let content = check_header(&bytes)?;
        let (mut at, mut count, mut is_canonical) = (HEADER_BYTES, 0usize, true);
        while at < content {
            let (element, len) = check_element(&bytes, at, content)?;
            if let Element::Bytes(text) = element {
                is_canonical &= canonical_integer(text).is_none();
            }
            at += len;
            count += 1;
        }
        let counted = u16::from_le_bytes([bytes[4], bytes[5]]);
        if counted != MANY && usize::from(counted) != count {
            return Err(Malformed::at(4, "the number of elements is not what there is"));
        }
        let mut listpack = Listpack { bytes };
        listpack.set_header(count);
        Ok(if is_canonical { listpack } else { listpack.canonical() })
    }

    /// The same with each element kept as it should be, which takes no more room than it did.
    fn canonical(&self) -> Listpack {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        bytes.extend_from_slice(&self.bytes[..HEADER_BYTES]);
        for element in self.iter() {
            let element = match element {
                Element::Bytes(text) => Element::new(text),
                Element::Integer(_) => element,
            };
            let start = bytes.len();
            bytes.resize(start + element.encoded_len_bytes(), 0);
            element.encode(&mut bytes[start..]);
        }
        bytes.push(END);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        bytes.shrink_to_fit();
        Listpack { bytes }
    }
}

/// Where the elements end.
fn check_header(bytes: &[u8]) -> Result<usize, Malformed> {
    let [first, second, third, fourth, _, _, .., last] = bytes else {
        return Err(Malformed::at(0, "it is too short for a listpack"));
    };
    let total = u32::from_le_bytes([*first, *second, *third, *fourth]);
    if total as usize != bytes.len() {
        return Err(Malformed::at(0, "the length of the listpack is not what it says"));
    }
    if bytes.len() > LONGEST_BYTES {
        return Err(Malformed::at(0, "the listpack is longer than 1 GiB"));
    }
    if *last != END {
        return Err(Malformed::at(bytes.len() - 1, "the listpack has no end"));
    }
    Ok(bytes.len() - 1)
}

/// The element at `at`, and its length with the one that stands behind it.
fn check_element(bytes: &[u8], at: usize, end: usize) -> Result<(Element<'_>, usize), Malformed> {
    let beyond = Malformed::at(at, "an element reaches beyond the listpack");
    let header = match bytes[at] {
        0..0xc0 => 1,
        0xc0..0xf0 => 2,
        0xf0 | 0xf3 => 5,
        0xf1 => 3,
        0xf2 => 4,
        0xf4 => 9,
        _ => return Err(Malformed::at(at, "an element of unknown encoding")),
    };
    let rest = &bytes[at..end];
    let data = match rest {
        _ if rest.len() < header => return Err(beyond),
        [first @ 0x80..0xc0, ..] => usize::from(first & 0x3f),
        [first @ 0xe0..0xf0, second, ..] => usize::from(first & 0x0f) << 8 | usize::from(*second),
        [0xf0, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        _ => 0,
    };
    let len = header + data;
    let back_len = back_len_bytes(len);
    if rest.len() < len + back_len {
        return Err(beyond);
    }
    let mut expected = [0; 5];
    encode_back_len(len, &mut expected[..back_len]);
    if rest[len..len + back_len] != expected[..back_len] {
        return Err(Malformed::at(at + len, "the length behind an element is not the element's"));
    }
    let (element, _) = Element::decode(rest).ok_or(beyond)?;
    Ok((element, len + back_len))
}
