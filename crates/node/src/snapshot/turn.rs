//! What a node does for snapshots in each turn, and when another says something of them.

use super::status::Purpose;
use crate::clock::Clock;
use crate::core::Core;
use crate::notes::snapshot::SnapshotNote;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A turn's share of what is to be done about snapshots.
    pub(crate) fn keep_snapshot(&mut self) {
        self.follow_failures();
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
    pub(super) fn follow_failures(&mut self) {
        self.snapshot.denies_writes = self.server.shared.persistence.has_failed()
            && self.server.config.stop_writes_on_bgsave_error
            && !self.server.config.save.points.is_empty();
    }

    /// The node must not sleep: there is something to write, or to report.
    pub(crate) fn has_snapshot_work(&self) -> bool {
        self.snapshot.part.as_ref().is_some_and(|part| part.has_work(self.time.now_ns)) || self.has_report()
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
    pub(super) fn tell_coordinator(&mut self, note: SnapshotNote) {
        if self.server.me == 0 {
            self.take_snapshot_note(0, note);
        } else {
            self.mesh.note(0, note);
        }
    }

    /// Tells all nodes, this one last.
    pub(super) fn tell_all(&mut self, note: impl Fn() -> SnapshotNote) {
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.note(peer, note());
        }
        self.take_snapshot_note(self.server.me, note());
    }
}
