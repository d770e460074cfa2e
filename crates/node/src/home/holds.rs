//! Connections whose next command waits, by what for, and those that go on.

use crate::network::ConnectionId;
use std::collections::VecDeque;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It ran, or is under way: on to the next.
    Next,
    /// It must be tried again later; the connection's hold says why.
    Again,
}

/// Why no further command of a connection is executed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The next one must wait until all before it are answered.
    UntilSettled,
    /// One that takes several steps is under way.
    Running,
    /// Too many calls wait for this peer.
    Peer(usize),
    /// CLIENT PAUSE.
    Paused,
    /// It is not known yet whether there is anything to load.
    Loading,
    /// The client does not read its replies.
    SlowReader,
    /// It has had its share of the turn.
    Turn,
    /// All shards are about to agree on the moment of a snapshot.
    Cut,
    /// A key that it writes to has to be saved first.
    Unsaved,
    /// A command over several shards holds a key of it.
    Held,
    /// It waits for the end of a snapshot.
    Saving,
    /// A snapshot is sent to the client, or will be.
    Transfer,
}

/// What many connections may wait for at once, to be let go on together and in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The next turn.
    Turn,
    /// A peer with too much to do.
    Peer,
    /// The end of CLIENT PAUSE.
    Paused,
    /// The cut of a snapshot.
    Cut,
    /// A key that has to be saved, or kept for who reads it.
    Unsaved,
    /// A key that a command over several shards holds.
    Held,
    /// The answer whether there is anything to load.
    Loading,
}

impl Hold {
    /// Where the connection waits; nowhere if what it waits for is its own.
    pub(crate) fn gate(self) -> Option<Gate> {
        match self {
            Hold::Turn => Some(Gate::Turn),
            Hold::Peer(_) => Some(Gate::Peer),
            Hold::Paused => Some(Gate::Paused),
            Hold::Cut => Some(Gate::Cut),
            Hold::Unsaved => Some(Gate::Unsaved),
            Hold::Held => Some(Gate::Held),
            Hold::Loading => Some(Gate::Loading),
            Hold::UntilSettled | Hold::Running | Hold::SlowReader | Hold::Saving | Hold::Transfer => None,
        }
    }
}

/// How many gates there are.
const GATES: usize = Gate::Loading as usize + 1;

/// The connections that wait, and those whose wait is over.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Connections whose hold is over.
    pub(crate) runnable: VecDeque<ConnectionId>,
    waiting: [Vec<ConnectionId>; GATES],
}

impl Holds {
    /// How many wait there.
    #[inline]
    pub(crate) fn waiting(&self, gate: Gate) -> usize {
        self.waiting[gate as usize].len()
    }

    /// Who has waited there longest.
    pub(crate) fn first(&self, gate: Gate) -> Option<ConnectionId> {
        self.waiting[gate as usize].first().copied()
    }

    /// All that wait there, who do so no more.
    pub(crate) fn take(&mut self, gate: Gate) -> Vec<ConnectionId> {
        std::mem::take(&mut self.waiting[gate as usize])
    }

    /// These wait there as before, ahead of those who have come since.
    pub(crate) fn put_back(&mut self, gate: Gate, mut ids: Vec<ConnectionId>) {
        let waiting = &mut self.waiting[gate as usize];
        ids.append(waiting);
        *waiting = ids;
    }

    /// A connection waits, for one of many or for something of its own.
    pub(crate) fn add(&mut self, id: ConnectionId, hold: Hold) {
        if let Some(gate) = hold.gate() {
            self.waiting[gate as usize].push(id);
        }
    }

    /// A connection that has gone waits no more.
    pub(crate) fn forget(&mut self, id: ConnectionId, hold: Hold) {
        if let Some(gate) = hold.gate() {
            self.waiting[gate as usize].retain(|other| *other != id);
        }
    }
}
