//! The formats of what is kept on disk: Redis's RDB for values and whole files, and the manifest of a snapshot.
//!
//! Nothing here touches a disk: bytes go in, values come out, and the other way round. `docs/persistence.md` draws
//! each format byte by byte.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod checksum;
pub mod lzf;
pub mod manifest;
pub mod rdb;
pub mod time;
