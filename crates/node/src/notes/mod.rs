//! What nodes tell each other besides calls, errands and their answers: by what it is about, a file for each.

pub mod everywhere;
pub mod loading;
pub mod snapshot;
pub mod streaming;
pub mod waiting;

use crate::mesh::{Carried, NoteLen};
use everywhere::EverywhereNote;
use loading::LoadNote;
use snapshot::SnapshotNote;
use streaming::StreamNote;
use tessera_routing::Ticket;
use waiting::WaitNote;

/// A note from one node to another.
pub enum Note<S> {
    /// About a connection.
    Connection(ConnectionNote<S>),
    /// About a command for all nodes.
    Everywhere(EverywhereNote),
    /// About a blocking command.
    Wait(WaitNote),
    /// About a long reply.
    Stream(StreamNote),
    /// About loading.
    Load(LoadNote),
    /// About a snapshot.
    Snapshot(Box<SnapshotNote>),
}

/// Between the node that speaks to a client and another.
pub enum ConnectionNote<S> {
    /// Take over this connection.
    Adopt(S),
    /// That connection has gone: nobody reads what its calls answer.
    Gone(u64),
    /// A direct reply is done; what could not be written of it comes back.
    DirectDone {
        /// Whose.
        ticket: Ticket,
        /// The unwritten rest.
        rest: Vec<u8>,
    },
}

impl<S> Carried for Note<S> {
    fn is_request(&self) -> bool {
        matches!(self, Note::Wait(note) if note.is_request())
    }

    fn len_bytes(&self) -> NoteLen {
        match self {
            Note::Connection(ConnectionNote::DirectDone { rest, .. }) => NoteLen::Reply(rest.len()),
            Note::Everywhere(note) => note.len_bytes(),
            Note::Wait(note) => note.len_bytes(),
            Note::Stream(note) => note.len_bytes(),
            Note::Load(note) => note.len_bytes(),
            Note::Connection(_) | Note::Snapshot(_) => NoteLen::Short,
        }
    }
}

impl<S> From<ConnectionNote<S>> for Note<S> {
    fn from(note: ConnectionNote<S>) -> Note<S> {
        Note::Connection(note)
    }
}

impl<S> From<EverywhereNote> for Note<S> {
    fn from(note: EverywhereNote) -> Note<S> {
        Note::Everywhere(note)
    }
}

impl<S> From<WaitNote> for Note<S> {
    fn from(note: WaitNote) -> Note<S> {
        Note::Wait(note)
    }
}

impl<S> From<StreamNote> for Note<S> {
    fn from(note: StreamNote) -> Note<S> {
        Note::Stream(note)
    }
}

impl<S> From<LoadNote> for Note<S> {
    fn from(note: LoadNote) -> Note<S> {
        Note::Load(note)
    }
}

impl<S> From<SnapshotNote> for Note<S> {
    fn from(note: SnapshotNote) -> Note<S> {
        Note::Snapshot(Box::new(note))
    }
}
