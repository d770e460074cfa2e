//! Lengths and strings.
//!
//! ```text
//!     00LLLLLL                                       length up to 63
//!     01LLLLLL LLLLLLLL                              length up to 16,383
//!     10000000 length (4, big-endian)                length up to 4,294,967,295
//!     10000001 length (8, big-endian)                any length
//!
//!     length, bytes                                  a string
//!     11000000 integer (1)                           a string that is an integer
//!     11000001 integer (2, little-endian)
//!     11000010 integer (4, little-endian)
//!     11000011 length, length, bytes                 a string in LZF: its length so, its length as it was
//! ```

use super::Format;
use crate::lzf;
use crate::rdb::opcodes::{
    LEN_14_BITS, LEN_32_BITS, LEN_64_BITS, STRING_INT8, STRING_INT16, STRING_INT32, STRING_LZF,
};
use tessera_values::listpack::Element;
use tessera_values::string::canonical_integer;
use tessera_values::{Digits, StringRef};

/// Longest string that is looked at as an integer, in bytes: those of 32 bits have no more.
const INTEGER_MAX_LEN_BYTES: usize = 11;
/// Longest string that is not worth compressing, in bytes.
const UNCOMPRESSED_MAX_LEN_BYTES: usize = 20;
/// By how much it must become shorter at least, in bytes.
const COMPRESSION_MIN_GAIN_BYTES: usize = 4;
/// The first byte and two lengths of a compressed string, as they are mostly, in bytes.
const LZF_HEADER_MAX_BYTES: usize = 1 + 9 + 9;

/// Writes a length.
#[inline]
pub(super) fn put_len(out: &mut Vec<u8>, len: u64) {
    let mut header = [0; 9];
    out.extend_from_slice(len_bytes(len, &mut header));
}

#[inline]
fn len_bytes(len: u64, room: &mut [u8; 9]) -> &[u8] {
    match len {
        ..0x40 => {
            room[0] = len as u8;
            &room[..1]
        }
        0x40..0x4000 => {
            room[..2].copy_from_slice(&(u16::from(LEN_14_BITS) << 14 | len as u16).to_be_bytes());
            &room[..2]
        }
        0x4000..=0xffff_ffff => {
            room[0] = LEN_32_BITS;
            room[1..5].copy_from_slice(&(len as u32).to_be_bytes());
            &room[..5]
        }
        _ => {
            room[0] = LEN_64_BITS;
            room[1..].copy_from_slice(&len.to_be_bytes());
            room
        }
    }
}

/// Writes an integer as a string.
#[inline]
pub(super) fn put_integer(out: &mut Vec<u8>, integer: i64) {
    if !put_short_integer(out, integer) {
        put_verbatim(out, Digits::new().format(integer).as_bytes());
    }
}

/// The same, if it has at most 32 bits.
#[inline]
fn put_short_integer(out: &mut Vec<u8>, integer: i64) -> bool {
    if let Ok(integer) = i8::try_from(integer) {
        out.extend_from_slice(&[STRING_INT8, integer as u8]);
    } else if let Ok(integer) = i16::try_from(integer) {
        let [low, high] = integer.to_le_bytes();
        out.extend_from_slice(&[STRING_INT16, low, high]);
    } else if let Ok(integer) = i32::try_from(integer) {
        let bytes = integer.to_le_bytes();
        out.extend_from_slice(&[STRING_INT32, bytes[0], bytes[1], bytes[2], bytes[3]]);
    } else {
        return false;
    }
    true
}

#[inline]
fn put_verbatim(out: &mut Vec<u8>, bytes: &[u8]) {
    put_len(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes a string in the shortest way.
#[inline]
pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8], format: Format) {
    let is_integer = bytes.len() <= INTEGER_MAX_LEN_BYTES
        && canonical_integer(bytes).is_some_and(|integer| put_short_integer(out, integer));
    if is_integer || (format.compresses(bytes.len()) && put_compressed(out, bytes)) {
        return;
    }
    put_verbatim(out, bytes);
}

/// Writes a string in LZF, if it gets shorter.
fn put_compressed(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    // The lengths come first but are known last: the header is written behind and changes places.
    let start = out.len();
    if !lzf::compress(bytes, bytes.len() - COMPRESSION_MIN_GAIN_BYTES, out) {
        return false;
    }
    let compressed_len = out.len() - start;
    let mut header = [0; LZF_HEADER_MAX_BYTES];
    header[0] = STRING_LZF;
    let (mut first, mut second) = ([0; 9], [0; 9]);
    let first = len_bytes(compressed_len as u64, &mut first);
    let second = len_bytes(bytes.len() as u64, &mut second);
    let header_len = 1 + first.len() + second.len();
    header[1..=first.len()].copy_from_slice(first);
    header[1 + first.len()..header_len].copy_from_slice(second);
    out.extend_from_slice(&header[..header_len]);
    out.copy_within(start..start + compressed_len, start + header_len);
    out[start..start + header_len].copy_from_slice(&header[..header_len]);
    true
}

/// Writes a string a piece at a time: `done` bytes of it were written before, and pieces come until `out` is `end`
/// bytes long. True if that was the last. A string that may be compressed comes whole.
#[inline]
pub(super) fn put_string_some(
    out: &mut Vec<u8>,
    bytes: &[u8],
    done: &mut usize,
    end: usize,
    format: Format,
) -> bool {
    let left = end.saturating_sub(out.len());
    if *done == 0 {
        if bytes.len() <= left || bytes.len() <= INTEGER_MAX_LEN_BYTES || format.compresses(bytes.len()) {
            put_string(out, bytes, format);
            return true;
        }
        put_len(out, bytes.len() as u64);
    }
    // At least one byte, so that the length is not written again.
    let piece_end = bytes.len().min(done.saturating_add(left.max(1)));
    out.extend_from_slice(&bytes[*done..piece_end]);
    *done = piece_end;
    let is_last = piece_end == bytes.len();
    if is_last {
        *done = 0;
    }
    is_last
}

/// Writes an element a piece at a time: see [`put_string_some`].
#[inline]
pub(super) fn put_element_some(
    out: &mut Vec<u8>,
    element: Element<'_>,
    done: &mut usize,
    end: usize,
    format: Format,
) -> bool {
    match element {
        Element::Integer(integer) => {
            put_integer(out, integer);
            true
        }
        Element::Bytes(bytes) => put_string_some(out, bytes, done, end, format),
    }
}

/// A string value as an element.
#[inline]
pub(super) fn element_of(string: StringRef<'_>) -> Element<'_> {
    match string {
        StringRef::Integer(integer) => Element::Integer(integer),
        StringRef::Fixed(bytes) | StringRef::Growing(bytes) => Element::Bytes(bytes),
    }
}

impl Format {
    /// Whether compression is tried for a string of this length.
    #[inline]
    pub(super) fn compresses(self, len_bytes: usize) -> bool {
        self.compress && (UNCOMPRESSED_MAX_LEN_BYTES < len_bytes && len_bytes <= self.compress_max_len_bytes)
    }
}
