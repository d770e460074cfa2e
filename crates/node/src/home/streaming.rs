//! Long replies at the client's home: a piece is made when what was made before has left.
//!
//! The reply has its place among the others of its connection; what comes after it waits there until it is whole. The
//! owner of the key makes the pieces, see [`crate::owner::streaming`].

use super::connection::Connection;
use super::holds::Hold;
use super::streamed::StreamedReply;
use crate::clock::Clock;
use crate::core::Core;
use crate::network::ConnectionId;
use crate::notes::streaming::{PIECE_LEN_BYTES, StreamNote};
use tessera_keyspace::StreamProgress;
use tessera_routing::Ticket;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The reply expected at `sequence` begins with `header` and goes on in pieces.
    pub(crate) fn begin_streamed(
        &mut self,
        connection: &mut Connection,
        sequence: u32,
        owner: usize,
        stream: u64,
        header: Vec<u8>,
    ) {
        // Owners begin when they come to it, in any order.
        let is_later = |other: &StreamedReply| other.sequence.wrapping_sub(sequence).cast_signed() > 0;
        let index = connection.streams.iter().position(is_later).unwrap_or(connection.streams.len());
        connection.streams.insert(
            index,
            StreamedReply { sequence, owner, stream, header, is_asked: false, unsent_len_bytes: 0 },
        );
        if connection.send_failed {
            self.drop_streams(connection);
        }
    }

    /// Has the next piece made, if all before it has left. [`Core::put`] asks for that.
    #[cold]
    pub(crate) fn pump(&mut self, connection: &mut Connection) {
        while let Some(first) = connection.streams.front_mut() {
            let StreamedReply { sequence, owner, stream, is_asked, .. } = *first;
            if is_asked
                || !connection.replies.is_first(sequence)
                || connection.sending_bytes + connection.replies.ready_len_bytes() >= PIECE_LEN_BYTES
            {
                return;
            }
            let header = std::mem::take(&mut first.header);
            connection.replies.arrive_partly(sequence, &header);
            if owner != self.server.me {
                first.is_asked = true;
                let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
                return self.mesh.note(owner, StreamNote::NextPiece(ticket, stream));
            }
            let mut piece = self.server.buffers.take();
            let progress = self.owner.stream_some(stream, &mut piece);
            self.take_piece(connection, &piece, progress);
            self.server.buffers.give_back(piece);
        }
    }

    /// The same for a connection in the table.
    #[cold]
    pub(crate) fn pump_by_id(&mut self, id: ConnectionId) {
        if let Some(connection) = self.take(id) {
            self.put(connection);
        }
    }

    fn take_piece(&mut self, connection: &mut Connection, piece: &[u8], progress: StreamProgress) {
        let Some(first) = connection.streams.front_mut() else { return };
        first.is_asked = false;
        first.unsent_len_bytes = first.unsent_len_bytes.saturating_sub(piece.len());
        let sequence = first.sequence;
        connection.replies.provide_buffer(|| self.server.buffers.take());
        match progress {
            StreamProgress::More => connection.replies.arrive_partly(sequence, piece),
            StreamProgress::Done => {
                connection.streams.pop_front();
                connection.replies.arrive(sequence, piece);
                if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
                    self.home.holds.runnable.push_back(connection.id);
                }
            }
            StreamProgress::Lost => {
                // It waits for a piece that will not come, until it is closed.
                first.is_asked = true;
                self.home.to_close.push(connection.id);
            }
        }
    }

    /// An owner begins a long reply.
    pub(crate) fn take_streamed(&mut self, owner: usize, ticket: Ticket, stream: u64, header: Vec<u8>) {
        let id = ConnectionId::unpack(ticket.connection);
        let Some(mut connection) = self.take(id) else {
            return self.mesh.note(owner, StreamNote::End(stream));
        };
        if connection.direct == Some(ticket.sequence) {
            // The owner was to write the reply itself, and did not.
            connection.direct = None;
        }
        if connection.gone {
            self.mesh.note(owner, StreamNote::End(stream));
            return self.close(connection);
        }
        if !connection.replies.will_be_sent(ticket.sequence) {
            self.mesh.note(owner, StreamNote::End(stream));
            connection.replies.arrive(ticket.sequence, &[]);
            if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
                self.home.holds.runnable.push_back(id);
            }
            return self.put(connection);
        }
        self.begin_streamed(&mut connection, ticket.sequence, owner, stream, header);
        self.put(connection);
    }

    /// A piece of a long reply has come.
    pub(crate) fn take_note_of_piece(&mut self, ticket: Ticket, piece: &[u8], progress: StreamProgress) {
        let Some(mut connection) = self.take(ConnectionId::unpack(ticket.connection)) else { return };
        let is_awaited = connection
            .streams
            .front()
            .is_some_and(|first| first.sequence == ticket.sequence && first.is_asked);
        if is_awaited {
            self.take_piece(&mut connection, piece, progress);
        }
        self.put(connection);
    }

    /// What is left of a long reply is kept from now on, and counts as its client's output: over the limit the client
    /// goes.
    pub(crate) fn take_note_of_unsent(&mut self, ticket: Ticket, len_bytes: usize) {
        let id = ConnectionId::unpack(ticket.connection);
        let Some(connection) = self.connection(id) else { return };
        let reply = connection.streams.iter_mut().find(|reply| reply.sequence == ticket.sequence);
        let Some(reply) = reply else { return };
        reply.unsent_len_bytes = len_bytes;
        let output_bytes = connection.counted_output_bytes();
        if self.is_over_hard_limit(output_bytes) {
            self.home.to_close.push(id);
        }
    }

    /// Nobody will read the rest of a connection's long replies, but there are others to come behind them.
    pub(crate) fn drop_streams(&mut self, connection: &mut Connection) {
        let sequences: Vec<u32> = connection.streams.iter().map(|streamed| streamed.sequence).collect();
        self.end_streams(connection);
        sequences.iter().for_each(|sequence| connection.replies.arrive(*sequence, &[]));
        if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
            self.home.holds.runnable.push_back(connection.id);
        }
    }

    /// Nobody will read the rest of a connection's long replies.
    pub(crate) fn end_streams(&mut self, connection: &mut Connection) {
        for StreamedReply { owner, stream, .. } in connection.streams.drain(..) {
            if owner == self.server.me {
                self.owner.close_stream(stream);
            } else {
                self.mesh.note(owner, StreamNote::End(stream));
            }
        }
    }

    /// Closes clients whose long replies have taken them over their limit, or cannot be made whole.
    pub(crate) fn close_readers(&mut self) {
        for id in std::mem::take(&mut self.home.to_close) {
            self.close_for_output(id);
        }
    }
}
