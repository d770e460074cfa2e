//! Entries that were encoded ahead of the walk, because they were about to change, and wait for their place in the stream.

use std::collections::VecDeque;
use tessera_storage::rdb::{EncodeOptions, KeyFacts, put_database, put_entry};
use tessera_values::ValueRef;

/// A block of memory is filled about so far before another is begun, in bytes: none is copied as the queue grows.
const CHUNK_LEN_BYTES: usize = 64 * 1024;

/// A queue of bytes.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    chunks: VecDeque<Vec<u8>>,
    /// How much of the first has been taken.
    taken_len_bytes: usize,
    len_bytes: usize,
    /// The database of the last entry; `None` if nothing is chosen yet.
    db: Option<u16>,
    /// There is no other, and the stream has chosen it.
    is_only: bool,
}

impl Ahead {
    /// Of a stream in which this database is the only one, if there is one.
    pub(super) fn new(only: Option<u16>) -> Ahead {
        Ahead { db: only, is_only: only.is_some(), ..Ahead::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Adds an entry.
    pub(super) fn put(
        &mut self,
        db: u16,
        key: &[u8],
        value: ValueRef<'_>,
        facts: &KeyFacts,
        encode: EncodeOptions,
    ) {
        if self.chunks.back().is_none_or(|chunk| chunk.len() >= CHUNK_LEN_BYTES) {
            self.chunks.push_back(Vec::with_capacity(CHUNK_LEN_BYTES));
        }
        let chunk = self.chunks.back_mut().expect("one was added if there was none");
        let before_bytes = chunk.len();
        if self.db != Some(db) {
            put_database(chunk, db, None);
            self.db = Some(db);
        }
        put_entry(chunk, key, value, facts, encode);
        self.len_bytes += chunk.len() - before_bytes;
    }

    /// Adds the rest of an entry that the stream has begun. Nothing may have been taken from the first chunk.
    pub(super) fn put_rest_first(&mut self, rest: Vec<u8>) {
        debug_assert_eq!(self.taken_len_bytes, 0);
        self.len_bytes += rest.len();
        self.chunks.push_front(rest);
    }

    /// Moves up to `len_bytes` to `out`. Once it is empty, the database that is the current one from then on, if it changed.
    pub(super) fn take_some(&mut self, len_bytes: usize, out: &mut Vec<u8>) -> Option<u16> {
        let mut left = len_bytes;
        while let Some(chunk) = self.chunks.front() {
            let rest = &chunk[self.taken_len_bytes..];
            let some = &rest[..rest.len().min(left)];
            out.extend_from_slice(some);
            left -= some.len();
            self.len_bytes -= some.len();
            if some.len() < rest.len() {
                self.taken_len_bytes += some.len();
                return None;
            }
            self.taken_len_bytes = 0;
            self.chunks.pop_front();
        }
        if self.is_only { self.db } else { self.db.take() }
    }
}
