//! Which shard does what, and how the parts of a command become one reply. Pure state machines: they are told
//! what arrived and say what to send; nothing here sends or waits.
//!
//! * [`slots`]: keys to slots, slots to shards.
//! * [`split`]: a command on keys of several shards as one part per shard.
//! * [`merge`]: the parts' replies as one.
//! * [`gather`]: commands that need values of several shards at once.
//! * [`intents`]: which keys of a shard transactions hold.
//! * [`transaction`]: a transaction at its home.
//! * [`parts`]: transactions that consist of commands, or parts of some, on each shard.
//! * [`exec`]: what EXEC comes down to on each shard.
//! * [`cursor`]: SCAN over all shards.
//! * [`message`]: what nodes say to each other about commands.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod acquire;
pub mod cursor;
mod effect;
pub mod exec;
pub mod gather;
pub mod intents;
pub mod merge;
pub mod message;
pub mod parts;
pub mod slots;
pub mod split;
pub mod transaction;

pub use gather::{GatherAsker, Gathering};
pub use intents::{Intents, TransactionId};
pub use merge::{Assembly, Merging};
pub use message::{Answer, Batch, Call, Errand, Ticket};
pub use parts::Parts;
pub use slots::{ShardId, SlotTable, slot_of};
pub use transaction::{Step, Transaction};
