//! Replies too long to be made at once: a piece is made when what was made before has left.
//!
//! The owner of the key keeps the stream ([`tessera_keyspace::stream`]), the home of the connection asks it for pieces. The reply
//! has its place among the others of its connection; what comes after it waits there until it is whole.

use crate::clock::Clock;
use crate::connection::{Connection, Hold, pack, unpack};
use crate::core::Core;
use crate::mesh::Note;
use crate::network::ConnectionId;
use tessera_command::Command;
use tessera_resp::{Args, Protocol, Reply};
use tessera_routing::Ticket;

/// About how long a piece is, in bytes.
const PIECE_LEN_BYTES: usize = 256 * 1024;

/// A reply of a connection that is made in pieces.
#[derive(Debug)]
pub struct StreamedReply {
    sequence: u32,
    owner: usize,
    /// The stream's number at its owner.
    stream: u64,
    /// What comes before the first piece.
    header: Vec<u8>,
    /// A piece is on its way.
    is_asked: bool,
}

/// The home of the connection.
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
        connection.streams.insert(index, StreamedReply { sequence, owner, stream, header, is_asked: false });
        if connection.send_failed {
            return self.drop_streams(connection);
        }
        self.pump(connection);
    }

    /// Has the next piece made, if all before it has left.
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
            if owner != self.me {
                first.is_asked = true;
                let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
                return self.mesh.note(owner, Note::NextPiece(ticket, stream));
            }
            let mut piece = self.buffers.take();
            let more = self.shard.stream_some(stream, PIECE_LEN_BYTES, &mut piece);
            self.take_piece(connection, &piece, more);
            self.buffers.give_back(piece);
        }
    }

    /// The same for a connection in the table.
    #[cold]
    pub(crate) fn pump_by_id(&mut self, id: ConnectionId) {
        if let Some(mut connection) = self.take(id) {
            self.pump(&mut connection);
            self.put(connection);
        }
    }

    fn take_piece(&mut self, connection: &mut Connection, piece: &[u8], more: bool) {
        let Some(first) = connection.streams.front_mut() else { return };
        first.is_asked = false;
        let sequence = first.sequence;
        connection.replies.lend(|| self.buffers.take());
        if more {
            connection.replies.arrive_partly(sequence, piece);
        } else {
            connection.streams.pop_front();
            connection.replies.arrive(sequence, piece);
            if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
                self.runnable.push_back(connection.id);
            }
        }
    }

    /// An owner begins a long reply.
    pub(crate) fn take_streamed(&mut self, owner: usize, ticket: Ticket, stream: u64, header: Vec<u8>) {
        let id = unpack(ticket.connection);
        let Some(mut connection) = self.take(id) else {
            return self.mesh.note(owner, Note::EndStream(stream));
        };
        if connection.direct == Some(ticket.sequence) {
            // The owner was to write the reply itself, and did not.
            connection.direct = None;
        }
        if connection.gone {
            self.mesh.note(owner, Note::EndStream(stream));
            return self.close(connection);
        }
        self.begin_streamed(&mut connection, ticket.sequence, owner, stream, header);
        self.put(connection);
    }

    /// A piece of a long reply has come.
    pub(crate) fn take_note_of_piece(&mut self, ticket: Ticket, piece: &[u8], more: bool) {
        let Some(mut connection) = self.take(unpack(ticket.connection)) else { return };
        let is_awaited = connection
            .streams
            .front()
            .is_some_and(|first| first.sequence == ticket.sequence && first.is_asked);
        if is_awaited {
            self.take_piece(&mut connection, piece, more);
            self.pump(&mut connection);
        }
        self.put(connection);
    }

    /// Nobody will read the rest of a connection's long replies, but there are others to come behind them.
    pub(crate) fn drop_streams(&mut self, connection: &mut Connection) {
        let sequences: Vec<u32> = connection.streams.iter().map(|streamed| streamed.sequence).collect();
        self.end_streams(connection);
        sequences.iter().for_each(|sequence| connection.replies.arrive(*sequence, &[]));
        if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
            self.runnable.push_back(connection.id);
        }
    }

    /// Nobody will read the rest of a connection's long replies.
    pub(crate) fn end_streams(&mut self, connection: &mut Connection) {
        for StreamedReply { owner, stream, .. } in connection.streams.drain(..) {
            if owner == self.me {
                self.shard.close_stream(stream);
            } else {
                self.mesh.note(owner, Note::EndStream(stream));
            }
        }
    }
}

/// The owner of the key.
impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Begins the reply of a command that found it to be long.
    #[cold]
    pub(crate) fn open_stream(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let begin = command.stream?;
        let (key, stream) = begin(args, self.shard.view(db, false), &mut Reply::new(out, protocol))?;
        Some(self.shard.open_stream(db, key, stream))
    }

    /// The home of a client wants more of its reply.
    pub(crate) fn take_next_piece(&mut self, home: usize, ticket: Ticket, stream: u64) {
        let mut piece = Vec::new();
        let more = self.shard.stream_some(stream, PIECE_LEN_BYTES, &mut piece);
        self.mesh.note(home, Note::Piece(ticket, piece, more));
    }
}
