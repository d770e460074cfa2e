//! What the epoll driver keeps of a connection.

use std::os::fd::OwnedFd;

use rustix::event::epoll::EventFlags;

/// One connection: a few words, no buffer but the one being sent.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) descriptor: OwnedFd,
    /// The send that the socket has not taken whole.
    pub(super) outgoing: Option<Outgoing>,
    /// A send that is over, whose `sent` has not been delivered.
    pub(super) unreported: bool,
    /// The node wants bytes.
    pub(super) wanted: bool,
    /// The end was reported.
    pub(super) ended: bool,
    /// What epoll watches for; `None` if it does not watch the descriptor at all.
    pub(super) watched: Option<EventFlags>,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) buffer: Vec<u8>,
    /// Bytes that have left.
    pub(super) done: usize,
}

impl Connection {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self { descriptor, outgoing: None, unreported: false, wanted: true, ended: false, watched: None }
    }

    /// What epoll should watch for. Nothing at all is different from no events: an error or a hang-up is
    /// always reported for a descriptor that is watched, and would be over and over.
    pub(super) fn interest(&self) -> Option<EventFlags> {
        let mut interest = EventFlags::empty();
        // A client that has sent its end may still read.
        interest.set(EventFlags::IN, self.wanted && !self.ended);
        interest.set(EventFlags::OUT, self.outgoing.is_some());
        (!interest.is_empty()).then_some(interest)
    }
}
