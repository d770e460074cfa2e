//! Strings: any bytes, or an integer kept as one.

use tessera_resp::number::parse_i64;

/// Room for an integer's digits: see [`StringValue::as_bytes`].
pub type Digits = itoa::Buffer;

/// Longest string that Redis keeps in one allocation with its object header, in bytes; it decides only what
/// OBJECT ENCODING answers.
const EMBEDDED_MAX_LEN_BYTES: usize = 44;
/// Longest text that is looked at as an integer, in bytes: a sign and 19 digits.
const INTEGER_MAX_LEN_BYTES: usize = 20;

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

#[derive(Clone, Debug)]
enum Kept {
    Integer(i64),
    Fixed(Box<[u8]>),
    Growing(Vec<u8>),
}

/// False if `bytes` are surely no integer.
#[inline]
fn may_be_integer(bytes: &[u8]) -> bool {
    bytes.len() <= INTEGER_MAX_LEN_BYTES && matches!(bytes.first(), Some(b'0'..=b'9' | b'-'))
}

/// A string value.
#[derive(Clone, Debug)]
pub struct StringValue(Kept);

impl StringValue {
    /// Keeps `bytes`, as an integer if they are one in canonical form.
    #[inline]
    pub fn new(bytes: &[u8]) -> StringValue {
        if may_be_integer(bytes)
            && let Some(integer) = parse_i64(bytes)
        {
            return StringValue(Kept::Integer(integer));
        }
        StringValue(Kept::Fixed(bytes.into()))
    }

    /// Keeps `bytes` instead, as [`StringValue::new`] does, in the room at hand if it has the same length.
    #[inline]
    pub fn assign(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kept::Fixed(held) if held.len() == bytes.len() && !may_be_integer(bytes) => {
                held.copy_from_slice(bytes);
            }
            _ => *self = StringValue::new(bytes),
        }
    }

    /// Keeps `bytes` as they are, as a string set whole, even if they are an integer's digits.
    pub fn fixed(bytes: &[u8]) -> StringValue {
        StringValue(Kept::Fixed(bytes.into()))
    }

    /// Keeps `bytes` as they are, as a string that is expected to change.
    pub fn raw(bytes: Vec<u8>) -> StringValue {
        StringValue(Kept::Growing(bytes))
    }

    /// Keeps an integer.
    pub fn integer(value: i64) -> StringValue {
        StringValue(Kept::Integer(value))
    }

    /// The bytes. An integer's digits are written into `digits`.
    #[inline]
    pub fn as_bytes<'a>(&'a self, digits: &'a mut Digits) -> &'a [u8] {
        match &self.0 {
            Kept::Integer(value) => digits.format(*value).as_bytes(),
            Kept::Fixed(bytes) => bytes,
            Kept::Growing(bytes) => bytes,
        }
    }

    /// The integer this string is, whether kept as one or not.
    pub fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Kept::Integer(value) => Some(*value),
            Kept::Fixed(bytes) => parse_i64(bytes),
            Kept::Growing(bytes) => parse_i64(bytes),
        }
    }

    /// Length in bytes.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        match &self.0 {
            Kept::Integer(value) => Digits::new().format(*value).len(),
            Kept::Fixed(bytes) => bytes.len(),
            Kept::Growing(bytes) => bytes.len(),
        }
    }

    /// The bytes, to be changed in place. The string is raw from then on.
    pub fn make_raw(&mut self) -> &mut Vec<u8> {
        match &mut self.0 {
            Kept::Growing(_) => {}
            Kept::Integer(value) => {
                self.0 = Kept::Growing(Digits::new().format(*value).as_bytes().to_vec());
            }
            Kept::Fixed(bytes) => self.0 = Kept::Growing(std::mem::take(bytes).into_vec()),
        }
        match &mut self.0 {
            Kept::Growing(bytes) => bytes,
            _ => unreachable!("made growing just above"),
        }
    }

    /// The first byte of what lies apart from the `StringValue` itself; 0 if there is nothing.
    #[inline]
    pub fn first_byte(&self) -> u8 {
        let apart: &[u8] = match &self.0 {
            Kept::Integer(_) => &[],
            Kept::Fixed(bytes) => bytes,
            Kept::Growing(bytes) => bytes,
        };
        apart.first().copied().unwrap_or(0)
    }

    /// How it is kept.
    pub fn encoding(&self) -> StringEncoding {
        match &self.0 {
            Kept::Integer(_) => StringEncoding::Int,
            Kept::Fixed(bytes) if bytes.len() <= EMBEDDED_MAX_LEN_BYTES => StringEncoding::Embstr,
            Kept::Fixed(_) | Kept::Growing(_) => StringEncoding::Raw,
        }
    }

    /// Memory beyond the `StringValue` itself, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        match &self.0 {
            Kept::Integer(_) => 0,
            Kept::Fixed(bytes) => bytes.len(),
            Kept::Growing(bytes) => bytes.capacity(),
        }
    }
}

/// Equal strings are those with equal bytes, however kept.
impl PartialEq for StringValue {
    fn eq(&self, other: &StringValue) -> bool {
        self.as_bytes(&mut Digits::new()) == other.as_bytes(&mut Digits::new())
    }
}

impl Eq for StringValue {}

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
            assert_eq!(value.encoding(), encoding, "{text:?}");
            assert_eq!(value.as_bytes(&mut Digits::new()), text.as_bytes());
            assert_eq!(value.len_bytes(), text.len());
        }
        assert_eq!(StringValue::new(&[b'x'; 44]).encoding(), StringEncoding::Embstr);
        assert_eq!(StringValue::new(&[b'x'; 45]).encoding(), StringEncoding::Raw);
    }

    #[test]
    fn assigning_is_like_making_anew() {
        let texts = ["abcd", "wxyz", "1234", "", "0", "-", "12a4", "-123", "efgh", "a longer text"];
        for before in texts {
            for after in texts {
                let (mut assigned, made) =
                    (StringValue::new(before.as_bytes()), StringValue::new(after.as_bytes()));
                assigned.assign(after.as_bytes());
                assert_eq!(
                    (assigned.encoding(), &assigned),
                    (made.encoding(), &made),
                    "{before:?} {after:?}"
                );
            }
        }
        let mut raw = StringValue::raw(b"abcd".to_vec());
        raw.assign(b"wxyz");
        assert_eq!(raw.encoding(), StringEncoding::Embstr);
    }

    #[test]
    fn a_changed_string_is_raw_and_may_still_be_an_integer() {
        let mut value = StringValue::integer(41);
        value.make_raw()[1] = b'2';
        assert_eq!((value.encoding(), value.as_integer()), (StringEncoding::Raw, Some(42)));
        assert_eq!(value, StringValue::new(b"42"));
    }
}
