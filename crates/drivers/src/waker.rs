//! The doorbell of a node: an eventfd that its driver watches.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::{fmt, io};

use rustix::event::{EventfdFlags, eventfd};
use tessera_node::network::Wake;

/// Wakes the driver it was given to. Made before the node's thread starts, so that all nodes can know
/// each other's. Clones ring the same bell. The descriptor lives as long as the last clone, so a
/// wake after the node's end is harmless.
#[derive(Clone)]
pub struct Waker {
    descriptor: Arc<OwnedFd>,
}

impl Waker {
    /// A new doorbell.
    ///
    /// # Errors
    /// When the process or the system is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { descriptor: Arc::new(descriptor) })
    }

    /// Takes back all wakes so far. For those who watch it by its level.
    pub(crate) fn reset(&self) {
        // Nothing to take back is EAGAIN, and no more an error than any other here.
        let _ = rustix::io::read(&*self.descriptor, &mut [0_u8; 8]);
    }
}

impl AsRawFd for Waker {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Waker").finish_non_exhaustive()
    }
}

impl Wake for Waker {
    fn wake(&self) {
        // EAGAIN means that the counter is full: the bell rings already. There is no other error that a
        // write of eight bytes to an eventfd can give.
        let _ = rustix::io::write(&*self.descriptor, &1_u64.to_ne_bytes());
    }
}
