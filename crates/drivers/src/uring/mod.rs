//! The network on a ring of the node's own.
//!
//! Memory that is shared with the kernel, and so all unsafe code: the ring itself (`ring`), the buffers
//! that received bytes land in (`buffers`), and the buffers of sends in flight (`network`).

mod buffers;
mod connection;
mod network;
mod ring;
mod sleeper;
mod tag;

pub use network::{UringNetwork, UringOptions, UringParts};
pub use ring::Mode;
pub use sleeper::Sleeper;

pub(crate) use buffers::{BufferRing, GROUP};
pub(crate) use ring::{Ring, RingWait};
