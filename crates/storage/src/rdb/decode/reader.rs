//! Reading the pieces that everything is made of: numbers, lengths, strings.

use crate::lzf;
use crate::rdb::opcodes::{
    ENCODED, LEN_6_BITS, LEN_14_BITS, LEN_32_BITS, LEN_64_BITS, STRING_INT8, STRING_INT16, STRING_INT32,
    STRING_LZF,
};
use tessera_values::Digits;
use tessera_values::listpack::Element;

/// Longest string that is read, in bytes: what is longer is taken for damage, before memory is taken for it.
const STRING_MAX_LEN_BYTES: u64 = 1 << 32;

/// Why nothing was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It needs bytes that are not there yet.
    More,
    /// It is damaged: what is wrong, in words.
    Bad(String),
    /// It may be good, but nothing here can read it: what it is, in words.
    Unsupported(String),
}

/// What is wrong.
pub(super) fn bad<T>(problem: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Bad(problem.into()))
}

/// What it is that cannot be read.
pub(super) fn unsupported<T>(problem: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Unsupported(problem.into()))
}

/// Bytes that are there, and how far they have been read.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// From a place in `bytes` on.
    pub fn new(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader { bytes, at }
    }

    /// How far they have been read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Reads all of something or, if that is not there yet, nothing.
    #[inline]
    pub fn whole<T>(&mut self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, Stop>) -> Result<T, Stop> {
        let start = self.at;
        let result = read(self);
        if matches!(result, Err(Stop::More)) {
            self.at = start;
        }
        result
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        let taken = self.bytes[self.at..].get(..len).ok_or(Stop::More)?;
        self.at += len;
        Ok(taken)
    }

    /// So many bytes.
    #[inline]
    pub fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], Stop> {
        let taken = self.bytes[self.at..].first_chunk().ok_or(Stop::More)?;
        self.at += LEN;
        Ok(*taken)
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: u8) -> Result<&'a [u8], Stop> {
        self.take(len.into())
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8, Stop> {
        self.array().map(|[byte]| byte)
    }

    /// A length, which is also how the format writes other numbers.
    #[inline]
    pub fn number(&mut self) -> Result<u64, Stop> {
        let first = self.byte()?;
        self.number_after(first)
    }

    #[inline]
    fn number_after(&mut self, first: u8) -> Result<u64, Stop> {
        let low = u64::from(first & 0x3f);
        match first {
            _ if first >> 6 == LEN_6_BITS => Ok(low),
            _ if first >> 6 == LEN_14_BITS => Ok(low << 8 | u64::from(self.byte()?)),
            LEN_32_BITS => self.array().map(|bytes| u64::from(u32::from_be_bytes(bytes))),
            LEN_64_BITS => self.array().map(u64::from_be_bytes),
            _ => bad(format!("no length begins with {first:#04x}")),
        }
    }

    /// A string, to be looked at before it is copied or decompressed.
    #[inline]
    pub fn string(&mut self) -> Result<RawString<'a>, Stop> {
        let first = self.byte()?;
        if first >> 6 != ENCODED {
            let len = self.number_after(first)?;
            return self.string_bytes(len).map(RawString::Bytes);
        }
        match first {
            STRING_INT8 => self.array().map(|bytes| RawString::Integer(i8::from_le_bytes(bytes).into())),
            STRING_INT16 => self.array().map(|bytes| RawString::Integer(i16::from_le_bytes(bytes).into())),
            STRING_INT32 => self.array().map(|bytes| RawString::Integer(i32::from_le_bytes(bytes).into())),
            STRING_LZF => {
                let (compressed_len, len) = (self.number()?, self.number()?);
                if len > STRING_MAX_LEN_BYTES {
                    return bad(format!("a string of {len} bytes is too long"));
                }
                let bytes = self.string_bytes(compressed_len)?;
                Ok(RawString::Compressed { bytes, len: len as usize })
            }
            _ => bad(format!("no string begins with {first:#04x}")),
        }
    }

    #[inline]
    fn string_bytes(&mut self, len: u64) -> Result<&'a [u8], Stop> {
        if len > STRING_MAX_LEN_BYTES {
            return bad(format!("a string of {len} bytes is too long"));
        }
        self.take(len as usize)
    }
}

/// A string as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RawString<'a> {
    /// As it is.
    Bytes(&'a [u8]),
    /// An integer's digits.
    Integer(i64),
    /// Compressed by LZF.
    Compressed {
        /// What it was compressed to.
        bytes: &'a [u8],
        /// How long it was, in bytes.
        len: usize,
    },
}

impl RawString<'_> {
    /// The string. `room` is for one that was compressed.
    #[inline]
    pub fn element<'s>(&'s self, room: &'s mut Vec<u8>) -> Result<Element<'s>, Stop> {
        match *self {
            RawString::Bytes(bytes) => Ok(Element::new(bytes)),
            RawString::Integer(integer) => Ok(Element::Integer(integer)),
            RawString::Compressed { bytes, len } => {
                *room = decompress(bytes, len)?;
                Ok(Element::new(room))
            }
        }
    }

    /// A copy.
    pub fn to_vec(self) -> Result<Vec<u8>, Stop> {
        match self {
            RawString::Bytes(bytes) => Ok(bytes.to_vec()),
            RawString::Integer(integer) => Ok(Digits::new().format(integer).into()),
            RawString::Compressed { bytes, len } => decompress(bytes, len),
        }
    }
}

fn decompress(bytes: &[u8], len: usize) -> Result<Vec<u8>, Stop> {
    lzf::decompress(bytes, len).map_err(|error| Stop::Bad(error.to_string()))
}
