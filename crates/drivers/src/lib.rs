//! The network and the disk of a node for real: io_uring where the kernel allows it, epoll and threads everywhere else.
//!
//! The server uses the network in this order: [`probe`] says whether io_uring can be used,
//! [`limits`] raises the number of open files, [`listen`] opens the listeners of every node at once,
//! [`executor`] starts one thread per node, and on that thread the node builds its
//! [`uring::UringNetwork`] or [`epoll::EpollNetwork`] and calls
//! [`poll`](tessera_node::network::Network::poll) for as long as it lives.
//!
//! [`disk`] carries out what nodes want of files, [`memory`] is the allocator that counts.
//!
//! Only this crate names a file descriptor or glommio. Unsafe code is there for memory that is shared with the kernel,
//! descriptors that come as bare numbers, the allocator, and calls of the system that the libraries do not have.
//! `docs/architecture.md` lists the files with such code.

mod alarm;
pub mod clock;
pub mod directory_lock;
pub mod disk;
pub mod epoll;
pub mod executor;
mod huge_pages;
pub mod limits;
pub mod listen;
mod long_blocks;
pub mod memory;
pub mod probe;
mod shed;
mod slab;
mod socket;
pub mod uring;
mod waker;

pub use socket::Socket;
pub use waker::Waker;
