//! One shard: its databases and their keys, and all that happens to keys. They are looked up, changed, expired,
//! evicted, moved together in memory, saved in snapshots, and walked by SCAN; clients wait for them.
//!
//! Everything here is synchronous and deterministic. The time is what [`Shard::set_now_ms`] was last told,
//! randomness comes from the seed given at the start, and nothing here knows of other shards.
//!
//! Unsafe code is in the folder `table` only, for entries that are one block of memory each.
#![deny(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod change;
pub mod defrag;
pub mod effect;
pub mod event;
pub mod eviction;
pub mod expiry;
mod graveyard;
pub mod shard;
pub mod snapshot;
pub mod stream;
pub mod table;
pub mod usage;
pub mod view;
pub mod waiting;
pub mod watched;

pub use change::{Database, KeyMove};
pub use defrag::{DefragCounts, DefragPass};
pub use effect::{Effect, Effects};
pub use event::{Event, EventClass, Events, KeyEvent};
pub use eviction::EvictionPolicy;
pub use shard::{LazyFree, STRING_MAX_LEN_BYTES, Shard, ShardSettings, ShardStats};
pub use snapshot::{SnapshotKeys, SnapshotOptions, SnapshotProgress};
pub use stream::{Stream, StreamProgress, UnsentReply};
pub use table::{Entry, EntryMut, Lookup, Table, prefetch};
pub use usage::Usage;
pub use view::{Expire, View, ViewMut, WrongType};
pub use waiting::WaitedKeys;
pub use watched::WatchStamp;
