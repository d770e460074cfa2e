//! Direct replies at the owner: it writes to a client's socket that another node has lent it, see [`crate::direct`].

use super::remote_sends::RemoteSend;
use crate::clock::Clock;
use crate::core::Core;
use crate::direct::done;
use crate::network::{ConnectionId, SocketHandle};
use crate::notes::ConnectionNote;
use tessera_routing::Ticket;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has this node's network write a reply to a connection of `home`.
    pub(crate) fn reply_directly(
        &mut self,
        home: usize,
        ticket: Ticket,
        socket: SocketHandle,
        bytes: Vec<u8>,
    ) {
        self.server.counters.direct_replies += 1;
        self.owner.remote_sends.begin(RemoteSend { home, ticket }, socket, bytes);
    }

    /// A direct reply has been written, as far as it went.
    pub(crate) fn remote_reply_sent(&mut self, tag: u64, mut buffer: Vec<u8>, written: usize) {
        let Some(RemoteSend { home, ticket }) = self.owner.remote_sends.end(tag) else {
            debug_assert!(false, "a direct reply that was not begun");
            return;
        };
        self.server.counters.output_bytes += written as u64;
        self.server.counters.writes += 1;
        if written < buffer.len() {
            // The home sends the rest, and the socket is its own again.
            buffer.drain(..written);
            self.mesh.note(home, ConnectionNote::DirectDone { ticket, rest: buffer });
            return;
        }
        let index = ConnectionId::unpack(ticket.connection).index as usize;
        if done(&self.server.shared.direct[home][index]) {
            self.mesh.note(home, ConnectionNote::DirectDone { ticket, rest: Vec::new() });
        }
        self.server.buffers.give_back(buffer);
    }
}
