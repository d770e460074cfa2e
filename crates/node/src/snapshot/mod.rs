//! Snapshots: at one cut over all shards every node begins to write its shard to a file of its own, and goes on
//! serving its clients.
//!
//! * [`cut`]: how all nodes agree on the moment.
//! * [`file`]: a file that is written from its beginning to its end.
//! * [`part`]: one shard's file, made a piece at a time.
//! * [`coordinator`]: node 0, which has all of this happen; [`set`] are the files as a whole: manifest and merging, [`tidy`] their
//!   removal.
//! * [`merge`]: in which order parts of several files make one.
//! * [`transfer`]: clients that are sent a snapshot.
//! * [`status`]: what is asked for, and what is told of it.
//! * [`commands`]: SAVE, SHUTDOWN and what else clients and signals ask for; [`reload`] DEBUG RELOAD.

mod commands;
mod coordinator;
mod cut;
mod file;
mod merge;
pub(crate) mod names;
mod part;
mod reload;
pub(crate) mod set;
pub mod status;
mod tidy;
mod transfer;

pub(crate) use commands::{Awaited, Saver};
pub(crate) use coordinator::Coordinator;
pub use status::{Persistence, Purpose};

use crate::clock::Clock;
use crate::core::Core;
use crate::disk::{Operation, Output};
use crate::notes::snapshot::SnapshotNote;
use cut::Drain;
use part::Part;
use reload::Reloader;
use std::io;
use transfer::Transfers;

/// What a parameter for the delay of each key comes to, in nanoseconds: so many microseconds, or, below zero, a microsecond for
/// so many keys.
pub(crate) fn key_delay_ns(delay_us: i32) -> u64 {
    let magnitude = u64::from(delay_us.unsigned_abs());
    if delay_us < 0 { 1000 / magnitude } else { 1000 * magnitude }
}

/// What was asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotStep {
    /// For this node's own file.
    Part(file::FileStep),
    /// For the files as a whole.
    Set(set::SetStep),
}

/// One node's part in snapshots.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) drain: Drain,
    pub(crate) part: Option<Box<Part>>,
    /// Connections that wait for the end of a snapshot.
    pub(crate) savers: Vec<Saver>,
    /// Connections that wait for keys to be loaded again.
    pub(crate) reloaders: Vec<Reloader>,
    /// How often this node's clients have asked for that, and how often it was begun.
    pub(crate) reloads_requested: u64,
    pub(crate) reloads_begun: u64,
    /// Snapshots that clients are sent, or wait for.
    pub(crate) transfers: Transfers,
    /// What was asked of the disk, by the number that its outcome comes under.
    asked: Vec<(u64, SnapshotStep)>,
    /// Only on node 0.
    pub(crate) coordinator: Option<Box<Coordinator>>,
    /// Writes are refused because the last snapshot failed.
    pub(crate) denies_writes: bool,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A turn's share of what is to be done about snapshots.
    pub(crate) fn keep_snapshot(&mut self) {
        self.follow_failures();
        self.take_outcomes();
        if self.server.me == 0 {
            self.coordinate();
        }
        // With what other nodes say of it, twice is enough for a server of one node.
        for _ in 0..2 {
            self.report_if_drained();
        }
        if self.snapshot.part.is_some() {
            self.write_part();
        }
        if !self.snapshot.transfers.is_empty() {
            self.keep_transfers();
        }
    }

    /// Whether writes are refused, as the last snapshot has it.
    fn follow_failures(&mut self) {
        self.snapshot.denies_writes = self.server.shared.persistence.has_failed()
            && self.server.config.stop_writes_on_bgsave_error
            && !self.server.config.save.points.is_empty();
    }

    /// The node must not sleep: there is something to write, or to report.
    pub(crate) fn has_snapshot_work(&self) -> bool {
        self.snapshot.part.as_ref().is_some_and(|part| part.has_work(self.time.now_ns)) || self.owes_report()
    }

    /// Nothing of a snapshot is under way here.
    pub(crate) fn is_snapshot_quiet(&self) -> bool {
        let snapshot = &self.snapshot;
        snapshot.part.is_none()
            && !snapshot.drain.is_holding
            && self.owner.aside.is_empty()
            && snapshot.transfers.is_empty()
            && snapshot.coordinator.as_ref().is_none_or(|coordinator| coordinator.is_idle())
            && !self.server.shared.persistence.has_request()
    }

    /// When the node has to look after its part again at the latest, in monotonic nanoseconds.
    pub(crate) fn next_look_at_snapshot_ns(&self) -> Option<u64> {
        self.snapshot.part.as_ref().and_then(|part| part.resumes_at_ns())
    }

    pub(crate) fn take_snapshot_note(&mut self, peer: usize, note: SnapshotNote) {
        match note {
            SnapshotNote::Drain { attempt, round } => self.take_drain(attempt, round),
            SnapshotNote::Report { attempt, round, traffic } => {
                self.take_report(peer, attempt, round, traffic);
            }
            SnapshotNote::GiveUp { attempt } => self.give_up_drain(attempt),
            SnapshotNote::Cut(order) => self.take_cut(&order),
            SnapshotNote::Abort { epoch } => self.abort_part(epoch),
            SnapshotNote::Part { epoch, outcome } => self.take_part(peer, epoch, outcome),
            SnapshotNote::Removed => self.take_removed(),
            SnapshotNote::Reload { number, reload } => self.take_reload_request(peer, number, reload),
            SnapshotNote::LoadAgain(order) => self.take_reload_order(&order),
            SnapshotNote::Reloaded { home, number, reply } => self.take_reloaded(home, number, reply),
            SnapshotNote::Ended { ended, published } => {
                self.take_ended(ended);
                if ended.purpose == Purpose::Transfer {
                    self.begin_transfers(published.as_ref());
                }
            }
        }
    }

    /// Tells node 0, which may be this one.
    fn tell_coordinator(&mut self, note: SnapshotNote) {
        if self.server.me == 0 {
            self.take_snapshot_note(0, note);
        } else {
            self.mesh.note(0, note);
        }
    }

    /// Tells all nodes, this one last.
    fn tell_all(&mut self, note: impl Fn() -> SnapshotNote) {
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.note(peer, note());
        }
        self.take_snapshot_note(self.server.me, note());
    }

    /// Takes in what the disk has done.
    fn take_outcomes(&mut self) {
        let mut at = 0;
        while let Some((tag, asked)) = self.snapshot.asked.get(at).copied() {
            match self.disk.take(tag) {
                None => at += 1,
                Some(result) => {
                    self.snapshot.asked.remove(at);
                    self.take_outcome(asked, result);
                }
            }
        }
    }

    fn take_outcome(&mut self, asked: SnapshotStep, result: io::Result<Output>) {
        match asked {
            SnapshotStep::Part(asked) => {
                if let Some(part) = &mut self.snapshot.part {
                    part.file.complete(asked, result);
                }
            }
            SnapshotStep::Set(asked) => {
                if let Some(coordinator) = &mut self.snapshot.coordinator {
                    coordinator.complete(asked, result);
                }
            }
        }
    }

    fn ask_disk_for_snapshot(&mut self, asked: SnapshotStep, operation: Operation) {
        let tag = self.disk.submit(operation);
        self.snapshot.asked.push((tag, asked));
    }
}
