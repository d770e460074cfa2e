//! Replies too long to be made at once: a piece is made when what was made before has left.
//!
//! The owner of the key keeps the stream ([`tessera_keyspace::stream`]), the home of the connection asks it for pieces. The reply
//! has its place among the others of its connection; what comes after it waits there until it is whole.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::{Connection, pack, unpack};
use crate::home::holds::Hold;
use crate::network::ConnectionId;
use crate::notes::streaming::StreamNote;
use std::collections::BTreeMap;
use tessera_keyspace::{StreamProgress, UnsentReply};
use tessera_routing::Ticket;

/// About how long a piece is, in bytes.
const PIECE_LEN_BYTES: usize = 256 * 1024;
/// A turn spends so much time on keeping what writes wait for, in nanoseconds, and little more.
const KEEP_TURN_NS: u64 = 1_000_000;
/// Nor does it take more steps than this, whatever the clock says.
const KEEP_MAX_SLICES: usize = 64;

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
    /// About how much of it is kept at its owner, in bytes.
    unsent_len_bytes: usize,
}

impl StreamedReply {
    /// About how much memory its rest takes, in bytes: nothing as long as it is made from what the key holds.
    pub(crate) fn unsent_len_bytes(&self) -> usize {
        self.unsent_len_bytes
    }
}

/// What a node knows of long replies beside its shard and its connections.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Whose the streams of this shard are: their clients' homes, and the replies' tickets.
    readers: BTreeMap<u64, (usize, Ticket)>,
    /// Connections of this node to be closed, because they are over their limit or a reply cannot be made whole.
    to_close: Vec<ConnectionId>,
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
                let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
                return self.mesh.note(owner, StreamNote::NextPiece(ticket, stream));
            }
            let mut piece = self.server.buffers.take();
            let progress = self.stream_some(stream, &mut piece);
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
                self.owner.reading.to_close.push(connection.id);
            }
        }
    }

    /// An owner begins a long reply.
    pub(crate) fn take_streamed(&mut self, owner: usize, ticket: Ticket, stream: u64, header: Vec<u8>) {
        let id = unpack(ticket.connection);
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
        let Some(mut connection) = self.take(unpack(ticket.connection)) else { return };
        let is_awaited = connection
            .streams
            .front()
            .is_some_and(|first| first.sequence == ticket.sequence && first.is_asked);
        if is_awaited {
            self.take_piece(&mut connection, piece, progress);
        }
        self.put(connection);
    }

    /// What is left of a long reply is kept from now on, and counts as its client's output: over the limit the client goes.
    pub(crate) fn take_note_of_unsent(&mut self, ticket: Ticket, len_bytes: usize) {
        let id = unpack(ticket.connection);
        let Some(connection) = self.connection(id) else { return };
        let reply = connection.streams.iter_mut().find(|reply| reply.sequence == ticket.sequence);
        let Some(reply) = reply else { return };
        reply.unsent_len_bytes = len_bytes;
        let output_bytes = connection.counted_output_bytes();
        if self.is_over_hard_limit(output_bytes) {
            self.owner.reading.to_close.push(id);
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
                self.end_stream(stream);
            } else {
                self.mesh.note(owner, StreamNote::End(stream));
            }
        }
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes in what another node says of a long reply.
    pub(crate) fn take_stream_note(&mut self, peer: usize, note: StreamNote) {
        match note {
            StreamNote::Streamed(ticket, stream, header) => self.take_streamed(peer, ticket, stream, header),
            StreamNote::NextPiece(ticket, stream) => self.take_next_piece(peer, ticket, stream),
            StreamNote::Piece(ticket, piece, progress) => self.take_note_of_piece(ticket, &piece, progress),
            StreamNote::Unsent(ticket, len_bytes) => self.take_note_of_unsent(ticket, len_bytes),
            StreamNote::End(stream) => self.end_stream(stream),
        }
    }
}

/// The owner of the key.
impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The home of a client wants more of its reply.
    pub(crate) fn take_next_piece(&mut self, home: usize, ticket: Ticket, stream: u64) {
        let mut piece = Vec::new();
        let progress = self.stream_some(stream, &mut piece);
        self.mesh.note(home, StreamNote::Piece(ticket, piece, progress));
    }

    fn stream_some(&mut self, stream: u64, piece: &mut Vec<u8>) -> StreamProgress {
        let progress = self.owner.shard.stream_some(stream, PIECE_LEN_BYTES, piece);
        if progress != StreamProgress::More {
            self.owner.reading.readers.remove(&stream);
        }
        progress
    }

    /// Notes whose a stream is.
    pub(crate) fn note_reader(&mut self, stream: u64, home: usize, ticket: Ticket) {
        self.owner.reading.readers.insert(stream, (home, ticket));
    }

    /// Tells a client's home that its reply is long.
    #[cold]
    pub(crate) fn note_streamed(&mut self, home: usize, ticket: Ticket, stream: u64, header: Vec<u8>) {
        self.note_reader(stream, home, ticket);
        self.mesh.note(home, StreamNote::Streamed(ticket, stream, header));
    }

    /// Nobody wants the rest of a long reply.
    pub(crate) fn end_stream(&mut self, stream: u64) {
        self.owner.reading.readers.remove(&stream);
        self.owner.shard.close_stream(stream);
    }

    /// There is something to do for [`Core::keep_for_readers`].
    pub(crate) fn has_reading_work(&self) -> bool {
        self.owner.shard.has_to_keep()
            || self.owner.shard.has_kept_news()
            || !self.owner.reading.to_close.is_empty()
    }

    /// Goes on to keep what writes wait for, lets them go when it is kept, and tells whose reply takes memory now.
    pub(crate) fn keep_for_readers(&mut self) {
        if self.owner.shard.has_to_keep() {
            let began_ns = self.time.clock.monotonic_ns();
            for _ in 0..KEEP_MAX_SLICES {
                self.owner.shard.keep_some(PIECE_LEN_BYTES);
                self.time.now_ns = self.time.clock.monotonic_ns();
                if !self.owner.shard.has_to_keep() || self.time.now_ns - began_ns >= KEEP_TURN_NS {
                    break;
                }
            }
        }
        if self.owner.shard.take_kept() {
            self.let_writers_go();
        }
        for UnsentReply { stream, len_bytes } in self.owner.shard.take_unsent() {
            match self.owner.reading.readers.get(&stream) {
                Some((home, ticket)) if *home == self.server.me => {
                    self.take_note_of_unsent(*ticket, len_bytes)
                }
                Some((home, ticket)) => self.mesh.note(*home, StreamNote::Unsent(*ticket, len_bytes)),
                None => {}
            }
        }
        for id in std::mem::take(&mut self.owner.reading.to_close) {
            self.close_for_output(id);
        }
    }
}
