//! RDB, Redis's format of values, and of files of them.
//!
//! Source: the behaviour of Redis 2.x to 7.4 and Valkey 7.2 and 8, whose files the tests read.

pub mod decode;
pub mod dump;
pub mod encode;
pub mod opcodes;
pub mod restore;

pub use decode::{DecodeError, DecodeOptions, DecodedEntry, Decoder, Item};
pub use dump::dump;
pub use encode::{
    COMPRESS_MAX_LEN_BYTES, EncodeOptions, EntryEncoder, KeyFacts, dumped_value_len_bytes, put_auxiliary,
    put_database, put_end, put_entry, put_header, version_of,
};
pub use restore::{RestoreError, restore, restore_checked_if};
