//! Long replies, made a piece at a time from a value that other commands may want to change meanwhile.
//!
//! As long as nobody changes the value, only a place in it is remembered. A value that is removed or replaced while
//! somebody is in the middle of it is [`kept`] until the last has read it. One that is to change where it is becomes
//! two: a copy, which is changed, and the original for all that are in the middle of it. A large one is copied a piece
//! at a time ([`keeping`]), for which whoever wants to change it had better wait ([`Shard::must_wait_for_readers`]). So
//! a reply shows the value as it was when the command ran.
//!
//! What the replies still lack may be little beside the value: then that is made, instead of keeping the value.

mod copying;
mod keeping;
pub(crate) mod kept;

#[cfg(test)]
pub(crate) mod string_tests;
#[cfg(test)]
pub(crate) mod tests;

use crate::shard::Shard;
use crate::table::OwnedEntry;
use keeping::Job;
use std::collections::VecDeque;
use tessera_values::ValueRef;

/// What a reply takes besides each element, in bytes: its length, and the ends of lines.
const FRAME_LEN_BYTES: usize = 8;

/// What is left to write of a reply, as a place in a value. The place stays good as long as the elements are the same,
/// however the value keeps them.
pub trait Stream: Send + std::fmt::Debug {
    /// Appends the next piece of the reply, about `len_bytes` long and longer than nothing. False if that was the last.
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool;

    /// How many elements are still to be written; of a string, how many bytes.
    fn left_len(&self) -> usize;
}

/// What [`Shard::stream_some`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum StreamProgress {
    /// There is more to come.
    More,
    /// That was all. The stream is closed.
    Done,
    /// The reply cannot be made whole, whatever was written of it, because there is no such stream, or a fault in the
    /// engine took the value away. The stream is closed.
    Lost,
}

/// The rest of a reply takes memory now that a value would not, or counts from the beginning: see
/// [`Shard::take_unsent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsentReply {
    /// The stream's number.
    pub stream: u64,
    /// About how much of the reply is left, in bytes.
    pub len_bytes: usize,
}

#[derive(Debug)]
enum Source {
    /// What this key holds.
    Key { db: u16, key: Box<[u8]> },
    /// A value that is kept.
    Kept(u64),
    /// All has been made.
    Nothing,
}

#[derive(Debug)]
struct Open {
    id: u64,
    stream: Box<dyn Stream>,
    source: Source,
    /// Pieces that were made and have not been handed out.
    made: VecDeque<Vec<u8>>,
}

impl Open {
    fn is_of_key(&self, db: u16, key: &[u8]) -> bool {
        matches!(&self.source, Source::Key { db: own_db, key: own_key } if *own_db == db && **own_key == *key)
    }

    fn is_of_kept(&self, id: u64) -> bool {
        matches!(self.source, Source::Kept(kept) if kept == id)
    }

    /// Length of the pieces that were made and have not been handed out.
    fn made_len_bytes(&self) -> usize {
        self.made.iter().map(Vec::len).sum()
    }

    /// About how much is left to be made, in bytes, of a value that takes `value_bytes` bytes.
    fn unsent_len_bytes(&self, value: ValueRef<'_>, value_bytes: usize) -> usize {
        if matches!(value, ValueRef::String(_)) {
            return self.stream.left_len();
        }
        let (left, all) = (self.stream.left_len() as u128, value.elements_len().max(1) as u128);
        let content = value_bytes as u128 * left / all;
        usize::try_from(content + left * FRAME_LEN_BYTES as u128).unwrap_or(usize::MAX)
    }
}

/// The open streams of a shard.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    last_id: u64,
    open: Vec<Open>,
    /// How many of them are about what a key holds.
    of_keys: usize,
    jobs: VecDeque<Job>,
    /// A job has ended since that was last asked.
    has_ended: bool,
    /// Length of all pieces that were made and have not been handed out.
    made_len_bytes: usize,
    unsent: Vec<UnsentReply>,
    /// What the write that just ran has begun.
    pub(crate) begun: Option<u64>,
    /// Memory of the largest value that was copied in one go.
    copied_at_once_max_bytes: usize,
}

impl Streams {
    /// Some are about what keys hold.
    #[inline]
    pub(crate) fn are_of_keys(&self) -> bool {
        self.of_keys > 0
    }

    /// A value is being copied, so that it must stay where it is.
    pub(crate) fn is_copying(&self) -> bool {
        self.jobs.iter().any(Job::is_copy)
    }

    fn recount(&mut self) {
        self.of_keys = self.open.iter().filter(|open| matches!(open.source, Source::Key { .. })).count();
    }

    fn readers_of_key(&self, db: u16, key: &[u8]) -> usize {
        self.open.iter().filter(|open| open.is_of_key(db, key)).count()
    }

    /// The keys of a database that streams are about, once for each.
    pub(crate) fn keys_of_database(&self, db: u16) -> Vec<Box<[u8]>> {
        let key_of = |open: &Open| match &open.source {
            Source::Key { db: own_db, key } if *own_db == db => Some(key.clone()),
            _ => None,
        };
        self.open.iter().filter_map(key_of).collect()
    }

    /// Two databases have changed places.
    pub(crate) fn swap(&mut self, first: u16, second: u16) {
        let swapped = |db: &mut u16| {
            if *db == first {
                *db = second;
            } else if *db == second {
                *db = first;
            }
        };
        for open in &mut self.open {
            if let Source::Key { db, .. } = &mut open.source {
                swapped(db);
            }
        }
        self.jobs.iter_mut().filter_map(Job::db_mut).for_each(swapped);
    }

    /// Those about a key go on from a value that is kept.
    fn go_over(&mut self, db: u16, key: &[u8], kept: u64, value: ValueRef<'_>, value_bytes: usize) {
        for open in self.open.iter_mut().filter(|open| open.is_of_key(db, key)) {
            open.source = Source::Kept(kept);
            let len_bytes = open.unsent_len_bytes(value, value_bytes) + open.made_len_bytes();
            self.unsent.push(UnsentReply { stream: open.id, len_bytes });
        }
        self.recount();
    }
}

impl Shard {
    /// Begins to stream a reply about the value of `key`, which must be there. Returns the stream's number.
    ///
    /// What a reply that is a string lacks counts as unsent from the beginning: its length is known, and who asks for
    /// more than a client may leave unread should not be let get away with it because the value happens to be left in
    /// peace.
    pub fn open_stream(&mut self, db: u16, key: &[u8], stream: Box<dyn Stream>) -> u64 {
        self.streams.last_id += 1;
        let id = self.streams.last_id;
        let entry = self.databases[db as usize].table().get(key);
        if entry.is_some_and(|entry| matches!(entry.value(), ValueRef::String(_))) {
            self.streams.unsent.push(UnsentReply { stream: id, len_bytes: stream.left_len() });
        }
        let source = Source::Key { db, key: key.into() };
        self.streams.open.push(Open { id, stream, source, made: VecDeque::new() });
        self.streams.recount();
        id
    }

    /// The stream that the write that just ran has left its reply to: see [`crate::ViewMut::stream`].
    #[inline]
    pub fn take_begun_stream(&mut self) -> Option<u64> {
        // One word to look at, mostly.
        if self.streams.open.is_empty() { None } else { self.streams.begun.take() }
    }

    /// Appends the next piece of a streamed reply, about `len_bytes` long.
    pub fn stream_some(&mut self, id: u64, len_bytes: usize, out: &mut Vec<u8>) -> StreamProgress {
        let Some(index) = self.streams.open.iter().position(|open| open.id == id) else {
            return StreamProgress::Lost;
        };
        let open = &mut self.streams.open[index];
        let start = out.len();
        let progress = if let Some(piece) = open.made.pop_front() {
            self.streams.made_len_bytes -= piece.len();
            out.extend_from_slice(&piece);
            let is_all = open.made.is_empty() && matches!(open.source, Source::Nothing);
            if is_all { StreamProgress::Done } else { StreamProgress::More }
        } else {
            let value = match &open.source {
                Source::Key { db, key } => {
                    self.databases[*db as usize].table().get(key).map(|entry| entry.value())
                }
                Source::Kept(kept) => self.kept.get(*kept),
                Source::Nothing => None,
            };
            match value {
                Some(value) if open.stream.write_some(value, len_bytes, out) => StreamProgress::More,
                // As many elements must come as were announced.
                Some(_) if open.stream.left_len() == 0 => StreamProgress::Done,
                _ => StreamProgress::Lost,
            }
        };
        // Of what has not been told yet.
        if let Some(unsent) = self.streams.unsent.iter_mut().find(|unsent| unsent.stream == id) {
            unsent.len_bytes = unsent.len_bytes.saturating_sub(out.len() - start);
        }
        debug_assert!(progress != StreamProgress::Lost, "what a stream is about was not kept for it");
        if progress != StreamProgress::More {
            self.close_stream(id);
        } else if let Source::Kept(kept) = self.streams.open[index].source {
            self.weigh(kept);
        }
        progress
    }

    /// Nobody wants the rest of a streamed reply.
    pub fn close_stream(&mut self, id: u64) {
        let Some(index) = self.streams.open.iter().position(|open| open.id == id) else { return };
        let open = self.streams.open.swap_remove(index);
        self.streams.made_len_bytes -= open.made_len_bytes();
        self.streams.recount();
        match open.source {
            Source::Key { db, key } => {
                if self.streams.readers_of_key(db, &key) == 0 {
                    self.end_jobs_of_key(db, &key);
                }
            }
            Source::Kept(kept) => self.release_kept(kept),
            Source::Nothing => {}
        }
    }

    /// What streams owe that has come to take memory since this was last asked, or that is a string: about the length
    /// of the rest of each, in bytes. From then on it is less and less.
    pub fn take_unsent(&mut self) -> Vec<UnsentReply> {
        std::mem::take(&mut self.streams.unsent)
    }

    /// Memory that is held for streams besides what keys hold, in bytes.
    pub fn kept_bytes(&self) -> usize {
        self.kept.bytes() + self.streams.made_len_bytes
    }

    /// Some stream is open.
    pub fn has_streams(&self) -> bool {
        !self.streams.open.is_empty()
    }

    /// Streams are about what keys hold: writes had better ask [`Shard::must_wait_for_readers`].
    #[inline]
    pub fn has_readers(&self) -> bool {
        self.streams.are_of_keys()
    }

    /// The largest value that was copied in one go for those who read it, in bytes: whoever changed it had better have
    /// waited, see [`Shard::must_wait_for_readers`], if that is much.
    pub fn copied_at_once_max_bytes(&self) -> usize {
        self.streams.copied_at_once_max_bytes
    }

    /// The value of `key` is about to change where it is: who is in the middle of it gets a copy, made at once.
    #[cold]
    pub(crate) fn copy_for_readers(&mut self, db: u16, key: &[u8]) {
        let readers = self.streams.readers_of_key(db, key);
        if readers == 0 {
            return;
        }
        self.end_jobs_of_key(db, key);
        let Some(entry) = self.databases[db as usize].table().get(key) else { return };
        let most_bytes = &mut self.streams.copied_at_once_max_bytes;
        *most_bytes = entry.allocated_bytes().max(*most_bytes);
        let value = entry.value().to_value();
        self.keep_for_readers(db, key, value, readers, false);
    }

    /// Keeps a value that was taken out of its table for all that are in the middle of it, and `also` the snapshot.
    fn keep_for_readers(
        &mut self,
        db: u16,
        key: &[u8],
        value: tessera_values::Value,
        readers: usize,
        also: bool,
    ) -> u64 {
        let value_bytes = value.allocated_bytes();
        let kept = self.kept.keep(value, readers + usize::from(also));
        if let Some(value) = self.kept.get(kept) {
            self.streams.go_over(db, key, kept, value, value_bytes);
        }
        self.weigh(kept);
        kept
    }

    /// An entry was taken out of its table: keeps its value if anybody is in the middle of it, or else buries it;
    /// `later`: a large one is freed later. True if its memory is not free yet.
    #[inline]
    pub(crate) fn dispose(&mut self, db: u16, entry: OwnedEntry, later: bool) -> bool {
        if self.streams.are_of_keys() | self.snapshot.is_some() {
            self.dispose_watched(db, entry, later)
        } else {
            self.graveyard.bury(entry, later)
        }
    }

    #[cold]
    fn dispose_watched(&mut self, db: u16, mut entry: OwnedEntry, later: bool) -> bool {
        let key: Box<[u8]> = entry.as_entry().key().into();
        let readers = self.streams.readers_of_key(db, &key);
        let is_in_pieces = self.is_in_pieces(db, &key);
        if readers == 0 && !is_in_pieces {
            return self.graveyard.bury(entry, later);
        }
        self.end_jobs_of_key(db, &key);
        let kept = self.keep_for_readers(db, &key, entry.take_value(), readers, is_in_pieces);
        if is_in_pieces && let Some(writer) = &mut self.snapshot {
            writer.adopt(kept);
        }
        true
    }
}
