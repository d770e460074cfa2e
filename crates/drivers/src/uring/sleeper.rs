//! Who may block the thread: the ring, or the executor that the node shares it with.

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task;
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use crate::waker::Waker;

/// Shared by a node's ring and the executor of its thread.
///
/// While no background task is active the ring blocks the thread itself. While one is, a
/// [`poll`](tessera_node::network::Network::poll) that would block returns instead and leaves the wait
/// to the executor, which then sleeps on three things at once: its own ring, the eventfd here that the
/// node's ring signals completions on, and the node's doorbell. The doorbell needs watching beside the
/// ring that watches it already: the kernel does not let the write to one eventfd signal another,
/// puts the signal off, and (seen on Linux 6.18) forgets it from the second time on.
///
/// The wait is left to it only if that poll found nothing and nothing was queued on the ring since. The
/// executor tells the node before and after (`lie_down` and `get_up` of
/// [`Turn`](crate::executor::Turn)).
#[derive(Clone, Debug)]
pub struct Sleeper {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    descriptor: OwnedFd,
    background: Cell<usize>,
    postponed: Cell<Option<Duration>>,
    waker: RefCell<Option<Waker>>,
    /// A background task has something for the node.
    nudged: Cell<bool>,
    /// The node's loop, if it sleeps in the executor.
    sleeping: RefCell<Option<task::Waker>>,
}

impl Sleeper {
    /// For one ring, on the thread of it.
    ///
    /// # Errors
    /// When the process or the system is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let descriptor = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            inner: Rc::new(Inner {
                descriptor,
                background: Cell::new(0),
                postponed: Cell::new(None),
                waker: RefCell::new(None),
                nudged: Cell::new(false),
                sleeping: RefCell::new(None),
            }),
        })
    }

    /// Whether the ring must leave sleeping to the executor.
    #[inline]
    pub(crate) fn has_background(&self) -> bool {
        self.inner.background.get() > 0
    }

    /// A wait was left to the executor and not yet taken by it.
    pub(crate) fn has_postponed(&self) -> bool {
        self.inner.postponed.get().is_some()
    }

    /// How many background tasks there are.
    pub(crate) fn background(&self) -> usize {
        self.inner.background.get()
    }

    /// One background task more, until the answer is dropped.
    pub(crate) fn enter_background(&self) -> BackgroundGuard {
        self.inner.background.set(self.inner.background.get() + 1);
        BackgroundGuard { sleeper: self.clone() }
    }

    /// The ring's side: what the latest poll would have slept, had it been free to and had there been
    /// nothing to do.
    #[inline]
    pub(crate) fn postpone(&self, wait: Option<Duration>) {
        self.inner.postponed.set(wait);
    }

    /// The executor's side of [`Sleeper::postpone`].
    pub(crate) fn take_postponed(&self) -> Option<Duration> {
        self.inner.postponed.take()
    }

    /// The ring's side: the doorbell of its node.
    pub(crate) fn attach(&self, waker: &Waker) {
        *self.inner.waker.borrow_mut() = Some(waker.clone());
    }

    /// The doorbell of the node, once it has a ring.
    pub(crate) fn waker(&self) -> Option<Waker> {
        self.inner.waker.borrow().clone()
    }

    /// A background task's side: the node shall have a turn soon.
    pub(crate) fn nudge(&self) {
        self.inner.nudged.set(true);
        if let Some(node) = self.inner.sleeping.take() {
            node.wake();
        }
    }

    /// The ring's side of [`Sleeper::nudge`]: a poll must not block. The task may have been the last, and the executor
    /// not run any more.
    #[inline]
    pub(crate) fn take_nudge(&self) -> bool {
        self.inner.nudged.replace(false)
    }

    /// The executor's side of [`Sleeper::nudge`]: whether it came since the last turn began. If not, `node` is woken
    /// when it does.
    pub(crate) fn is_nudged(&self, node: &task::Waker) -> bool {
        if !self.inner.nudged.get() {
            *self.inner.sleeping.borrow_mut() = Some(node.clone());
        }
        self.inner.nudged.get()
    }

    /// Forgets what was signalled so far. To be called before the node looks for work.
    pub(crate) fn reset(&self) {
        self.inner.nudged.set(false);
        let _ = rustix::io::read(&self.inner.descriptor, &mut [0_u8; 8]);
        if let Some(waker) = &*self.inner.waker.borrow() {
            waker.reset();
        }
    }

    /// A second descriptor of the same eventfd, for a watcher that wants to own one.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.inner.descriptor.try_clone()
    }
}

impl AsFd for Sleeper {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.descriptor.as_fd()
    }
}

/// Counts as one active background task.
#[derive(Debug)]
pub(crate) struct BackgroundGuard {
    sleeper: Sleeper,
}

impl Drop for BackgroundGuard {
    fn drop(&mut self) {
        let inner = &self.sleeper.inner;
        inner.background.set(inner.background.get() - 1);
    }
}
