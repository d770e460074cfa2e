//! Direct replies at the client's home: it lends the socket to the owner, and wants it back; see [`crate::direct`].

use super::Home;
use super::connection::Connection;
use super::holds::Hold;
use crate::clock::Clock;
use crate::core::Core;
use crate::direct::{lend, reclaim};
use crate::network::ConnectionId;
use tessera_routing::Ticket;

impl<S> Home<S> {
    /// Something is being written to a client of this node, by whomever.
    pub(crate) fn is_writing(&self) -> bool {
        let mut connections = self.connections.iter().flatten();
        connections.any(|connection| connection.sending_bytes > 0 || connection.direct.is_some())
    }
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

    /// The owner is done with the socket, and says so because the home recalled it or something is left to write.
    pub(crate) fn take_socket_back(&mut self, ticket: Ticket, rest: Vec<u8>) {
        let Some(mut connection) = self.take(ConnectionId::unpack(ticket.connection)) else { return };
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
}
