//! One core's loop. What carries its bytes ([`network::Network`]), its disk ([`disk::Disk`]), its clock
//! ([`clock::Clock`]) and the process around it ([`system::System`]) are traits: the server has real ones, the
//! simulator virtual ones.
//!
//! A turn of the loop reads like this:
//!
//! ```text
//! network.poll -> receive -> feed -> dispatch -> owner.run             at the key's owner
//!                                      |             |
//!                                      +--> mesh --> run_batch         at another
//! take_mail  <------------------------------ mesh <-----+
//!    -> step (commands of several parts) -> replies, in order -> network.send
//! ```
//!
//! Nothing in here knows a file descriptor, and no command is known by name.
#![forbid(unsafe_code)]
#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod accounts;
mod buffers;
pub mod clock;
pub mod core;
pub mod desk;
pub mod direct;
pub mod disk;
mod disk_job;
pub mod doorbell;
mod facts;
pub mod home;
pub mod housekeeping;
pub mod loading;
mod mail;
pub mod mesh;
pub mod network;
pub mod node;
pub mod notes;
pub mod owner;
mod records;
mod resuming;
mod server;
mod sessions;
pub mod shared;
pub mod snapshot;
pub mod stats;
mod sync;
pub mod system;
mod task;
mod turns;

pub use node::Node;
pub use shared::Shared;
