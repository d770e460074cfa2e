//! Direct replies: the owner of a key writes to the client's socket itself.
//!
//! The home lets it when the connection has nothing else under way. Until the owner is done the home must neither
//! write to the socket nor close it. Both look at one state per connection:
//!
//! ```text
//! home lets: IDLE -> LENT       owner is done: LENT -> DONE             home sees DONE when it wants to write
//!                               owner is done: RECALLED -> DONE, and tells home, which recalled it meanwhile
//! ```

use crate::clock::Clock;
use crate::core::Core;
use crate::home::NetworkOrder;
use crate::home::connection::{Connection, unpack};
use crate::home::holds::Hold;
use crate::network::SocketHandle;
use crate::notes::ConnectionNote;
use crate::shared::DirectState;
use std::sync::atomic::Ordering;
use tessera_routing::Ticket;

const IDLE: u32 = 0;
const LENT: u32 = 1;
const RECALLED: u32 = 2;
const DONE: u32 = 3;

/// The home lets the owner write. Published to the owner by the message that follows.
pub fn lend(state: &DirectState) {
    state.store(LENT, Ordering::Relaxed);
}

/// The home recalls the socket. True if it has it; otherwise the owner will tell.
pub fn reclaim(state: &DirectState) -> bool {
    match state.compare_exchange(LENT, RECALLED, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) | Err(RECALLED) => false,
        Err(_) => {
            state.store(IDLE, Ordering::Relaxed);
            true
        }
    }
}

/// The owner is done with the socket. True if it must tell the home.
pub fn done(state: &DirectState) -> bool {
    state.swap(DONE, Ordering::AcqRel) == RECALLED
}

/// A direct reply that this node's network is writing for another.
#[derive(Clone, Copy, Debug)]
pub struct RemoteSend {
    /// The connection's home.
    pub home: usize,
    /// Whose reply.
    pub ticket: Ticket,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Lets the owner of the one call under way write its reply itself, if nothing else is to be written.
    pub(crate) fn lend_socket(&mut self, connection: &mut Connection) {
        let Some((peer, call)) = connection.last_call.take() else { return };
        let index = connection.id.index as usize;
        if connection.sending_bytes > 0
            || connection.input.is_some()
            || connection.direct.is_some()
            || !connection.streams.is_empty()
            || connection.close_after_reply
            || index >= self.server.shared.direct[self.server.me].len()
        {
            return;
        }
        let Some(handle) = connection.handle else { return };
        let Some(sequence) = connection.replies.only_waiting() else { return };
        lend(&self.server.shared.direct[self.server.me][index]);
        connection.direct = Some(sequence);
        self.mesh.outgoing(peer).set_direct(call, handle.0);
    }

    /// Takes the socket back from the owner if it is done with it. True if the socket is the home's.
    pub(crate) fn reclaim_socket(&mut self, connection: &mut Connection) -> bool {
        let Some(sequence) = connection.direct else { return true };
        if !reclaim(&self.server.shared.direct[self.server.me][connection.id.index as usize]) {
            return false;
        }
        connection.direct = None;
        connection.replies.arrive(sequence, &[]);
        if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
            self.home.holds.runnable.push_back(connection.id);
        }
        true
    }

    /// Asks for every socket that is lent.
    pub(crate) fn reclaim_all_sockets(&mut self) {
        let lent = self.home.connections.iter().flatten().filter(|connection| connection.direct.is_some());
        for id in lent.map(|connection| connection.id).collect::<Vec<_>>() {
            if let Some(mut connection) = self.take(id) {
                self.reclaim_socket(&mut connection);
                self.put(connection);
            }
        }
    }

    /// Something is being written: to a client of this node, by whomever, or by this node to a client of another.
    pub(crate) fn is_writing(&self) -> bool {
        self.owner.remote_sends.iter().any(Option::is_some)
            || self
                .home
                .connections
                .iter()
                .flatten()
                .any(|connection| connection.sending_bytes > 0 || connection.direct.is_some())
    }

    /// The owner is done with the socket, and says so because the home recalled it or something is left to write.
    pub(crate) fn take_socket_back(&mut self, ticket: Ticket, rest: Vec<u8>) {
        let Some(mut connection) = self.take(unpack(ticket.connection)) else { return };
        // The home may have seen by itself that the owner was done, and have lent the socket again since.
        if connection.direct == Some(ticket.sequence) {
            connection.direct = None;
            connection.replies.arrive_whole(ticket.sequence, rest);
        }
        if connection.gone && connection.direct.is_none() {
            return self.close(connection);
        }
        if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
            self.home.holds.runnable.push_back(connection.id);
        }
        self.put(connection);
    }

    /// Has this node's network write a reply to a connection of `home`.
    pub(crate) fn reply_directly(
        &mut self,
        home: usize,
        ticket: Ticket,
        socket: SocketHandle,
        bytes: Vec<u8>,
    ) {
        self.server.counters.direct_replies += 1;
        let send = Some(RemoteSend { home, ticket });
        let tag = match self.owner.free_remote_sends.pop() {
            Some(free) => {
                self.owner.remote_sends[free as usize] = send;
                free
            }
            None => {
                self.owner.remote_sends.push(send);
                (self.owner.remote_sends.len() - 1) as u32
            }
        };
        self.home.orders.push(NetworkOrder::SendRemote(socket, u64::from(tag), bytes));
    }

    /// A direct reply has been written, as far as it went.
    pub(crate) fn remote_reply_sent(&mut self, tag: u64, mut buffer: Vec<u8>, written: usize) {
        let place = self.owner.remote_sends.get_mut(tag as usize).and_then(Option::take);
        let Some(RemoteSend { home, ticket }) = place else {
            debug_assert!(false, "a direct reply that was not begun");
            return;
        };
        self.owner.free_remote_sends.push(tag as u32);
        self.server.counters.output_bytes += written as u64;
        self.server.counters.writes += 1;
        if written < buffer.len() {
            // The home sends the rest, and the socket is its own again.
            buffer.drain(..written);
            self.mesh.note(home, ConnectionNote::DirectDone { ticket, rest: buffer });
            return;
        }
        let index = unpack(ticket.connection).index as usize;
        if done(&self.server.shared.direct[home][index]) {
            self.mesh.note(home, ConnectionNote::DirectDone { ticket, rest: Vec::new() });
        }
        self.server.buffers.give_back(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_second_knows() {
        let state = DirectState::new(IDLE);
        lend(&state);
        assert!(!done(&state));
        assert!(reclaim(&state));
        lend(&state);
        assert!(!reclaim(&state));
        assert!(!reclaim(&state));
        assert!(done(&state));
        assert!(reclaim(&state));
    }
}
