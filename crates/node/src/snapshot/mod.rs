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
mod set;
pub mod status;
mod tidy;
mod transfer;

pub use commands::Ended;
pub(crate) use commands::{Awaited, Saver};
pub(crate) use coordinator::Coordinator;
pub use status::{Persistence, Purpose};

use crate::clock::Clock;
use crate::core::Core;
use crate::disk::{Operation, Output};
use crate::mesh::{Note, Traffic};
use cut::Drain;
use part::Part;
use reload::{ReloadOrder, Reloader};
use std::io;
use std::sync::Arc;
use tessera_command::host::Reload;
use tessera_keyspace::snapshot::SnapshotLayout;
use transfer::{Published, Transfers};

/// What a parameter for the delay of each key comes to, in nanoseconds: so many microseconds, or, below zero, a microsecond for
/// so many keys.
pub(crate) fn key_delay_ns(delay_us: i32) -> u64 {
    let magnitude = u64::from(delay_us.unsigned_abs());
    if delay_us < 0 { 1000 / magnitude } else { 1000 * magnitude }
}

/// What each node does at the cut.
#[derive(Debug)]
pub struct CutOrder {
    pub(crate) attempt: u64,
    /// The number of the set of files.
    pub(crate) epoch: u64,
    /// The cut, in Unix milliseconds.
    pub(crate) cut_at_unix_ms: i64,
    /// The file of each shard.
    pub(crate) paths: Vec<Arc<str>>,
    pub(crate) compress: bool,
    /// Each file ends with its checksum.
    pub(crate) checksum: bool,
    pub(crate) ahead_max_len_bytes: usize,
    /// What all shards together may write, in bytes per second; 0 for no bound.
    pub(crate) rate_limit_bytes_per_s: u64,
    /// How long each key takes, however fast it is, in nanoseconds. For tests.
    pub(crate) key_delay_ns: u64,
    /// Clients stay held: the server is to end with it, or to load it again.
    pub(crate) keeps_holding: bool,
}

/// A shard's file, written and on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenPart {
    /// Its length, in bytes.
    pub(crate) len_bytes: u64,
    /// The checksum of all its bytes but the last eight.
    pub(crate) checksum: u64,
    /// Where its body begins, behind the header.
    pub(crate) body_offset_bytes: u64,
    /// How long its body is.
    pub(crate) body_len_bytes: u64,
    /// Keys in it.
    pub(crate) keys: u64,
    /// The version of RDB that it needs.
    pub(crate) rdb_version: u32,
    /// Where its body has which database.
    pub(crate) layout: Arc<SnapshotLayout>,
    /// What the shard had counted of changes at the cut.
    pub(crate) changes: u64,
}

/// What nodes tell each other about a snapshot.
#[derive(Debug)]
pub enum SnapshotNote {
    /// Node 0: hold your clients, and report when nothing is under way; or report again.
    Drain {
        /// Grows with each.
        attempt: u64,
        /// How often that was asked.
        round: u32,
    },
    /// To node 0: nothing is under way here.
    Report {
        /// In which attempt.
        attempt: u64,
        /// The last round heard of.
        round: u32,
        /// What was sent and done.
        traffic: Traffic,
    },
    /// Node 0: it took too long; let your clients go.
    GiveUp {
        /// Which attempt.
        attempt: u64,
    },
    /// This is the cut.
    Cut(Arc<CutOrder>),
    /// Node 0: the snapshot has failed or is not wanted any more.
    Abort {
        /// Which.
        epoch: u64,
    },
    /// To node 0: my shard's file is written, or is not and never will be. Nothing of it is under way.
    Part {
        /// Of which snapshot.
        epoch: u64,
        /// What was written, or what went wrong.
        outcome: Result<WrittenPart, String>,
    },
    /// To node 0: all keys are removed, and a client waits for a snapshot without them.
    Removed,
    /// To node 0: one of my clients wants all keys to be loaded again.
    Reload {
        /// Of what my clients have asked for.
        number: u64,
        /// What it wants.
        reload: Reload,
    },
    /// Node 0, or a peer that has heard from it: load this again.
    LoadAgain(Arc<ReloadOrder>),
    /// Node 0: all nodes have done so, or it is not to be.
    Reloaded {
        /// The node of the client that has asked for it.
        home: usize,
        /// Which of those that its clients have asked for.
        number: u64,
        /// The answer.
        reply: &'static [u8],
    },
    /// Node 0: a snapshot has ended, and the server has not.
    Ended {
        /// How.
        ended: Ended,
        /// What there is to send to clients that want it.
        published: Option<Arc<Published>>,
    },
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
    pub(crate) reloads_asked: u64,
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
            && !self.server.shared.persistence.is_asked()
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
            SnapshotNote::Reload { number, reload } => self.take_asked_reload(peer, number, reload),
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
            self.mesh.note(0, Note::Snapshot(Box::new(note)));
        }
    }

    /// Tells all nodes, this one last.
    fn tell_all(&mut self, note: impl Fn() -> SnapshotNote) {
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.note(peer, Note::Snapshot(Box::new(note())));
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
