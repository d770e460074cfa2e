//! What node 0 knows of the snapshot under way, and of what is to follow.

use super::drain::Rounds;
use super::names::Place;
use super::reloader::ReloadRequest;
use super::status::Purpose;
use super::tidy::Remark;
use crate::disk_job::DiskJob;
use crate::notes::snapshot::{CutOrder, Published, WrittenPart};
use crate::system::DirectoryGuard;
use std::collections::VecDeque;
use std::sync::Arc;

/// How far a snapshot is.
#[derive(Debug)]
pub(super) enum Phase {
    /// It gets its number.
    Preparing,
    /// All nodes finish what is under way.
    Draining { attempt: u64, since_ns: u64, rounds: Rounds },
    /// That took too long: tried again at this time.
    Resting { until_ns: u64 },
    /// The shards write.
    Writing { written: Vec<Option<WrittenPart>>, left: usize },
    /// The set becomes the one that counts.
    Publishing,
    /// What is not needed any more is removed.
    Tidying,
}

/// What came of a job.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The snapshot has this number.
    Prepared(u64),
    /// What is to count counts.
    Published,
    /// What is not needed is removed, as far as that went; the log should tell this.
    Tidied(Vec<Remark>),
}

/// A snapshot under way.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) purpose: Purpose,
    pub(super) place: Place,
    /// Other servers are kept out of the directory, also if `dir` is changed meanwhile.
    pub(super) _guard: DirectoryGuard,
    pub(super) is_merged: bool,
    /// See [`CutOrder`]: what it was when the snapshot was asked for, as in Redis.
    pub(super) key_delay_ns: u64,
    pub(super) epoch: u64,
    pub(super) cut_at_unix_ms: i64,
    pub(super) began_ns: u64,
    pub(super) phase: Phase,
    /// What went wrong first.
    pub(super) failure: Option<String>,
    /// It is given up.
    pub(super) is_given_up: bool,
    pub(super) order: Option<Arc<CutOrder>>,
    /// What there is to send to clients that want it.
    pub(super) published: Option<Arc<Published>>,
    /// What its files come to.
    pub(super) len_bytes: u64,
    pub(super) keys: u64,
    pub(super) changes: u64,
}

/// Node 0's part in snapshots.
#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    pub(super) current: Option<Current>,
    pub(super) job: Option<DiskJob<Result<Outcome, String>>>,
    /// Requested and not begun.
    pub(super) requested: Option<Purpose>,
    pub(super) attempts: u64,
    pub(super) next_look_ns: u64,
    /// Keys are being loaded again, or will be after the snapshot under way.
    pub(super) reload: Option<ReloadRequest>,
    /// Requested and not begun.
    pub(super) reloads: VecDeque<ReloadRequest>,
}

impl Coordinator {
    /// Nothing is under way.
    pub(super) fn is_resting(&self) -> bool {
        self.current.is_none() && self.job.is_none() && self.reload.is_none()
    }

    /// Nothing is under way, or to be.
    pub(super) fn is_idle(&self) -> bool {
        self.is_resting() && self.reloads.is_empty()
    }

    /// A snapshot is requested and not begun.
    pub(super) fn has_request(&self) -> bool {
        self.requested.is_some()
    }

    /// Goes on with the job. What came of it if it has come to its end.
    pub(super) fn go_on(&mut self) -> Option<Result<Outcome, String>> {
        let outcome = self.job.as_mut()?.go_on()?;
        self.job = None;
        Some(outcome)
    }
}
