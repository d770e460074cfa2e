//! The half of a node that has the connections: what their clients sent, whether it may run, and what they are
//! answered.

pub(crate) mod admission;
pub(crate) mod ahead;
pub(crate) mod at_home;
pub mod blocked;
pub(crate) mod blocking;
pub mod connection;
pub(crate) mod direct;
pub(crate) mod dispatch;
pub(crate) mod exec;
pub(crate) mod exec_shards;
pub mod execution;
pub(crate) mod feed;
pub mod holds;
pub(crate) mod own_shard;
pub mod queue;
pub mod replies;
pub(crate) mod row;
pub(crate) mod settling;
pub(crate) mod several_shards;
pub(crate) mod shown;
pub(crate) mod steps;
pub mod streamed;
pub(crate) mod streaming;
pub(crate) mod transactions;
pub(crate) mod unanswered;
pub(crate) mod watching;

use self::ahead::Ahead;
use self::connection::Connection;
use self::holds::{Flow, Gate, Hold, Holds};
use self::queue::Queue;
use self::unanswered::Settling;
use crate::network::ConnectionId;
use crate::notes::everywhere::EverywhereCall;
use std::collections::{BTreeSet, VecDeque};
use tessera_command::host::Pause;
use tessera_resp::{Decoder, Limits};
use tessera_routing::Ticket;

/// What the network is to do after the events at hand are dealt with.
pub enum NetworkOrder {
    /// Stop receiving.
    PauseReceive(ConnectionId),
    /// Receive again.
    ResumeReceive(ConnectionId),
    /// End the connection.
    Close(ConnectionId),
}

/// What a home has to do of its own, as another node would do it for a note.
pub(crate) enum OwnNote {
    /// Its part of a command for all nodes.
    Everywhere(EverywhereCall),
    /// It is that client's turn at its key.
    Move(Ticket),
    /// What this node's shard holds for that client's transaction, an older one wants.
    Wound(Ticket),
}

/// Connections, and what their clients sent.
pub(crate) struct Home<S> {
    pub(crate) limits: Limits,
    /// By [`ConnectionId::index`].
    pub(crate) connections: Vec<Option<Box<Connection>>>,
    pub(crate) accepted: Vec<S>,
    pub(crate) adopted: Vec<S>,
    /// Connections with something to send, or to be closed.
    pub(crate) listed: Vec<ConnectionId>,
    /// Connections to be closed: their long replies have taken them over their limit, or cannot be made whole.
    pub(crate) to_close: Vec<ConnectionId>,
    pub(crate) holds: Holds,
    /// Clients that wait for keys.
    pub(crate) blocked_clients: u64,
    /// When the time of those is up that do not wait without end, in monotonic nanoseconds, and the connection.
    pub(crate) wait_deadlines: BTreeSet<(u64, u64)>,
    pub(crate) pause: Pause,
    /// The pause when those that it holds were last looked at.
    pub(crate) pause_seen: Pause,
    /// What is to be done before a pause is answered.
    pub(crate) settling: Settling,
    pub(crate) monitors: Vec<ConnectionId>,
    pub(crate) orders: Vec<NetworkOrder>,
    /// This node's own part of commands for all nodes.
    pub(crate) own_notes: VecDeque<OwnNote>,
    /// What this node's own monitors are to be shown.
    pub(crate) own_lines: Vec<u8>,
    pub(crate) spare_decoder: Decoder,
    pub(crate) spare_queue: Option<Box<Queue>>,
    pub(crate) ahead: Ahead,
    pub(crate) next_look_at_clients_ns: u64,
    pub(crate) next_http_warning_ns: u64,
    pub(crate) next_pause_warning_ns: u64,
    /// `client-output-buffer-pause`, in bytes; as large as can be if there is none.
    pub(crate) output_pause_bytes: usize,
    /// The most that clients used of late, in bytes.
    pub(crate) clients_peak_bytes: u64,
}

impl<S> Default for Home<S> {
    fn default() -> Home<S> {
        Home {
            limits: Limits { bulk_max_len_bytes: 0, unauthenticated: false },
            connections: Vec::new(),
            accepted: Vec::new(),
            adopted: Vec::new(),
            listed: Vec::new(),
            to_close: Vec::new(),
            holds: Holds::default(),
            blocked_clients: 0,
            wait_deadlines: BTreeSet::new(),
            pause: Pause::default(),
            pause_seen: Pause::default(),
            settling: Settling::default(),
            monitors: Vec::new(),
            orders: Vec::new(),
            own_notes: VecDeque::new(),
            own_lines: Vec::new(),
            spare_decoder: Decoder::new(),
            spare_queue: None,
            ahead: Ahead::default(),
            next_look_at_clients_ns: 0,
            next_http_warning_ns: 0,
            next_pause_warning_ns: 0,
            output_pause_bytes: usize::MAX,
            clients_peak_bytes: 0,
        }
    }
}

impl<S> Home<S> {
    /// Holds a connection: its next command is tried again when [`Home::release`] lets it go on.
    pub(crate) fn hold(&mut self, connection: &mut Connection, why: Hold) -> Flow {
        self.holds.add(connection.id, why);
        connection.hold = Some(why);
        Flow::Again
    }

    /// Lets those go on that wait there.
    pub(crate) fn release(&mut self, gate: Gate) {
        for id in self.holds.take(gate) {
            let hold = self.connection(id).and_then(|connection| connection.hold);
            if hold.and_then(Hold::gate) == Some(gate) {
                self.holds.runnable.push_back(id);
            }
        }
    }

    /// A connection.
    #[inline]
    pub(crate) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let place = self.connections.get_mut(id.index as usize)?;
        place.as_deref_mut().filter(|connection| connection.id == id)
    }
}
