//! One element of a listpack: how it is written, and how it is read.
//!
//! ```text
//!     encoding and data                            what
//!     0xxxxxxx                                     integer 0 to 127
//!     10xxxxxx data                                bytes, up to 63
//!     110xxxxx xxxxxxxx                            integer of 13 bits, signed
//!     1110xxxx xxxxxxxx data                       bytes, up to 4,095
//!     11110000 length (4) data                     bytes, up to 4 GiB
//!     11110001 to 11110100 integer (2, 3, 4, 8)    signed integer
//!     11111111                                     the end
//! ```
//! Behind each follows its length, to be read backwards: seven bits a byte, the highest bit of a byte set if another
//! one is before it.

use crate::string::Digits;
use crate::string::canonical_integer;

/// Ends a listpack.
pub(super) const END: u8 = 0xff;
/// Longest encoding and length, without the data of bytes.
pub(super) const OVERHEAD_MAX_BYTES: usize = 5 + 5;

/// An element to look at.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// Bytes that are no integer in canonical form.
    Bytes(&'a [u8]),
    /// Digits, kept as the integer that they are.
    Integer(i64),
}

impl<'a> Element<'a> {
    /// What `bytes` are kept as.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Element<'a> {
        match canonical_integer(bytes) {
            Some(integer) => Element::Integer(integer),
            None => Element::Bytes(bytes),
        }
    }

    /// The bytes. An integer's digits are written into `digits`.
    #[inline]
    pub fn as_bytes<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Element::Bytes(bytes) => bytes,
            Element::Integer(value) => digits.format(value).as_bytes(),
        }
    }

    /// A copy of the bytes.
    pub fn to_vec(self) -> Vec<u8> {
        self.as_bytes(&mut Digits::new()).to_vec()
    }

    /// How many bytes.
    #[inline]
    pub fn len_bytes(self) -> usize {
        match self {
            Element::Bytes(bytes) => bytes.len(),
            Element::Integer(value) => Digits::new().format(value).len(),
        }
    }

    /// The integer, if it is kept as one.
    #[inline]
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Element::Bytes(_) => None,
            Element::Integer(value) => Some(value),
        }
    }

    /// How long it is in a listpack, in bytes.
    pub(super) fn encoded_len_bytes(self) -> usize {
        let len = match self {
            Element::Bytes(bytes) => bytes_header_len(bytes.len()) + bytes.len(),
            Element::Integer(value) => integer_len(value),
        };
        len + back_len_bytes(len)
    }

    /// Writes it into `room`, which is as long as [`Element::encoded_len_bytes`] says.
    pub(super) fn encode(self, room: &mut [u8]) {
        let (data, back) = room.split_at_mut(match self {
            Element::Bytes(bytes) => bytes_header_len(bytes.len()) + bytes.len(),
            Element::Integer(value) => integer_len(value),
        });
        match self {
            Element::Bytes(bytes) => {
                let (header, content) = data.split_at_mut(bytes_header_len(bytes.len()));
                let len = bytes.len() as u32;
                match header {
                    [one] => *one = 0x80 | len as u8,
                    [first, second] => (*first, *second) = (0xe0 | (len >> 8) as u8, len as u8),
                    _ => {
                        header[0] = 0xf0;
                        header[1..].copy_from_slice(&len.to_le_bytes());
                    }
                }
                content.copy_from_slice(bytes);
            }
            Element::Integer(value) => encode_integer(value, data),
        }
        encode_back_len(data.len(), back);
    }

    /// The element at the start of `bytes`, and its length without the one behind it. `None` at the end.
    #[inline]
    pub(super) fn decode(bytes: &'a [u8]) -> Option<(Element<'a>, usize)> {
        let (first, rest) = (bytes[0], &bytes[1..]);
        let signed = |len: usize| {
            let mut wide = [0; 8];
            wide[8 - len..].copy_from_slice(&rest[..len]);
            (Element::Integer(i64::from_le_bytes(wide) >> (64 - 8 * len)), 1 + len)
        };
        Some(match first {
            0..0x80 => (Element::Integer(i64::from(first)), 1),
            0x80..0xc0 => {
                let len = usize::from(first & 0x3f);
                (Element::Bytes(&rest[..len]), 1 + len)
            }
            0xc0..0xe0 => {
                let value = u16::from(first & 0x1f) << 8 | u16::from(rest[0]);
                (Element::Integer(i64::from((value << 3).cast_signed() >> 3)), 2)
            }
            0xe0..0xf0 => {
                let len = usize::from(first & 0x0f) << 8 | usize::from(rest[0]);
                (Element::Bytes(&rest[1..1 + len]), 2 + len)
            }
            0xf0 => {
                let len = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
                (Element::Bytes(&rest[4..4 + len]), 5 + len)
            }
            0xf1 => signed(2),
            0xf2 => signed(3),
            0xf3 => signed(4),
            0xf4 => signed(8),
            _ => return None,
        })
    }
}

/// Equal elements have equal bytes, which means that they are kept alike.
impl PartialEq for Element<'_> {
    #[inline]
    fn eq(&self, other: &Element<'_>) -> bool {
        match (self, other) {
            (Element::Bytes(left), Element::Bytes(right)) => left == right,
            (Element::Integer(left), Element::Integer(right)) => left == right,
            _ => false,
        }
    }
}

impl Eq for Element<'_> {}

fn bytes_header_len(len: usize) -> usize {
    match len {
        ..64 => 1,
        64..4096 => 2,
        _ => 5,
    }
}

fn integer_len(value: i64) -> usize {
    match value {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 9,
    }
}

fn encode_integer(value: i64, room: &mut [u8]) {
    let bytes = value.to_le_bytes();
    match room {
        [one] => *one = bytes[0],
        [first, second] => (*first, *second) = (0xc0 | bytes[1] & 0x1f, bytes[0]),
        _ => {
            let len = room.len() - 1;
            room[0] = match len {
                2 => 0xf1,
                3 => 0xf2,
                4 => 0xf3,
                _ => 0xf4,
            };
            room[1..].copy_from_slice(&bytes[..len]);
        }
    }
}

/// How many bytes it takes to write an element's length behind it.
#[inline]
pub(super) fn back_len_bytes(len: usize) -> usize {
    match len {
        ..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    }
}

pub(super) fn encode_back_len(len: usize, room: &mut [u8]) {
    let last = room.len() - 1;
    for (index, byte) in room.iter_mut().enumerate() {
        let bits = (len >> (7 * (last - index))) as u8 & 0x7f;
        *byte = if index == 0 { bits } else { bits | 0x80 };
    }
}

/// The length that ends right before `end`, and how many bytes it takes itself.
#[inline]
pub(super) fn decode_back_len(bytes: &[u8], end: usize) -> (usize, usize) {
    let (mut len, mut used) = (0, 0);
    loop {
        let byte = bytes[end - 1 - used];
        len |= usize::from(byte & 0x7f) << (7 * used);
        used += 1;
        if byte & 0x80 == 0 || used == 5 {
            return (len, used);
        }
    }
}
