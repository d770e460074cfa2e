//! Reading RDB.

use std::fmt;
use tessera_values::{Thresholds, Value};

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct DecodeOptions {
    /// When small collections become large ones.
    pub thresholds: Thresholds,
    /// The checksum at the end is compared (`rdbchecksum`). One that is 0 never is.
    pub verify_checksum: bool,
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Item {
    /// An auxiliary field.
    Auxiliary {
        /// Its name.
        name: Vec<u8>,
        /// What it says.
        value: Vec<u8>,
    },
    /// How many keys the current database has, and how many of them expire: a hint.
    Sizes {
        /// Keys.
        keys: u64,
        /// Those with an expiry.
        volatile: u64,
    },
    /// A key.
    Entry(Box<DecodedEntry>),
    /// The code of a library of functions.
    Function(Vec<u8>),
    /// The end, after which no more bytes may come.
    End,
}

/// A key and all that is known of it.
#[derive(Debug, PartialEq)]
pub struct DecodedEntry {
    /// The number of its database.
    pub db: u64,
    /// The key.
    pub key: Vec<u8>,
    /// What it holds.
    pub value: Value,
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
    /// Seconds since its last use.
    pub idle_s: Option<u64>,
    /// How often it was used lately.
    pub frequency: Option<u8>,
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, in bytes from the beginning.
    pub offset_bytes: u64,
    /// The key that was being read.
    pub key: Option<Vec<u8>>,
    /// What is wrong, in words.
    pub problem: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}

/// Reads a file that comes in pieces.
#[derive(Debug)]
pub struct Decoder {}

impl Decoder {
    /// At the beginning of a file.
    pub fn new(_options: DecodeOptions) -> Decoder {
        unimplemented!()
    }

    /// Takes in the next bytes of the file.
    pub fn feed(&mut self, _bytes: &[u8]) {
        unimplemented!()
    }

    /// The next item, as soon as all its bytes were fed.
    ///
    /// # Errors
    /// If the file is damaged or holds what cannot be read. Nothing more can be read from it then.
    pub fn next(&mut self) -> Result<Option<Item>, DecodeError> {
        unimplemented!()
    }
}
