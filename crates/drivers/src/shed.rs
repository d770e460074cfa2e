//! What a listener does when the process is out of file descriptors.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::net::SocketFlags;

/// How long a listener rests after it could not accept for want of descriptors or memory.
const REST: Duration = Duration::from_millis(100);

/// How many waiting connections are turned away per rest.
const SHED_PER_REST: usize = 64;

/// Keeps one descriptor in reserve. When accepting fails for want of descriptors, the reserve is
/// given up for a moment to accept and close some of the connections that wait, so that their clients
/// learn at once instead of hanging in the backlog, and the listener then rests instead of failing
/// again and again.
#[derive(Debug)]
pub(crate) struct Shedder {
    reserve: Option<OwnedFd>,
    /// Connections that were closed because no descriptor was left for them.
    pub(crate) shed: u64,
    /// Accepts that failed, for whatever reason.
    pub(crate) errors: u64,
}

impl Shedder {
    pub(crate) fn new() -> Self {
        Self { reserve: reserve(), shed: 0, errors: 0 }
    }

    /// Takes notice of a failed accept. Answers until when the listener shall rest; `None` means that
    /// the failure concerned one connection only.
    pub(crate) fn accept_failed(&mut self, listener: BorrowedFd<'_>, errno: Errno) -> Option<Instant> {
        self.errors += 1;
        match errno {
            Errno::MFILE | Errno::NFILE => {
                self.turn_away(listener);
                Some(Instant::now() + REST)
            }
            Errno::CONNABORTED | Errno::INTR | Errno::AGAIN => None,
            // The network errors that accept(2) passes on also concern one connection, but an error that
            // is not understood must not become a busy loop.
            _ => Some(Instant::now() + REST),
        }
    }

    /// `listener` may be in blocking mode: the ring driver's are.
    fn turn_away(&mut self, listener: BorrowedFd<'_>) {
        let Ok(flags) = rustix::fs::fcntl_getfl(listener) else { return };
        if rustix::fs::fcntl_setfl(listener, flags | rustix::fs::OFlags::NONBLOCK).is_err() {
            return;
        }
        self.reserve = None;
        for _ in 0..SHED_PER_REST {
            match rustix::net::accept_with(listener, SocketFlags::CLOEXEC) {
                Ok(socket) => {
                    drop(socket);
                    self.shed += 1;
                }
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(_) => break,
            }
        }
        // Another thread may have taken the descriptor meanwhile; the next rest tries again.
        self.reserve = reserve();
        let _ = rustix::fs::fcntl_setfl(listener, flags);
    }
}

/// Any descriptor will do; an eventfd costs the least.
fn reserve() -> Option<OwnedFd> {
    eventfd(0, EventfdFlags::CLOEXEC).ok()
}
