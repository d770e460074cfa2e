//! A field with its value in one allocation, as a large hash keeps it.
//!
//! ```text
//!     +----------------------------------+-------------------+-------+-------+
//!     | 2 * length of field + has expiry | expiry (8) if any | field | value |
//!     +----------------------------------+-------------------+-------+-------+
//! ```
//! The first number takes one byte for fields of less than 64 bytes: seven bits a byte, the lowest first, the highest
//! bit of a byte set if another one follows. The expiry is in Unix milliseconds, little-endian.

use super::flat::Row;
use crate::allocation::block_len_bytes;
use crate::listpack::Element;

/// Longest first number, in bytes.
const HEADER_MAX_BYTES: usize = 10;
const EXPIRY_BYTES: usize = size_of::<i64>();

/// A field, its value, and when it expires.
#[derive(Clone)]
pub(super) struct Pair(Box<[u8]>);

/// Where the parts begin.
struct Layout {
    expiry: Option<usize>,
    field: usize,
    value: usize,
}

impl Pair {
    pub fn new(field: &[u8], value: &[u8], expire_at_ms: Option<i64>) -> Pair {
        let mut header = [0; HEADER_MAX_BYTES];
        let mut header_len = 0;
        let mut number = (field.len() as u64) << 1 | u64::from(expire_at_ms.is_some());
        loop {
            let more = number >= 0x80;
            header[header_len] = number as u8 & 0x7f | if more { 0x80 } else { 0 };
            header_len += 1;
            number >>= 7;
            if !more {
                break;
            }
        }
        let expiry = expire_at_ms.map(i64::to_le_bytes);
        let expiry = expiry.as_ref().map_or(&[][..], |bytes| bytes);
        Pair([&header[..header_len], expiry, field, value].concat().into_boxed_slice())
    }

    #[inline]
    fn layout(&self) -> Layout {
        let (mut number, mut at) = (u64::from(self.0[0] & 0x7f), 1);
        while self.0[at - 1] & 0x80 != 0 {
            number |= u64::from(self.0[at] & 0x7f) << (7 * at);
            at += 1;
        }
        let expiry = (number & 1 != 0).then_some(at);
        let field = at + if expiry.is_some() { EXPIRY_BYTES } else { 0 };
        Layout { expiry, field, value: field + (number >> 1) as usize }
    }

    #[inline]
    pub fn field(&self) -> &[u8] {
        let layout = self.layout();
        &self.0[layout.field..layout.value]
    }

    #[inline]
    pub fn value(&self) -> &[u8] {
        &self.0[self.layout().value..]
    }

    /// When it expires, in Unix milliseconds.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<i64> {
        let bytes = self.0[self.layout().expiry?..].first_chunk()?;
        Some(i64::from_le_bytes(*bytes))
    }

    /// Its time is over.
    #[inline]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.expire_at_ms().is_some_and(|at_ms| now_ms > at_ms)
    }

    /// All of it.
    pub fn row(&self) -> Row<'_> {
        (Element::Bytes(self.field()), Element::Bytes(self.value()), self.expire_at_ms())
    }

    /// Gives it another value and expiry, in place if it stays as long as it was.
    pub fn set(&mut self, value: &[u8], expire_at_ms: Option<i64>) {
        let layout = self.layout();
        if self.0.len() - layout.value != value.len() || layout.expiry.is_some() != expire_at_ms.is_some() {
            *self = Pair::new(self.field(), value, expire_at_ms);
            return;
        }
        if let (Some(at), Some(at_ms)) = (layout.expiry, expire_at_ms) {
            self.0[at..at + EXPIRY_BYTES].copy_from_slice(&at_ms.to_le_bytes());
        }
        self.0[layout.value..].copy_from_slice(value);
    }

    /// The same with another expiry.
    pub fn with_expiry(&self, expire_at_ms: Option<i64>) -> Pair {
        Pair::new(self.field(), self.value(), expire_at_ms)
    }

    /// Where it begins.
    #[inline]
    pub fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    /// The memory it takes besides itself, in bytes.
    #[inline]
    pub fn allocated_bytes(&self) -> usize {
        block_len_bytes(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        for field_len in [0, 1, 62, 63, 64, 65, 8191, 8192, 1 << 21] {
            for value_len in [0, 1, 100] {
                for expire_at_ms in [None, Some(0), Some(i64::MAX), Some(-1)] {
                    let (field, value) = (vec![b'f'; field_len], vec![b'v'; value_len]);
                    let mut pair = Pair::new(&field, &value, expire_at_ms);
                    assert_eq!(pair.field(), field);
                    assert_eq!(pair.value(), value);
                    assert_eq!(pair.expire_at_ms(), expire_at_ms);
                    for (value, expire_at_ms) in [(&b"12345"[..], None), (b"abcde", None), (b"x", Some(7))] {
                        pair.set(value, expire_at_ms);
                        assert_eq!((pair.field(), pair.value()), (&field[..], value));
                        assert_eq!(pair.expire_at_ms(), expire_at_ms);
                    }
                }
            }
        }
    }

    #[test]
    fn a_short_field_costs_one_byte() {
        assert_eq!(Pair::new(&[0; 63], &[0; 10], None).0.len(), 74);
        assert_eq!(Pair::new(&[0; 64], &[0; 10], None).0.len(), 76);
    }
}
