//! One shard's keys: databases, lookup, expiry, SCAN.
//!
//! Everything here is synchronous and deterministic. The time is what [`Shard::set_now_ms`] was last told,
//! randomness comes from the seed given at the start, and nothing here knows of other shards.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod database;
pub mod effect;
pub mod entry;
pub mod expiry;
mod key;
pub mod shard;
pub mod table;
pub mod view;

pub use database::Database;
pub use effect::{Effect, Effects};
pub use entry::Entry;
pub use shard::{STRING_MAX_LEN_BYTES, Shard, ShardSettings, ShardStats};
pub use view::{Expire, View, ViewMut, WrongType};
