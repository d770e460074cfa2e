//! A connected socket on its way between nodes, and what both drivers do with one.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{AddressFamily, SendFlags, SocketAddrAny, SocketAddrUnix};
use tessera_node::network::Endpoints;

/// A connection that some listener took and no node has adopted yet. Dropping it closes it.
#[derive(Debug)]
pub struct Socket {
    pub(crate) descriptor: OwnedFd,
}

impl From<OwnedFd> for Socket {
    /// Any connected stream socket. For the epoll driver it must be non-blocking.
    fn from(descriptor: OwnedFd) -> Self {
        Self { descriptor }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Socket {
    /// Takes over a descriptor that a completion brought.
    pub(crate) fn from_completion(descriptor: RawFd) -> Self {
        // SAFETY: the kernel made this descriptor for an accept of ours and reports it exactly once, so
        // nothing else owns it.
        Self { descriptor: unsafe { OwnedFd::from_raw_fd(descriptor) } }
    }

    /// Sends a last message as far as the socket takes it now, then closes.
    pub(crate) fn refuse(self, message: &[u8]) {
        let _ = rustix::net::send(&self.descriptor, message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
    }
}

/// Who is at the ends of `descriptor`. An end that is gone is an empty string.
pub(crate) fn endpoints(descriptor: BorrowedFd<'_>) -> Endpoints {
    let local = rustix::net::getsockname(descriptor).ok();
    let unix = local.as_ref().is_some_and(|address| address.address_family() == AddressFamily::UNIX);
    let local = local.map(print_address).unwrap_or_default();
    let peer = if unix {
        // A client of a unix socket has no name of its own; Redis prints the server's for both.
        local.clone()
    } else {
        rustix::net::getpeername(descriptor).ok().flatten().map(print_address).unwrap_or_default()
    };
    Endpoints { peer, local, descriptor: i64::from(descriptor.as_raw_fd()), unix }
}

fn print_address(address: SocketAddrAny) -> String {
    if let Ok(address) = std::net::SocketAddr::try_from(address.clone()) {
        return match address {
            std::net::SocketAddr::V4(v4) => v4.to_string(),
            // Without the scope that Rust would print: Redis does not.
            std::net::SocketAddr::V6(v6) => format!("[{}]:{}", v6.ip(), v6.port()),
        };
    }
    match SocketAddrUnix::try_from(address) {
        Ok(unix) => match unix.path_bytes() {
            Some(path) => format!("{}:0", String::from_utf8_lossy(path)),
            None => ":0".to_owned(),
        },
        Err(_) => String::new(),
    }
}
