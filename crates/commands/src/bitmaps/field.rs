//! Integers of 1 to 64 bits anywhere in a string, highest bit first: the types, their arithmetic, and the
//! operations of BITFIELD.

use super::offset::{self, Written};
use tessera_command::prelude::*;
use tessera_keyspace::ShardSettings;
use tessera_resp::number::parse_i64;

/// What becomes of a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Its low bits are kept.
    Wrap,
    /// The nearest value that fits is kept.
    Saturate,
    /// Nothing is written.
    Fail,
}

/// A type such as `i16` or `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    /// It has a sign bit.
    pub signed: bool,
    /// 1 to 64; 63 at most without a sign, since replies are signed.
    pub bits: u32,
}

impl Type {
    /// Reads `i` or `u` and the number of bits.
    ///
    /// # Errors
    /// If it is no type.
    fn parse(word: &[u8]) -> Result<Type, Error> {
        let (signed, number) = match word {
            [b'i', number @ ..] => (true, number),
            [b'u', number @ ..] => (false, number),
            _ => (true, b"".as_slice()),
        };
        match parse_i64(number) {
            Some(bits @ 1..=64) if signed || bits < 64 => Ok(Type { signed, bits: bits as u32 }),
            _ => Err(Error::Text(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
            )),
        }
    }

    /// The value that the lowest bits of `raw` stand for.
    fn value(self, raw: u64) -> i64 {
        let unused = 64 - self.bits;
        let high = raw << unused;
        if self.signed { high as i64 >> unused } else { (high >> unused) as i64 }
    }

    /// What is kept of `value`; `None` if it does not fit and then nothing is.
    fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        let (least, greatest) = match (self.signed, self.bits) {
            (true, bits) => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
            (false, bits) => (0, (1i128 << bits) - 1),
        };
        if (least..=greatest).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.value(value as u64)),
            Overflow::Saturate => Some(value.clamp(least, greatest) as i64),
            Overflow::Fail => None,
        }
    }
}

/// What is done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Its value is answered.
    Get,
    /// It is set; the value before is answered.
    Set(i64),
    /// It is incremented; the value after is answered.
    Increment(i64),
}

/// One operation of BITFIELD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    kind: Type,
    offset: u64,
    action: Action,
    overflow: Overflow,
}

impl Operation {
    /// The last bit it touches.
    pub(super) fn last_bit(&self) -> u64 {
        self.offset + u64::from(self.kind.bits) - 1
    }

    /// The field's value in `bytes`; bits beyond the end are clear.
    pub(super) fn read(&self, bytes: &[u8]) -> i64 {
        self.kind.value((window(bytes, self.offset) >> self.shift()) as u64)
    }

    /// Carries it out in `bytes`, where the field must lie whole unless it is only read. Returns what to answer
    /// (`None`: it did not fit) and what became of the field.
    pub(super) fn write(&self, bytes: &mut [u8]) -> (Option<i64>, Written) {
        let before = self.read(bytes);
        let wanted = match self.action {
            Action::Get => return (Some(before), Written::Nothing),
            // Redis takes a negative value for an unsigned field as one above 2^63.
            Action::Set(value) if !self.kind.signed => i128::from(value as u64),
            Action::Set(value) => i128::from(value) + self.detour(value),
            Action::Increment(increment) => i128::from(before) + i128::from(increment),
        };
        let Some(after) = self.kind.fit(wanted, self.overflow) else { return (None, Written::Nothing) };
        let mask = (u128::from(u64::MAX >> (64 - self.kind.bits))) << self.shift();
        let field = (u128::from(after as u64) << self.shift()) & mask;
        let kept = window(bytes, self.offset) & !mask;
        let (start, end) = ((self.offset / 8) as usize, (self.last_bit() / 8) as usize);
        let written = (kept | field).to_be_bytes();
        bytes[start..=end].copy_from_slice(&written[..=end - start]);
        let answer = if matches!(self.action, Action::Set(_)) { before } else { after };
        (Some(answer), if before == after { Written::Same } else { Written::Other })
    }

    /// Redis computes in 64 bits how far a value is below the greatest of its type. Where that wraps around, it
    /// takes a very small value for too large a one. What must be added for that leaves the low bits as they are.
    fn detour(&self, value: i64) -> i128 {
        let greatest = (1i128 << (self.kind.bits - 1)) - 1;
        let wraps = self.kind.bits < 64 && greatest - i128::from(value) > i128::from(i64::MAX);
        if wraps { 1 << 64 } else { 0 }
    }

    /// How far above the lowest bit of the window the field ends.
    fn shift(&self) -> u32 {
        128 - (self.offset % 8) as u32 - self.kind.bits
    }
}

/// 16 bytes of the string from the byte of bit `offset` on, highest first; zeros follow the string.
fn window(bytes: &[u8], offset: u64) -> u128 {
    let start = usize::try_from(offset / 8).map_or(bytes.len(), |start| start.min(bytes.len()));
    let mut window = [0; 16];
    // A field spans nine bytes at most.
    let len = (bytes.len() - start).min(9);
    window[..len].copy_from_slice(&bytes[start..start + len]);
    u128::from_be_bytes(window)
}

/// The operations of a BITFIELD command, read one by one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operations<'a> {
    words: Words<'a>,
    settings: ShardSettings,
    overflow: Overflow,
}

impl<'a> Operations<'a> {
    /// Those that `words` tell.
    pub(super) fn new(words: Words<'a>, settings: ShardSettings) -> Operations<'a> {
        Operations { words, settings, overflow: Overflow::Wrap }
    }

    /// Reads them all, and says how many they are and, if any is to write, which the last bit is that is written.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub(super) fn survey(self) -> Result<(usize, Option<u64>), Error> {
        let (mut count, mut last_written) = (0, None);
        for operation in self {
            let operation = operation?;
            count += 1;
            if operation.action != Action::Get {
                last_written = last_written.max(Some(operation.last_bit()));
            }
        }
        Ok((count, last_written))
    }

    fn read_next(&mut self) -> Result<Option<Operation>, Error> {
        let words = &mut self.words;
        while words.left() >= 2 && words.take("OVERFLOW") {
            self.overflow = if words.take("WRAP") {
                Overflow::Wrap
            } else if words.take("SAT") {
                Overflow::Saturate
            } else if words.take("FAIL") {
                Overflow::Fail
            } else {
                return Err(Error::Text("ERR Invalid OVERFLOW type specified"));
            };
        }
        if words.is_empty() {
            return Ok(None);
        }
        // A value is read only behind the type and the offset.
        let action: fn(i64) -> Action = if words.left() >= 3 && words.take("GET") {
            |_| Action::Get
        } else if words.left() >= 4 && words.take("SET") {
            Action::Set
        } else if words.left() >= 4 && words.take("INCRBY") {
            Action::Increment
        } else {
            return Err(Error::SYNTAX);
        };
        let kind = Type::parse(words.word()?)?;
        let offset = offset::parse(words.word()?, Some(kind.bits))?;
        offset::check(offset, self.settings)?;
        let value = if action(0) == Action::Get { 0 } else { words.integer()? };
        Ok(Some(Operation { kind, offset, action: action(value), overflow: self.overflow }))
    }
}

impl Iterator for Operations<'_> {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_next().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(kind: &str, offset: u64, action: Action, overflow: Overflow) -> Operation {
        Operation { kind: Type::parse(kind.as_bytes()).unwrap(), offset, action, overflow }
    }

    #[test]
    fn types() {
        for word in ["i0", "i65", "u0", "u64", "x8", "", "i", "i08", "I8", "u-1"] {
            assert!(Type::parse(word.as_bytes()).is_err(), "{word:?}");
        }
        assert_eq!(Type::parse(b"i64"), Ok(Type { signed: true, bits: 64 }));
        assert_eq!(Type::parse(b"u63"), Ok(Type { signed: false, bits: 63 }));
    }

    #[test]
    fn fields_are_written_and_read_bit_by_bit() {
        // Every width at every shift within a byte, on both backgrounds.
        for background in [0u8, 0xff] {
            for bits in 1..=64u32 {
                for offset in 0..24u64 {
                    let value = (0x9a3c_5e71_d24f_8b06u64 >> (64 - bits)) as i64;
                    let kind = Type { signed: bits == 64, bits };
                    let set =
                        Operation { kind, offset, action: Action::Set(value), overflow: Overflow::Wrap };
                    let mut bytes = [background; 12];
                    set.write(&mut bytes);
                    for at in 0..96 {
                        let bit = bytes[at / 8] >> (7 - at % 8) & 1;
                        let expected = match (at as u64).checked_sub(offset) {
                            Some(within) if within < u64::from(bits) => {
                                (value as u64 >> (u64::from(bits) - 1 - within) & 1) as u8
                            }
                            _ => background & 1,
                        };
                        assert_eq!(bit, expected, "u{bits} at {offset}, bit {at}");
                    }
                    assert_eq!(set.read(&bytes), value, "u{bits} at {offset}");
                }
            }
        }
    }

    #[test]
    fn overflow() {
        use Overflow::{Fail, Saturate, Wrap};
        for (kind, before, increment, overflow, answer) in [
            ("i8", 127, 1, Wrap, Some(-128)),
            ("i8", 127, 1, Saturate, Some(127)),
            ("i8", 127, 1, Fail, None),
            ("i8", -128, -1, Wrap, Some(127)),
            ("i8", -128, -1, Saturate, Some(-128)),
            ("u8", 255, 1, Wrap, Some(0)),
            ("u8", 255, 1, Saturate, Some(255)),
            ("u8", 0, -1, Wrap, Some(255)),
            ("u8", 0, -1, Saturate, Some(0)),
            ("u8", 0, -1, Fail, None),
            ("i64", i64::MAX, 1, Wrap, Some(i64::MIN)),
            ("i64", i64::MAX, 1, Saturate, Some(i64::MAX)),
            ("i64", i64::MIN, -1, Wrap, Some(i64::MAX)),
            ("u63", i64::MAX, 1, Wrap, Some(0)),
            ("u63", i64::MAX, i64::MAX, Saturate, Some(i64::MAX)),
            ("i1", 0, 1, Wrap, Some(-1)),
        ] {
            let mut bytes = [0; 9];
            operation(kind, 3, Action::Set(before), Wrap).write(&mut bytes);
            let unchanged = bytes;
            let increments = operation(kind, 3, Action::Increment(increment), overflow);
            assert_eq!(increments.write(&mut bytes).0, answer, "{kind} {before} {increment} {overflow:?}");
            if answer.is_none() {
                assert_eq!(bytes, unchanged);
            }
        }
    }

    #[test]
    fn a_very_small_value_saturates_upwards() {
        // As the real server answers.
        let mut bytes = [0; 2];
        operation("i8", 0, Action::Set(i64::MIN), Overflow::Saturate).write(&mut bytes);
        assert_eq!(bytes[0], 127);
        operation("i8", 0, Action::Set(i64::MIN + 128), Overflow::Saturate).write(&mut bytes);
        assert_eq!(bytes[0] as i8, -128);
        operation("i8", 0, Action::Set(i64::MIN + 5), Overflow::Wrap).write(&mut bytes);
        assert_eq!(bytes[0], 5);
    }

    #[test]
    fn beyond_the_end_are_zeros() {
        let read = |kind, offset| operation(kind, offset, Action::Get, Overflow::Wrap).read(&[0xff, 0xff]);
        assert_eq!(read("u8", 12), 0xf0);
        assert_eq!(read("i8", 12), -16);
        assert_eq!(read("u63", 16), 0);
        assert_eq!(read("u8", u64::MAX), 0);
    }
}
