//! Writing RDB.

use tessera_values::ValueRef;

/// What the configuration says of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Strings of more than 20 bytes are compressed if that makes them shorter (`rdbcompression`).
    pub compress: bool,
}

/// What is written of a key besides its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
    /// Seconds since its last use, if the eviction policy remembers that.
    pub idle_s: Option<u64>,
    /// How often it was used, if the policy remembers that.
    pub frequency: Option<u8>,
}

/// The beginning of a file: magic, version and auxiliary fields.
pub fn put_header(_out: &mut Vec<u8>, _fields: &[(&[u8], &[u8])]) {
    unimplemented!()
}

/// The entries that follow are of this database. Sizes are hints to whoever reads; none are written if they are `None`.
pub fn put_database(_out: &mut Vec<u8>, _db: u16, _sizes: Option<(u64, u64)>) {
    unimplemented!()
}

/// The end of a file but for the eight bytes of its checksum.
pub fn put_end(_out: &mut Vec<u8>) {
    unimplemented!()
}

/// A whole entry.
pub fn put_entry(
    _out: &mut Vec<u8>,
    _key: &[u8],
    _value: ValueRef<'_>,
    _facts: &KeyFacts,
    _options: EncodeOptions,
) {
    unimplemented!()
}

/// An entry that is written a piece at a time, because it is large.
#[derive(Debug)]
pub struct EntryEncoder {}

impl EntryEncoder {
    /// Writes what comes before the value.
    pub fn begin(
        _out: &mut Vec<u8>,
        _key: &[u8],
        _value: ValueRef<'_>,
        _facts: &KeyFacts,
        _options: EncodeOptions,
    ) -> EntryEncoder {
        unimplemented!()
    }

    /// Appends the next piece of the value, about `len_bytes` long (longer if one element is). False if that was the
    /// last. The value must be what it was when this began.
    pub fn write_some(&mut self, _value: ValueRef<'_>, _len_bytes: usize, _out: &mut Vec<u8>) -> bool {
        unimplemented!()
    }
}
