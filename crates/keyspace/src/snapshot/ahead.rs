//! Entries that were encoded ahead of the walk, because they were about to change, and wait for their place in the
//! stream.
//!
//! Those of the table that is walked wait for the next slice. Those of later ones wait until the walk comes to their
//! table, so that the stream has all of a database together; but if they become too many, they are handed out before.

use std::collections::{BTreeMap, VecDeque};
use tessera_storage::rdb::{EncodeOptions, KeyFacts, put_entry};
use tessera_values::ValueRef;

/// A block of memory is filled about so far before another is begun, in bytes: none is copied as the queue grows, but
/// the first.
const CHUNK_LEN_BYTES: usize = 64 * 1024;
/// Of later tables no more is held than this, or than half of what may wait at all, in bytes.
const HELD_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;

/// The entries of one table.
#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Vec<u8>>,
    /// How much of the first has been taken.
    taken_len_bytes: usize,
    len_bytes: usize,
}

impl Queue {
    /// Where the next entry goes.
    fn last_chunk(&mut self) -> &mut Vec<u8> {
        if self.chunks.back().is_none_or(|chunk| chunk.len() >= CHUNK_LEN_BYTES) {
            // There may be as many queues as databases: the first grows with what it has.
            let capacity = if self.chunks.is_empty() { 0 } else { CHUNK_LEN_BYTES };
            self.chunks.push_back(Vec::with_capacity(capacity));
        }
        self.chunks.back_mut().expect("one was added if there was none")
    }

    /// Moves up to `len_bytes` to `out`.
    fn take_some(&mut self, len_bytes: usize, out: &mut Vec<u8>) {
        let mut left = len_bytes;
        while let Some(chunk) = self.chunks.front() {
            let rest = &chunk[self.taken_len_bytes..];
            let some = &rest[..rest.len().min(left)];
            out.extend_from_slice(some);
            left -= some.len();
            self.len_bytes -= some.len();
            if some.len() < rest.len() {
                self.taken_len_bytes += some.len();
                return;
            }
            self.taken_len_bytes = 0;
            self.chunks.pop_front();
        }
    }
}

/// A queue of bytes for each table that has any.
#[derive(Debug)]
pub(super) struct Ahead {
    queues: BTreeMap<u16, Queue>,
    len_bytes: usize,
    held_max_len_bytes: usize,
    /// The queue that is being handed out: it may be in the middle of an entry, so it comes first until it is empty.
    begun: Option<u16>,
}

impl Ahead {
    pub(super) fn new(max_len_bytes: usize) -> Ahead {
        let held_max_len_bytes = (max_len_bytes / 2).min(HELD_MAX_LEN_BYTES);
        Ahead { queues: BTreeMap::new(), len_bytes: 0, held_max_len_bytes, begun: None }
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Adds an entry of the table `part`.
    pub(super) fn put(
        &mut self,
        part: u16,
        key: &[u8],
        value: ValueRef<'_>,
        facts: &KeyFacts,
        encode: EncodeOptions,
    ) {
        let queue = self.queues.entry(part).or_default();
        let chunk = queue.last_chunk();
        let before_bytes = chunk.len();
        put_entry(chunk, key, value, facts, encode);
        let len_bytes = chunk.len() - before_bytes;
        queue.len_bytes += len_bytes;
        self.len_bytes += len_bytes;
    }

    /// Adds the rest of an entry of `part` that the stream has begun. Nothing may be begun here.
    pub(super) fn put_rest_first(&mut self, part: u16, rest: Vec<u8>) {
        debug_assert_eq!(self.begun, None);
        let queue = self.queues.entry(part).or_default();
        queue.len_bytes += rest.len();
        self.len_bytes += rest.len();
        queue.chunks.push_front(rest);
        self.begun = Some(part);
    }

    /// The table whose entries are to be handed out now, while `current` is walked. Nothing else may come before they
    /// are.
    pub(super) fn due(&self, current: u16) -> Option<u16> {
        if self.begun.is_some() || self.queues.contains_key(&current) {
            return self.begun.or(Some(current));
        }
        if self.len_bytes <= self.held_max_len_bytes {
            return None;
        }
        self.queues.iter().max_by_key(|(_, queue)| queue.len_bytes).map(|(part, _)| *part)
    }

    /// Moves up to `len_bytes` of the entries of `part` to `out`.
    pub(super) fn take_some(&mut self, part: u16, len_bytes: usize, out: &mut Vec<u8>) {
        let Some(queue) = self.queues.get_mut(&part) else { return };
        let before_bytes = queue.len_bytes;
        queue.take_some(len_bytes, out);
        self.len_bytes -= before_bytes - queue.len_bytes;
        self.begun = Some(part);
        if queue.chunks.is_empty() {
            self.queues.remove(&part);
            self.begun = None;
        }
    }
}
