//! Long replies, made a piece at a time from a value that other commands may want to change meanwhile.
//!
//! As long as nobody changes it, only the place in the value is remembered. Just before a key with open streams changes,
//! what is left of their replies is made at once and kept. So a reply shows the value as it was when the command ran.

use crate::shard::Shard;
use tessera_values::ValueRef;

/// What is left to write of a reply, as a place in a value.
pub trait Stream: Send + std::fmt::Debug {
    /// Appends the next piece of the reply, about `len_bytes` long and longer than nothing. False if that was the last.
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool;
}

#[derive(Debug)]
enum Source {
    Value(Box<dyn Stream>),
    /// Already made, and how much of it has been handed out.
    Made(Vec<u8>, usize),
}

#[derive(Debug)]
struct Open {
    id: u64,
    db: u16,
    key: Box<[u8]>,
    source: Source,
}

impl Open {
    /// Makes all that is left.
    fn make_rest(&mut self, value: ValueRef<'_>) {
        if let Source::Value(stream) = &mut self.source {
            let mut rest = Vec::new();
            while stream.write_some(value, usize::MAX, &mut rest) {}
            self.source = Source::Made(rest, 0);
        }
    }
}

/// The open streams of a shard.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    last_id: u64,
    open: Vec<Open>,
}

impl Streams {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The value of `key` is about to change or go.
    #[cold]
    pub(crate) fn make_rest(&mut self, db: u16, key: &[u8], value: ValueRef<'_>) {
        for open in self.open.iter_mut().filter(|open| open.db == db && *open.key == *key) {
            open.make_rest(value);
        }
    }

    /// Two databases have changed places.
    pub(crate) fn swap(&mut self, first: u16, second: u16) {
        for open in &mut self.open {
            if open.db == first {
                open.db = second;
            } else if open.db == second {
                open.db = first;
            }
        }
    }
}

impl Shard {
    /// Begins to stream a reply about the value of `key`, which must be there. Returns the stream's number.
    pub fn open_stream(&mut self, db: u16, key: &[u8], stream: Box<dyn Stream>) -> u64 {
        self.streams.last_id += 1;
        let id = self.streams.last_id;
        self.streams.open.push(Open { id, db, key: key.into(), source: Source::Value(stream) });
        id
    }

    /// Appends the next piece of a streamed reply, about `len_bytes` long. False if that was the last: then the
    /// stream is closed.
    pub fn stream_some(&mut self, id: u64, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(index) = self.streams.open.iter().position(|open| open.id == id) else { return false };
        let open = &mut self.streams.open[index];
        let more = match &mut open.source {
            Source::Value(stream) => match self.databases[open.db as usize].table.get(&open.key) {
                Some(entry) => stream.write_some(entry.value(), len_bytes, out),
                None => unreachable!("what is left was made before the key went"),
            },
            Source::Made(rest, done) => {
                let end = rest.len().min(done.saturating_add(len_bytes));
                out.extend_from_slice(&rest[*done..end]);
                *done = end;
                end < rest.len()
            }
        };
        if !more {
            self.streams.open.swap_remove(index);
        }
        more
    }

    /// Nobody wants the rest of a streamed reply.
    pub fn close_stream(&mut self, id: u64) {
        self.streams.open.retain(|open| open.id != id);
    }

    /// The value of `key` is about to change or go.
    #[inline]
    pub(crate) fn before_change(&mut self, db: u16, key: &[u8]) {
        // One branch for both: mostly neither is there.
        if !self.streams.is_empty() | self.snapshot.is_some() {
            self.before_watched_change(db, key);
        }
    }

    #[cold]
    fn before_watched_change(&mut self, db: u16, key: &[u8]) {
        if !self.streams.is_empty()
            && let Some(entry) = self.databases[db as usize].table.get(key)
        {
            self.streams.make_rest(db, key, entry.value());
        }
        self.save_ahead(db, key, true);
    }

    /// All values of a database are about to go.
    pub(crate) fn before_flush(&mut self, db: u16) {
        for open in self.streams.open.iter_mut().filter(|open| open.db == db) {
            if let Some(entry) = self.databases[db as usize].table.get(&open.key) {
                open.make_rest(entry.value());
            }
        }
    }
}
