//! What a completion says of the operation it completes.

use tessera_node::network::ConnectionId;

/// Connection indexes are packed into this many bits.
const INDEX_BITS: u32 = 24;

/// How many connections a node can have.
pub(super) const CONNECTIONS_MAX: u32 = 1 << INDEX_BITS;

/// The kinds of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// A multishot receive of a connection.
    Receive(ConnectionId),
    /// A send of a connection.
    Send(ConnectionId),
    /// The poll for the end of a paused connection's peer.
    HangUp(ConnectionId),
    /// The cancellation of a connection's receive, send or poll.
    Cancel(ConnectionId),
    /// A send to another node's connection, by its place in the table of those.
    Remote(u32),
    /// A multishot accept, by the place of its listener.
    Accept(u32),
    /// The poll on the doorbell.
    Wake,
    /// Something whose outcome does not matter: a close, a cancellation at the end.
    Ignored,
}

impl Operation {
    /// Packs kind, index and generation into the 64 bits that the ring carries.
    #[inline]
    pub(super) fn pack(self) -> u64 {
        let (kind, index, generation) = match self {
            Operation::Ignored => (0, 0, 0),
            Operation::Receive(id) => (1, id.index, id.generation),
            Operation::Send(id) => (2, id.index, id.generation),
            Operation::Cancel(id) => (3, id.index, id.generation),
            Operation::Remote(index) => (4, 0, index),
            Operation::Accept(index) => (5, 0, index),
            Operation::Wake => (6, 0, 0),
            Operation::HangUp(id) => (7, id.index, id.generation),
        };
        debug_assert!(index < CONNECTIONS_MAX);
        (kind << (32 + INDEX_BITS)) | (u64::from(index) << 32) | u64::from(generation)
    }

    /// The inverse of [`Operation::pack`].
    #[inline]
    pub(super) fn unpack(packed: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "takes the halves of the word apart")]
        let (high, low) = ((packed >> 32) as u32, packed as u32);
        let id = ConnectionId { index: high & (CONNECTIONS_MAX - 1), generation: low };
        match high >> INDEX_BITS {
            1 => Operation::Receive(id),
            2 => Operation::Send(id),
            3 => Operation::Cancel(id),
            4 => Operation::Remote(low),
            5 => Operation::Accept(low),
            6 => Operation::Wake,
            7 => Operation::HangUp(id),
            _ => Operation::Ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let id = ConnectionId { index: CONNECTIONS_MAX - 1, generation: u32::MAX };
        let low = ConnectionId { index: 0, generation: 7 };
        for operation in [
            Operation::Receive(id),
            Operation::Send(id),
            Operation::HangUp(id),
            Operation::Cancel(id),
            Operation::Receive(low),
            Operation::Remote(u32::MAX),
            Operation::Accept(3),
            Operation::Wake,
            Operation::Ignored,
        ] {
            assert_eq!(Operation::unpack(operation.pack()), operation);
        }
    }
}
