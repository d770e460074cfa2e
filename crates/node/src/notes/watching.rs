//! What homes and owners tell each other of keys that clients watch.

use crate::mesh::NoteLen;
use tessera_keyspace::WatchStamp;
use tessera_routing::Ticket;

/// Keys with their databases.
pub type WatchedNames = Vec<(u16, Box<[u8]>)>;

/// About keys that clients watch.
pub enum WatchNote {
    /// A client watches these from now on; answer with `Watched`.
    Watch(Ticket, WatchedNames),
    /// How they were then, in the same order.
    Watched(Ticket, Vec<WatchStamp>),
    /// It watches these no more.
    Unwatch(WatchedNames),
}

impl WatchNote {
    pub(super) fn len_bytes(&self) -> NoteLen {
        match self {
            WatchNote::Watch(_, names) | WatchNote::Unwatch(names) => {
                NoteLen::Request(names.iter().map(|(_, key)| key.len()).sum())
            }
            WatchNote::Watched(_, stamps) => NoteLen::Reply(size_of_val(stamps.as_slice())),
        }
    }
}
