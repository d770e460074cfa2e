//! What is to be done before a pause is answered: see `settling.rs`.

use crate::network::ConnectionId;
use tessera_routing::Ticket;

/// This node's part of a command, which it has carried out and not answered.
pub(super) struct Unanswered {
    pub(super) number: u64,
    /// Who is to be answered what.
    pub(super) home: usize,
    pub(super) ticket: Ticket,
    pub(super) reply: Vec<u8>,
    /// What clients had begun: connections, and the sequence numbers of their commands.
    pub(super) under_way: Vec<(ConnectionId, u32)>,
    /// How many nodes have still to say that they have done everything; not asked yet if there is no number.
    pub(super) nodes_left: Option<usize>,
}

/// What this node and others wait for before they answer, see `settling.rs`.
#[derive(Default)]
pub(crate) struct Settling {
    pub(super) unanswered: Vec<Unanswered>,
    /// Nodes that want to know when all that they have sent is done, and their numbers for that.
    pub(super) questions: Vec<(usize, u64)>,
    pub(super) next_number: u64,
}
