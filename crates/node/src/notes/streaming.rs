//! What homes and owners tell each other of long replies.

use crate::mesh::NoteLen;
use tessera_keyspace::StreamProgress;
use tessera_routing::Ticket;

/// About how long a piece is, in bytes.
pub(crate) const PIECE_LEN_BYTES: usize = 256 * 1024;

/// About a long reply.
pub enum StreamNote {
    /// The reply to this call is long: its beginning, and the stream's number by which to ask for pieces of the rest.
    Streamed(Ticket, u64, Vec<u8>),
    /// Send the next piece of that stream.
    NextPiece(Ticket, u64),
    /// Here it is, and whether there is more.
    Piece(Ticket, Vec<u8>, StreamProgress),
    /// The rest of that reply takes memory from now on: about so many bytes.
    Unsent(Ticket, usize),
    /// Nobody wants that stream any more.
    End(u64),
}

impl StreamNote {
    pub(super) fn len_bytes(&self) -> NoteLen {
        match self {
            StreamNote::Streamed(_, _, bytes) | StreamNote::Piece(_, bytes, _) => NoteLen::Reply(bytes.len()),
            _ => NoteLen::Short,
        }
    }
}
