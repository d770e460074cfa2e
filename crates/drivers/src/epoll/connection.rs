//! What the epoll driver keeps of a connection.

use std::io::ErrorKind;
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
    pub(super) receive_enabled: bool,
    /// The end was reported.
    pub(super) ended: bool,
    /// While paused: the peer's end was reported.
    pub(super) end_noticed: bool,
    /// While paused: the socket's failure was reported.
    pub(super) failure_noticed: bool,
    /// Why a send failed. The end is told once everything that came before it has been read.
    pub(super) send_failed: Option<ErrorKind>,
    /// What epoll watches for; `None` if it does not watch the descriptor at all.
    pub(super) watched: Option<EventFlags>,
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) buffer: Vec<u8>,
    /// Bytes that have left.
    pub(super) done: usize,
    /// Some did since that was last asked.
    pub(super) has_moved: bool,
}

impl Connection {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self {
            descriptor,
            outgoing: None,
            unreported: false,
            receive_enabled: true,
            ended: false,
            end_noticed: false,
            failure_noticed: false,
            send_failed: None,
            watched: None,
        }
    }

    /// Whether bytes of the send under way have left since this was last asked.
    pub(super) fn take_has_moved(&mut self) -> bool {
        self.outgoing.as_mut().is_some_and(|outgoing| std::mem::take(&mut outgoing.has_moved))
    }

    /// What epoll should watch for. Nothing at all is different from no events: an error or a hang-up is
    /// always reported for a descriptor that is watched, and would be over and over.
    pub(super) fn interest(&self) -> Option<EventFlags> {
        let mut interest = EventFlags::empty();
        // A client that has sent its end may still read.
        interest.set(EventFlags::IN, self.receive_enabled && !self.ended);
        interest.set(EventFlags::OUT, self.outgoing.is_some());
        let is_paused = !self.receive_enabled && !self.ended;
        interest.set(EventFlags::RDHUP, is_paused && !self.end_noticed && !self.failure_noticed);
        let watches_for_failure = is_paused && !self.failure_noticed;
        (!interest.is_empty() || watches_for_failure).then_some(interest)
    }
}
