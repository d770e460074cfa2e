//! Snapshots: at one cut over all shards every node begins to write its shard to a file of its own, and goes on
//! serving its clients.
//!
//! * [`state`]: what a node knows of snapshots, and [`turn`], what it does for them in each turn.
//! * [`drain`] and [`cut`]: how all nodes agree on the moment.
//! * [`part`] and [`walk`]: one shard's file, made a piece at a time; [`file`]: how it comes to the disk.
//! * [`coordinator`]: what node 0 knows, which has all of this happen: [`orders`] begin it, [`publishing`] and
//!   [`ending`] end it, or [`giving_up`] does.
//! * [`set`]: the files as a whole, manifest and merging; [`tidy`]: their removal; [`names`], [`frame`] and [`body`]:
//!   what they are called and consist of; [`merge`]: in which order parts of several files make one.
//! * [`transfer`] and [`sending`]: clients that are sent a snapshot.
//! * [`status`]: what is asked for, and what is told of it.
//! * [`commands`]: SAVE, SHUTDOWN and what else clients and signals ask for, and [`saver`], who waits for it;
//!   [`reload`] and [`reloader`]: the same of DEBUG RELOAD; [`delay`]: snapshots that take their time.
//!
//! [`Core`](crate::core::Core) has the state; what is done with it stands in files of its own, which no file of the
//! state names.

pub(crate) mod body;
mod commands;
mod coordinator;
mod cut;
pub(crate) mod delay;
mod drain;
mod ending;
mod file;
mod frame;
mod giving_up;
mod merge;
pub(crate) mod names;
mod orders;
mod part;
mod publishing;
mod reload;
mod reloader;
mod saver;
mod sending;
mod set;
mod state;
pub mod status;
#[cfg(test)]
mod test_disk;
mod tidy;
mod transfer;
mod turn;
mod walk;

pub(crate) use saver::Awaited;
pub(crate) use state::Snapshot;
pub use status::{Persistence, Purpose};
