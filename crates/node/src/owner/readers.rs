//! Whose the streams of a shard are.

use std::collections::BTreeMap;
use tessera_routing::Ticket;

/// The clients that read streams of one shard, by the streams' numbers: their homes, and the replies' tickets.
#[derive(Debug, Default)]
pub(crate) struct Readers(BTreeMap<u64, (usize, Ticket)>);

impl Readers {
    /// A stream is a client's of that home.
    pub(crate) fn add(&mut self, stream: u64, home: usize, ticket: Ticket) {
        self.0.insert(stream, (home, ticket));
    }

    /// A stream is at its end, or nobody wants it any more.
    pub(crate) fn remove(&mut self, stream: u64) {
        self.0.remove(&stream);
    }

    /// Whose a stream is.
    pub(crate) fn get(&self, stream: u64) -> Option<(usize, Ticket)> {
        self.0.get(&stream).copied()
    }
}
