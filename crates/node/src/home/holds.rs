//! Connections whose next command waits, by what for, and those that go on.

use super::Home;
use super::connection::Connection;
use super::feed::Flow;
use crate::network::ConnectionId;
use std::collections::VecDeque;

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
    fn gate(self) -> Option<Gate> {
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

    /// A connection that has gone waits no more.
    pub(crate) fn forget(&mut self, connection: &Connection) {
        if let Some(gate) = connection.hold.and_then(Hold::gate) {
            self.waiting[gate as usize].retain(|id| *id != connection.id);
        }
    }
}

impl<S> Home<S> {
    /// Holds a connection: its next command is tried again when [`Home::release`] lets it go on.
    pub(crate) fn hold(&mut self, connection: &mut Connection, why: Hold) -> Flow {
        if let Some(gate) = why.gate() {
            self.holds.waiting[gate as usize].push(connection.id);
        }
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
