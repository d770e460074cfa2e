//! Long replies at the owner of the key, which keeps the stream ([`tessera_keyspace::stream`]), makes pieces of it as
//! the client's home asks for them, and keeps what is being read from those that change it.
//!
//! At the client's home, see [`crate::home::streaming`].

use super::Owner;
use crate::clock::{Clock, Time};
use crate::core::Core;
use crate::notes::streaming::{PIECE_LEN_BYTES, StreamNote};
use tessera_keyspace::{StreamProgress, UnsentReply};
use tessera_routing::Ticket;

/// A turn spends so much time on keeping what writes wait for, in nanoseconds, and little more.
const KEEP_TURN_NS: u64 = 1_000_000;
/// Nor does it take more steps than this, whatever the clock says.
const KEEP_MAX_SLICES: usize = 64;

impl Owner {
    /// Makes a piece of a stream.
    pub(crate) fn stream_some(&mut self, stream: u64, piece: &mut Vec<u8>) -> StreamProgress {
        let progress = self.shard.stream_some(stream, PIECE_LEN_BYTES, piece);
        if progress != StreamProgress::More {
            self.readers.remove(stream);
        }
        progress
    }

    /// Notes whose a stream is.
    pub(crate) fn note_reader(&mut self, stream: u64, home: usize, ticket: Ticket) {
        self.readers.add(stream, home, ticket);
    }

    /// Nobody wants what a stream would still make.
    pub(crate) fn close_stream(&mut self, stream: u64) {
        self.readers.remove(stream);
        self.shard.close_stream(stream);
    }

    /// There is something to do for [`Core::keep_for_readers`].
    pub(crate) fn has_to_keep(&self) -> bool {
        self.shard.has_to_keep() || self.shard.has_kept_news()
    }

    /// Goes on to keep what writes wait for. True if any of it is kept.
    fn keep_some<C: Clock>(&mut self, time: &mut Time<C>) -> bool {
        if self.shard.has_to_keep() {
            let began_ns = time.clock.monotonic_ns();
            for _ in 0..KEEP_MAX_SLICES {
                self.shard.keep_some(PIECE_LEN_BYTES);
                time.now_ns = time.clock.monotonic_ns();
                if !self.shard.has_to_keep() || time.now_ns - began_ns >= KEEP_TURN_NS {
                    break;
                }
            }
        }
        self.shard.take_kept()
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The home of a client wants more of its reply.
    pub(crate) fn take_next_piece(&mut self, home: usize, ticket: Ticket, stream: u64) {
        let mut piece = Vec::new();
        let progress = self.owner.stream_some(stream, &mut piece);
        self.mesh.note(home, StreamNote::Piece(ticket, piece, progress));
    }

    /// Tells a client's home that its reply is long.
    #[cold]
    pub(crate) fn note_streamed(&mut self, home: usize, ticket: Ticket, stream: u64, header: Vec<u8>) {
        self.owner.note_reader(stream, home, ticket);
        self.mesh.note(home, StreamNote::Streamed(ticket, stream, header));
    }

    /// Goes on to keep what writes wait for, lets them go when it is kept, and tells whose reply takes memory now.
    pub(crate) fn keep_for_readers(&mut self) {
        if self.owner.keep_some(&mut self.time) {
            self.let_writers_go();
        }
        for UnsentReply { stream, len_bytes } in self.owner.shard.take_unsent() {
            match self.owner.readers.get(stream) {
                Some((home, ticket)) if home == self.server.me => self.take_note_of_unsent(ticket, len_bytes),
                Some((home, ticket)) => self.mesh.note(home, StreamNote::Unsent(ticket, len_bytes)),
                None => {}
            }
        }
    }
}
