//! Writing RDB.

mod layout;
mod string;
#[cfg(test)]
mod tests;
mod value;

use super::opcodes::{MAGIC, Opcode, VERSION_DUMPED, VERSION_WITH_FIELD_EXPIRY, VERSION_WRITTEN};
use string::{put_len, put_string};
use tessera_values::ValueRef;
use value::{Walk, value_type};

/// Longest string of a file that is compressed, in bytes: compression takes a whole string at a time, and nobody else
/// is served meanwhile.
pub const COMPRESS_MAX_LEN_BYTES: usize = 256 << 10;

/// What the configuration says of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Strings of more than 20 bytes are compressed if that makes them shorter (`rdbcompression`), but none of more
    /// than [`COMPRESS_MAX_LEN_BYTES`].
    pub compress: bool,
}

/// Who is to read what is written, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Redis 7.0, as all that is in files.
    Redis70,
    /// Redis 7.2, as the answer of DUMP: small sets are listpacks.
    Redis72,
}

/// All that is to be known to write a value.
#[derive(Clone, Copy, Debug)]
struct Format {
    compress: bool,
    compress_max_len_bytes: usize,
    target: Target,
}

impl Format {
    /// That of DUMP.
    fn dumped(compress: bool) -> Format {
        Format { compress, compress_max_len_bytes: usize::MAX, target: Target::Redis72 }
    }
}

impl From<EncodeOptions> for Format {
    fn from(options: EncodeOptions) -> Format {
        Format {
            compress: options.compress,
            compress_max_len_bytes: COMPRESS_MAX_LEN_BYTES,
            target: Target::Redis70,
        }
    }
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

/// The version that a file must have to hold `value`: [`VERSION_WITH_FIELD_EXPIRY`] for a hash some field of which
/// expires, else [`VERSION_WRITTEN`]. That of a file is the highest of its values'.
#[inline]
pub fn version_of(value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Hash(hash) if hash.next_field_expire_at_ms().is_some() => VERSION_WITH_FIELD_EXPIRY,
        _ => VERSION_WRITTEN,
    }
}

/// The beginning of a file: magic, version (see [`version_of`]) and auxiliary fields. What it takes without fields does
/// not depend on the version, so a file whose version was not known can be given another.
pub fn put_header(out: &mut Vec<u8>, version: u32, fields: &[(&[u8], &[u8])]) {
    debug_assert!(version < 10_000);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(format!("{version:04}").as_bytes());
    for (name, value) in fields {
        put_auxiliary(out, name, value);
    }
}

/// An auxiliary field, such as Redis writes at the beginning of a file.
pub fn put_auxiliary(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    let format = Format::from(EncodeOptions { compress: false });
    out.push(Opcode::Auxiliary.number());
    put_string(out, name, format);
    put_string(out, value, format);
}

/// The entries that follow are of this database. Sizes (keys, and those of them that expire) are hints to whoever
/// reads; none are written if they are `None`.
pub fn put_database(out: &mut Vec<u8>, db: u16, sizes: Option<(u64, u64)>) {
    out.push(Opcode::SelectDatabase.number());
    put_len(out, u64::from(db));
    if let Some((keys, volatile)) = sizes {
        out.push(Opcode::ResizeDatabase.number());
        put_len(out, keys);
        put_len(out, volatile);
    }
}

/// The end of a file but for the eight bytes of its checksum: that of all bytes before, little-endian, or 0 for none.
pub fn put_end(out: &mut Vec<u8>) {
    out.push(Opcode::End.number());
}

/// A whole entry.
#[inline]
pub fn put_entry(
    out: &mut Vec<u8>,
    key: &[u8],
    value: ValueRef<'_>,
    facts: &KeyFacts,
    options: EncodeOptions,
) {
    let mut entry = EntryEncoder::begin(out, key, value, facts, options);
    while entry.write_some(value, usize::MAX, out) {}
}

/// An entry that is written a piece at a time, because it is large.
#[derive(Clone, Debug)]
pub struct EntryEncoder {
    walk: Walk,
}

impl EntryEncoder {
    /// Writes what comes before the value's elements.
    #[inline]
    pub fn begin(
        out: &mut Vec<u8>,
        key: &[u8],
        value: ValueRef<'_>,
        facts: &KeyFacts,
        options: EncodeOptions,
    ) -> EntryEncoder {
        let format = Format::from(options);
        if let Some(expire_at_ms) = facts.expire_at_ms {
            out.push(Opcode::ExpireTimeMs.number());
            out.extend_from_slice(&expire_at_ms.to_le_bytes());
        }
        if let Some(idle_s) = facts.idle_s {
            out.push(Opcode::Idle.number());
            put_len(out, idle_s);
        }
        if let Some(frequency) = facts.frequency {
            out.extend_from_slice(&[Opcode::Frequency.number(), frequency]);
        }
        out.push(value_type(value, format.target).number());
        put_string(out, key, format);
        EntryEncoder { walk: Walk::begin(out, value, format) }
    }

    /// Appends the next piece of the value, about `len_bytes` long as it would be without compression (longer if a
    /// string that is compressed, or the number of what follows, is). False if that was the last. The value must be
    /// what it was when this began. Takes the time of what it writes, however far the value is written already.
    #[inline]
    pub fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let end = out.len().saturating_add(len_bytes.max(1));
        self.walk.write_some(value, out, end)
    }
}

/// The type of a value, the value, and the version of both as two bytes, little-endian: what DUMP answers, but for its
/// checksum.
pub(super) fn put_dumped(out: &mut Vec<u8>, value: ValueRef<'_>, compress: bool) {
    let format = Format::dumped(compress);
    out.push(value_type(value, format.target).number());
    let mut walk = Walk::begin(out, value, format);
    while walk.write_some(value, out, usize::MAX) {}
    let version = version_of(value).max(VERSION_DUMPED) as u16;
    out.extend_from_slice(&version.to_le_bytes());
}

/// How long a value is in what DUMP answers, in bytes, without type, version and checksum. Takes the time of a DUMP,
/// but not its memory.
pub fn dumped_value_len_bytes(value: ValueRef<'_>, compress: bool) -> usize {
    const PIECE_LEN_BYTES: usize = 64 << 10;
    let (mut piece, mut len_bytes) = (Vec::new(), 0);
    let mut walk = Walk::begin(&mut piece, value, Format::dumped(compress));
    loop {
        let more = walk.write_some(value, &mut piece, PIECE_LEN_BYTES);
        len_bytes += piece.len();
        piece.clear();
        if !more {
            return len_bytes;
        }
    }
}
