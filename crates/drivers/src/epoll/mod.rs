//! The network on epoll, for where io_uring is forbidden. Safe code, but for
//! borrowing the descriptor of another node's connection.

mod connection;
mod network;

pub use network::EpollNetwork;
