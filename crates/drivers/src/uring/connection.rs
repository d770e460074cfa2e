//! What the ring driver keeps of a connection: a few words, no buffer.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;

/// One connection. All operations name its descriptor, so it is closed only when none is in flight.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) descriptor: OwnedFd,
    /// The send in flight.
    pub(super) outgoing: Option<Outgoing>,
    /// The node wants bytes: not paused, not ended, not closing.
    pub(super) receive_enabled: bool,
    /// A multishot receive is in flight.
    pub(super) receiving: bool,
    /// The receive in flight was asked to stop.
    pub(super) cancelling: bool,
    /// A poll for the peer's end is in flight: begun when the connection was paused, and left alone when it is resumed.
    pub(super) watching: bool,
    /// While paused: the peer's end was reported.
    pub(super) end_noticed: bool,
    /// While paused: the socket's failure was reported.
    pub(super) failure_noticed: bool,
    /// Why a send failed. The end is told once everything that came before it has been received.
    pub(super) send_failed: Option<ErrorKind>,
    /// The end was reported, or will not be because the node closed first.
    pub(super) ended: bool,
    /// The node is done with it; it goes when the last operation completes.
    pub(super) closing: bool,
}

/// A buffer on its way out. The kernel reads from the buffer's heap allocation, which stays where it is
/// when this value moves.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) buffer: Vec<u8>,
    /// Bytes that have left.
    pub(super) done: usize,
    /// The send says nothing if it succeeds: see [`super::network`].
    pub(super) silent: bool,
}

impl Connection {
    pub(super) fn new(descriptor: OwnedFd) -> Self {
        Self {
            descriptor,
            outgoing: None,
            receive_enabled: true,
            receiving: false,
            cancelling: false,
            watching: false,
            end_noticed: false,
            failure_noticed: false,
            send_failed: None,
            ended: false,
            closing: false,
        }
    }

    /// Whether a receive should be in flight and is not.
    pub(super) fn needs_receive(&self) -> bool {
        self.receive_enabled && !self.receiving && !self.ended && !self.closing
    }

    /// Whether a poll for the peer's end should be in flight and is not.
    pub(super) fn needs_watch(&self) -> bool {
        let is_paused = !self.receive_enabled && !self.receiving && !self.ended && !self.closing;
        is_paused && !self.watching && !self.failure_noticed
    }

    /// Whether operations name the descriptor.
    pub(super) fn busy(&self) -> bool {
        self.receiving || self.watching || self.outgoing.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_costs_next_to_nothing() {
        assert!(size_of::<Option<Connection>>() <= 64);
    }
}
