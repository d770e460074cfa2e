//! Which shard does what, and how the parts of a command become one reply. Pure state machines: they are told
//! what arrived and say what to send; nothing here sends or waits.
//!
//! * [`slots`]: keys to slots, slots to shards.
//! * [`split`]: a command on keys of several shards as one part per shard.
//! * [`merge`]: the parts' replies as one.
//! * [`gather`]: commands that need values of several shards at once.
//! * [`held_keys`]: which keys of a shard such commands hold.
//! * [`exec`]: what a transaction wants of which shards.
//! * [`cursor`]: SCAN over all shards.
//! * [`message`]: what nodes say to each other about commands.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod cursor;
mod effect;
pub mod exec;
pub mod gather;
pub mod held_keys;
pub mod merge;
pub mod message;
pub mod slots;
pub mod split;

pub use gather::{Gathering, Step};
pub use held_keys::HeldKeys;
pub use merge::Assembly;
pub use message::{Answer, Batch, Call, Errand, Ticket};
pub use slots::{ShardId, SlotTable, slot_of};
