//! The snapshot under way: what is written when.

use super::ahead::Ahead;
use super::layout::{DatabaseSizes, SnapshotLayout, Stream};
use super::{FactsSource, SnapshotKeys, SnapshotOptions, SnapshotProgress};
use crate::change::{Database, Upkeep};
use crate::graveyard::Graveyard;
use crate::shard::Shard;
use crate::table::{Entry, Table, Walked};
use std::collections::VecDeque;
use tessera_storage::rdb::{EntryEncoder, put_entry};

/// Looking at a bucket takes as long as encoding so many bytes.
const BUCKET_LEN_BYTES: usize = 32;
/// Keys that are remembered to be saved next. Who wants another asks again.
const URGENT_MAX_KEYS: usize = 64;

/// A table that is walked.
#[derive(Debug)]
struct Part {
    /// The database's number at the cut.
    db: u16,
    place: Place,
    /// Keys at the cut, and how many of them had an expiry, as long as that is not written.
    sizes: Option<(u64, u64)>,
}

#[derive(Debug)]
enum Place {
    /// It is the table of this database.
    Database(u16),
    /// The database was flushed since the cut.
    Detached(Box<Table>),
    /// It has been walked.
    Walked,
}

/// A large value that the stream is in the middle of.
#[derive(Debug)]
struct Pieces {
    part: u16,
    key: Box<[u8]>,
    encoder: EntryEncoder,
    /// What it is kept as, if it is not in its table any more.
    adopted: Option<u64>,
}

impl Pieces {
    fn is_of(&self, part: u16, key: &[u8]) -> bool {
        self.part == part && *self.key == *key && self.adopted.is_none()
    }
}

/// See [`super`]. Only one large value is in pieces at a time. As long as one is, nothing is taken from `ahead`; as
/// long as anything is due there, the walk rests.
#[derive(Debug)]
pub(crate) struct Writer {
    options: SnapshotOptions,
    parts: Vec<Part>,
    /// The part that is walked.
    current: usize,
    stream: Stream,
    ahead: Ahead,
    pieces: Option<Pieces>,
    urgent: VecDeque<(u16, Box<[u8]>)>,
    keys: SnapshotKeys,
    /// What was being written has gone. That is a fault in the engine, and what was written is no snapshot.
    is_lost: bool,
}

impl Writer {
    /// Begins to walk all databases.
    pub(super) fn new(options: SnapshotOptions, databases: &mut [Database]) -> Writer {
        let (mut parts, mut sizes_at_cut) = (Vec::new(), Vec::new());
        let filled = databases.iter_mut().enumerate().filter(|(_, database)| !database.is_empty());
        for (db, database) in filled {
            database.snapshot_part = Some(parts.len() as u16);
            database.upkeep().begin_walk();
            let (db, keys, volatile) = (db as u16, database.len() as u64, database.volatile_len() as u64);
            parts.push(Part { db, place: Place::Database(db), sizes: Some((keys, volatile)) });
            sizes_at_cut.push(DatabaseSizes { db, keys, volatile });
        }
        let keys = SnapshotKeys { total: sizes_at_cut.iter().map(|sizes| sizes.keys).sum(), done: 0 };
        Writer {
            options,
            parts,
            current: 0,
            stream: Stream::new(sizes_at_cut),
            ahead: Ahead::new(options.ahead_max_len_bytes),
            pieces: None,
            urgent: VecDeque::new(),
            keys,
            is_lost: false,
        }
    }

    /// What the stream, which has come to its end, has where.
    pub(super) fn into_layout(self) -> SnapshotLayout {
        self.stream.into_layout()
    }

    /// What is appended next is of `part`.
    fn choose(&mut self, part: u16, out: &mut Vec<u8>) {
        let Part { db, sizes, .. } = &mut self.parts[part as usize];
        self.stream.choose(part, *db, sizes, out);
    }

    pub(super) fn keys(&self) -> SnapshotKeys {
        self.keys
    }

    pub(super) fn ahead_len_bytes(&self) -> usize {
        self.ahead.len_bytes()
    }

    fn is_large(options: &SnapshotOptions, entry: Entry<'_>, now_ms: i64) -> bool {
        entry.allocated_bytes() > options.piece_len_bytes && !entry.is_expired(now_ms)
    }

    /// Appends about `len_bytes`.
    pub(super) fn write_some(
        &mut self,
        shard: &mut Shard,
        len_bytes: usize,
        out: &mut Vec<u8>,
    ) -> SnapshotProgress {
        self.stream.begin_slice(out);
        let is_under_way = self.write_slice(shard, len_bytes, out);
        self.stream.end_slice(out);
        match is_under_way {
            _ if self.is_lost => SnapshotProgress::Lost,
            true => SnapshotProgress::More,
            false => SnapshotProgress::Done,
        }
    }

    /// False if that was all.
    fn write_slice(&mut self, shard: &mut Shard, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let mut left_bytes = len_bytes.max(1);
        let mut buckets = len_bytes / BUCKET_LEN_BYTES + 1;
        while left_bytes > 0 && !self.is_lost {
            let before_bytes = out.len();
            if self.pieces.is_some() {
                // Compressed, it may come out shorter, but not sooner.
                let piece_bytes = left_bytes.min(self.options.piece_len_bytes.max(1));
                self.write_piece(shard, piece_bytes, out);
                left_bytes -= piece_bytes;
                continue;
            } else if let Some(part) = self.ahead.due(self.current as u16) {
                self.choose(part, out);
                let some_bytes = left_bytes.saturating_sub(out.len() - before_bytes).max(1);
                self.ahead.take_some(part, some_bytes, out);
            } else if let Some((part, key)) = self.urgent.pop_front() {
                self.begin_wanted(shard, part, key, out);
            } else if self.current == self.parts.len() {
                return false;
            } else if buckets == 0 {
                return true;
            } else {
                self.walk(shard, &mut buckets, &mut left_bytes, out);
                continue;
            }
            left_bytes = left_bytes.saturating_sub(out.len() - before_bytes);
        }
        true
    }

    /// Walks on through `buckets` buckets and `left_bytes` bytes of entries, which are subtracted.
    fn walk(&mut self, shard: &mut Shard, buckets: &mut usize, left_bytes: &mut usize, out: &mut Vec<u8>) {
        let (facts, options) = (shard.facts_source(), self.options);
        let (stream, current) = (&mut self.stream, self.current as u16);
        let Part { db, place, sizes } = &mut self.parts[self.current];
        let table = match place {
            Place::Database(db) => shard.databases[*db as usize].upkeep(),
            Place::Detached(table) => Upkeep::of(table),
            // Not met: a part that has been walked is not the current one any more.
            Place::Walked => {
                self.current += 1;
                return;
            }
        };
        let walked = table.walk_some(
            buckets,
            |entry| Self::is_large(&options, entry, facts.now_ms),
            |entry| {
                self.keys.done += 1;
                if !entry.is_expired(facts.now_ms) {
                    stream.choose(current, *db, sizes, out);
                    stream.count_entry();
                    let before_bytes = out.len();
                    put_entry(out, entry.key(), entry.value(), &facts.of(entry), options.encode);
                    // Compression takes its time also for what it leaves out.
                    let len_bytes = (out.len() - before_bytes).max(entry.allocated_bytes() / 2);
                    *left_bytes = left_bytes.saturating_sub(len_bytes);
                }
                *left_bytes > 0
            },
        );
        match walked {
            Walked::Some => {}
            Walked::Large(key) => {
                self.keys.done += 1;
                self.begin_pieces(shard, current, key, out);
            }
            Walked::End => {
                match std::mem::replace(place, Place::Walked) {
                    Place::Database(db) => shard.databases[db as usize].snapshot_part = None,
                    Place::Detached(table) => shard.graveyard.bury_table(*table),
                    Place::Walked => {}
                }
                self.current += 1;
            }
        }
    }

    fn table<'a>(&'a self, databases: &'a [Database], part: u16) -> Option<&'a Table> {
        match &self.parts[part as usize].place {
            Place::Database(db) => Some(databases[*db as usize].table()),
            Place::Detached(table) => Some(table),
            Place::Walked => None,
        }
    }

    /// Begins to write a value that somebody waits for, unless it was saved or has gone meanwhile.
    fn begin_wanted(&mut self, shard: &mut Shard, part: u16, key: Box<[u8]>, out: &mut Vec<u8>) {
        let now_ms = shard.now_ms();
        let table = match &mut self.parts[part as usize].place {
            Place::Database(db) => shard.databases[*db as usize].upkeep(),
            Place::Detached(table) => Upkeep::of(table),
            Place::Walked => return,
        };
        let mut is_ahead = false;
        table.visit_ahead(&key, |entry| {
            // If its time is over by now, the walk will see.
            is_ahead = !entry.is_expired(now_ms);
            is_ahead
        });
        if is_ahead {
            self.keys.done += 1;
            self.begin_pieces(shard, part, key, out);
        }
    }

    /// Begins to write the value of `key`, which the walk will not visit.
    fn begin_pieces(&mut self, shard: &Shard, part: u16, key: Box<[u8]>, out: &mut Vec<u8>) {
        let (facts, encode) = (shard.facts_source(), self.options.encode);
        self.choose(part, out);
        self.stream.count_entry();
        let Some(entry) = self.table(&shard.databases, part).and_then(|table| table.get(&key)) else {
            // Not met: whoever calls has just looked at the entry.
            self.is_lost = true;
            return;
        };
        let encoder = EntryEncoder::begin(out, &key, entry.value(), &facts.of(entry), encode);
        self.pieces = Some(Pieces { part, key, encoder, adopted: None });
    }

    /// Writes a piece of the value that the stream is in the middle of.
    fn write_piece(&mut self, shard: &mut Shard, len_bytes: usize, out: &mut Vec<u8>) {
        let Some(mut pieces) = self.pieces.take() else { return };
        let value = match pieces.adopted {
            Some(kept) => shard.kept.get(kept),
            None => {
                let table = self.table(&shard.databases, pieces.part);
                table.and_then(|table| table.get(&pieces.key)).map(|entry| entry.value())
            }
        };
        // A value that goes is kept, or encoded before. If a change has missed that, better no snapshot than no server.
        let Some(value) = value else {
            self.is_lost = true;
            return;
        };
        if pieces.encoder.write_some(value, len_bytes, out) {
            self.pieces = Some(pieces);
        } else if let Some(kept) = pieces.adopted {
            shard.release_kept(kept);
        }
    }

    pub(super) fn is_in_pieces(&self, database: &Database, key: &[u8]) -> bool {
        let pieces = self.pieces.as_ref().zip(database.snapshot_part);
        pieces.is_some_and(|(pieces, part)| pieces.is_of(part, key))
    }

    /// The stream is in the middle of some value.
    pub(crate) fn has_pieces(&self) -> bool {
        self.pieces.is_some()
    }

    /// The value of `key` is about to change. If the stream is in the middle of it, the rest is encoded.
    pub(super) fn finish_pieces(&mut self, database: &Database, key: &[u8]) {
        if self.is_in_pieces(database, key)
            && let Some(mut pieces) = self.pieces.take()
            && let Some(entry) = database.table().get(key)
        {
            let mut rest = Vec::new();
            while pieces.encoder.write_some(entry.value(), usize::MAX, &mut rest) {}
            self.ahead.put_rest_first(pieces.part, rest);
        }
    }

    /// The value that the stream is in the middle of was taken out of its table, and is kept.
    pub(crate) fn adopt(&mut self, kept: u64) {
        if let Some(pieces) = &mut self.pieces {
            pieces.adopted = Some(kept);
        }
    }

    /// What it is kept as, if it was.
    pub(super) fn adopted(&self) -> Option<u64> {
        self.pieces.as_ref().and_then(|pieces| pieces.adopted)
    }

    /// Something about `key` is about to change: encodes the entry if the walk has still to come to it.
    pub(super) fn save_ahead(&mut self, database: &mut Database, key: &[u8], facts: FactsSource) {
        let Some(part) = database.snapshot_part else { return };
        let encode = self.options.encode;
        database.upkeep().visit_ahead(key, |entry| {
            self.keys.done += 1;
            if !entry.is_expired(facts.now_ms) {
                self.stream.count_entry();
                self.ahead.put(part, key, entry.value(), &facts.of(entry), encode);
            }
            true
        });
    }

    /// See [`Shard::must_wait_for_snapshot`].
    pub(super) fn must_wait(&mut self, database: &mut Database, key: &[u8], now_ms: i64) -> bool {
        let Some(part) = database.snapshot_part else { return false };
        if self.is_in_pieces(database, key) {
            return true;
        }
        let is_full = self.ahead.len_bytes() >= self.options.ahead_max_len_bytes;
        let (mut is_large, mut must_wait) = (false, false);
        database.upkeep().visit_ahead(key, |entry| {
            is_large = Self::is_large(&self.options, entry, now_ms);
            must_wait = is_large || is_full && !entry.is_expired(now_ms);
            false
        });
        if is_large
            && self.urgent.len() < URGENT_MAX_KEYS
            && !self.urgent.iter().any(|(known_part, known)| *known_part == part && **known == *key)
        {
            self.urgent.push_back((part, key.into()));
        }
        must_wait
    }

    pub(super) fn swap(&mut self, first: u16, second: u16) {
        for part in &mut self.parts {
            if let Place::Database(db) = &mut part.place {
                if *db == first {
                    *db = second;
                } else if *db == second {
                    *db = first;
                }
            }
        }
    }

    /// Takes the table of a database that was flushed.
    pub(super) fn detach(&mut self, part: u16, table: Table) {
        self.parts[part as usize].place = Place::Detached(Box::new(table));
    }

    /// Ends the walks. Where marks are to be cleared: by database, from which position on.
    pub(super) fn abort(self, databases: &mut [Database], graveyard: &mut Graveyard) -> Vec<(u16, u64)> {
        let mut clearing = Vec::new();
        for part in self.parts {
            match part.place {
                Place::Database(db) => {
                    let database = &mut databases[db as usize];
                    database.snapshot_part = None;
                    clearing.push((db, database.upkeep().abort_walk()));
                }
                Place::Detached(table) => graveyard.bury_table(*table),
                Place::Walked => {}
            }
        }
        clearing
    }
}
