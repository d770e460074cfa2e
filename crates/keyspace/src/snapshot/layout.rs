//! Where a snapshot's body has which database.

use tessera_storage::rdb::put_database;

/// So many runs are remembered.
const MAX_RUNS: usize = 16 * 1024;

/// How many keys a database had at the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseSizes {
    /// Its number.
    pub db: u16,
    /// Its keys.
    pub keys: u64,
    /// Of these, keys that expire.
    pub volatile: u64,
}

/// Entries of one database, one after the other, without the choice of that before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The database.
    pub db: u16,
    /// Where in the body they begin.
    pub starts_at_bytes: u64,
    /// Where they end.
    pub ends_at_bytes: u64,
}

/// Where a snapshot's body has which database. As a rule each has one run, and they ascend. A database has more if much
/// of it changed before its turn came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotLayout {
    /// The databases that had keys at the cut. Of one whose keys' time was over there may be no run.
    pub databases: Vec<DatabaseSizes>,
    /// How many keys are in it: those of the databases, but for keys whose time was over when they were come to.
    pub entries: u64,
    /// All of the body, in its order.
    pub runs: Vec<Run>,
    /// False: there were too many runs to remember them, and there are none here.
    pub is_complete: bool,
}

/// How far the stream is.
#[derive(Debug)]
pub(super) struct Stream {
    /// The part whose database is current where it ends.
    part: Option<u16>,
    /// Added to the length of what is appended to, this is the length of the stream, in bytes, modulo 2^64.
    origin_bytes: u64,
    layout: SnapshotLayout,
}

impl Stream {
    pub(super) fn new(databases: Vec<DatabaseSizes>) -> Stream {
        let layout = SnapshotLayout { databases, entries: 0, runs: Vec::new(), is_complete: true };
        Stream { part: None, origin_bytes: 0, layout }
    }

    /// A key is saved.
    pub(super) fn count_entry(&mut self) {
        self.layout.entries += 1;
    }

    /// What comes is appended to `out`.
    pub(super) fn begin_slice(&mut self, out: &[u8]) {
        self.origin_bytes = self.origin_bytes.wrapping_sub(out.len() as u64);
    }

    /// So much was appended.
    pub(super) fn end_slice(&mut self, out: &[u8]) {
        self.origin_bytes = self.origin_bytes.wrapping_add(out.len() as u64);
    }

    fn at_bytes(&self, out: &[u8]) -> u64 {
        self.origin_bytes.wrapping_add(out.len() as u64)
    }

    /// What is appended next is of `part`, which is database `db`: chooses that, if another is current. `sizes` are
    /// told if they were not yet.
    pub(super) fn choose(&mut self, part: u16, db: u16, sizes: &mut Option<(u64, u64)>, out: &mut Vec<u8>) {
        if self.part == Some(part) {
            return;
        }
        self.end_run(self.at_bytes(out));
        put_database(out, db, sizes.take());
        self.part = Some(part);
        let at_bytes = self.at_bytes(out);
        if self.layout.runs.len() == MAX_RUNS {
            self.layout.is_complete = false;
            self.layout.runs = Vec::new();
        }
        if self.layout.is_complete {
            self.layout.runs.push(Run { db, starts_at_bytes: at_bytes, ends_at_bytes: at_bytes });
        }
    }

    fn end_run(&mut self, at_bytes: u64) {
        if let Some(last) = self.layout.runs.last_mut() {
            last.ends_at_bytes = at_bytes;
        }
    }

    /// What it has where, between two slices. It has come to its end.
    pub(super) fn into_layout(mut self) -> SnapshotLayout {
        self.end_run(self.origin_bytes);
        self.layout
    }
}
