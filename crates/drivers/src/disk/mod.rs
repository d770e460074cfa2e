//! The disk of a node for real.
//!
//! [`RingDisk`] is for nodes on glommio: direct I/O as background work on the node's own thread. [`ThreadDisk`] is for
//! all others: ordinary I/O on a thread beside the node's.

mod files;
mod plain;
mod ring;
mod thread;

pub use ring::RingDisk;
pub use thread::ThreadDisk;
