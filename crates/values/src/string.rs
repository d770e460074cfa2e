//! Strings: any bytes, or an integer kept as one.

use crate::allocation::block_len_bytes;
use tessera_resp::number::parse_i64;

/// Room for an integer's digits: see [`StringRef::as_bytes`].
pub type Digits = itoa::Buffer;

/// Longest string that Redis keeps in one allocation with its object header, in bytes; it decides only what
/// OBJECT ENCODING answers.
const EMBEDDED_MAX_LEN_BYTES: usize = 44;
/// Longest text that is looked at as an integer, in bytes: a sign and 19 digits.
const INTEGER_MAX_LEN_BYTES: usize = 20;

/// Most room that a string gets beyond what it needs, in bytes.
const SPARE_MAX_BYTES: usize = 1 << 20;

/// How a string is kept, as OBJECT ENCODING tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringEncoding {
    /// A 64-bit integer.
    Int,
    /// Up to 44 bytes, set whole.
    Embstr,
    /// Longer, or changed in place since it was set.
    Raw,
}

impl StringEncoding {
    /// The name in OBJECT ENCODING.
    pub fn name(self) -> &'static str {
        match self {
            StringEncoding::Int => "int",
            StringEncoding::Embstr => "embstr",
            StringEncoding::Raw => "raw",
        }
    }
}

/// True if `bytes` may be an integer and are worth a closer look.
#[inline]
fn may_be_integer(bytes: &[u8]) -> bool {
    bytes.len() <= INTEGER_MAX_LEN_BYTES && matches!(bytes.first(), Some(b'0'..=b'9' | b'-'))
}

/// The integer that `bytes` are in canonical form, which is how a string that is set whole is kept.
#[inline]
pub fn canonical_integer(bytes: &[u8]) -> Option<i64> {
    if may_be_integer(bytes) { parse_i64(bytes) } else { None }
}

/// Has a string that changes in place have room for `len_bytes`. If it has to grow for that, it gets as much room again
/// for what comes later, but no more than a megabyte, as in Redis: a long string that grew by a byte would else take
/// twice its memory.
pub fn make_room(bytes: &mut Vec<u8>, len_bytes: usize) {
    if len_bytes > bytes.capacity() {
        let wanted = block_len_bytes(len_bytes + len_bytes.min(SPARE_MAX_BYTES));
        bytes.reserve_exact(wanted - bytes.len());
    }
}

/// A string value.
#[derive(Clone, Debug)]
pub enum StringValue {
    /// An integer, whose decimal digits the string is.
    Integer(i64),
    /// Bytes set whole.
    Fixed(Box<[u8]>),
    /// Bytes that have changed in place and may again.
    Growing(Vec<u8>),
}

impl StringValue {
    /// Keeps `bytes`, as an integer if they are one in canonical form.
    #[inline]
    pub fn new(bytes: &[u8]) -> StringValue {
        match canonical_integer(bytes) {
            Some(integer) => StringValue::Integer(integer),
            None => StringValue::Fixed(bytes.into()),
        }
    }

    /// Keeps `bytes` as they are, as a string set whole, even if they are an integer's digits.
    pub fn fixed(bytes: &[u8]) -> StringValue {
        StringValue::Fixed(bytes.into())
    }

    /// Keeps `bytes` as they are, as a string that is expected to change.
    pub fn raw(bytes: Vec<u8>) -> StringValue {
        StringValue::Growing(bytes)
    }

    /// Keeps an integer.
    pub fn integer(value: i64) -> StringValue {
        StringValue::Integer(value)
    }

    /// The string to look at.
    #[inline]
    pub fn as_ref(&self) -> StringRef<'_> {
        match self {
            StringValue::Integer(value) => StringRef::Integer(*value),
            StringValue::Fixed(bytes) => StringRef::Fixed(bytes),
            StringValue::Growing(bytes) => StringRef::Growing(bytes),
        }
    }

    /// Memory beyond the `StringValue` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        match self {
            StringValue::Integer(_) => 0,
            StringValue::Fixed(bytes) => block_len_bytes(bytes.len()),
            StringValue::Growing(bytes) => block_len_bytes(bytes.capacity()),
        }
    }
}

/// Equal strings are those with equal bytes, however kept.
impl PartialEq for StringValue {
    fn eq(&self, other: &StringValue) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for StringValue {}

/// A string to look at.
#[derive(Clone, Copy, Debug)]
pub enum StringRef<'a> {
    /// See [`StringValue::Integer`].
    Integer(i64),
    /// See [`StringValue::Fixed`].
    Fixed(&'a [u8]),
    /// See [`StringValue::Growing`].
    Growing(&'a [u8]),
}

impl<'a> StringRef<'a> {
    /// The bytes. An integer's digits are written into `digits`.
    #[inline]
    pub fn as_bytes<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            StringRef::Integer(value) => digits.format(value).as_bytes(),
            StringRef::Fixed(bytes) | StringRef::Growing(bytes) => bytes,
        }
    }

    /// The integer this string is, whether kept as one or not.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            StringRef::Integer(value) => Some(value),
            StringRef::Fixed(bytes) | StringRef::Growing(bytes) => parse_i64(bytes),
        }
    }

    /// Length in bytes.
    #[inline]
    pub fn len_bytes(self) -> usize {
        match self {
            StringRef::Integer(value) => Digits::new().format(value).len(),
            StringRef::Fixed(bytes) | StringRef::Growing(bytes) => bytes.len(),
        }
    }

    /// How it is kept.
    pub fn encoding(self) -> StringEncoding {
        match self {
            StringRef::Integer(_) => StringEncoding::Int,
            StringRef::Fixed(bytes) if bytes.len() <= EMBEDDED_MAX_LEN_BYTES => StringEncoding::Embstr,
            StringRef::Fixed(_) | StringRef::Growing(_) => StringEncoding::Raw,
        }
    }

    /// A string of its own, kept in the same way.
    pub fn to_string_value(self) -> StringValue {
        match self {
            StringRef::Integer(value) => StringValue::Integer(value),
            StringRef::Fixed(bytes) => StringValue::Fixed(bytes.into()),
            StringRef::Growing(bytes) => StringValue::Growing(bytes.into()),
        }
    }
}

/// Equal strings are those with equal bytes, however kept.
impl PartialEq for StringRef<'_> {
    fn eq(&self, other: &StringRef<'_>) -> bool {
        self.as_bytes(&mut Digits::new()) == other.as_bytes(&mut Digits::new())
    }
}

impl Eq for StringRef<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_kept_as_such_only_in_canonical_form() {
        for (text, encoding) in [
            ("12", StringEncoding::Int),
            ("-9223372036854775808", StringEncoding::Int),
            ("012", StringEncoding::Embstr),
            ("9223372036854775808", StringEncoding::Embstr),
            ("", StringEncoding::Embstr),
        ] {
            let value = StringValue::new(text.as_bytes());
            assert_eq!(value.as_ref().encoding(), encoding, "{text:?}");
            assert_eq!(value.as_ref().as_bytes(&mut Digits::new()), text.as_bytes());
            assert_eq!(value.as_ref().len_bytes(), text.len());
        }
        assert_eq!(StringValue::new(&[b'x'; 44]).as_ref().encoding(), StringEncoding::Embstr);
        assert_eq!(StringValue::new(&[b'x'; 45]).as_ref().encoding(), StringEncoding::Raw);
    }

    #[test]
    fn a_raw_string_may_still_be_an_integer() {
        let value = StringValue::raw(b"42".to_vec());
        assert_eq!((value.as_ref().encoding(), value.as_ref().as_integer()), (StringEncoding::Raw, Some(42)));
        assert_eq!(value, StringValue::new(b"42"));
    }
}
