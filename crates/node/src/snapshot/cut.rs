//! The cut: one moment at which nothing runs on any shard, and nothing is half done.
//!
//! Node 0 has all nodes hold what their clients send, while what is under way is finished. A node that has nothing
//! under way any more reports how many requests it has sent and carried out, see [`Traffic`]. When all have reported
//! and the sums are equal, they are asked once more. If nobody has sent or done anything since, then nothing was under
//! way anywhere when they were asked, and since nobody begins anything, nothing is now: this is the cut. Asking twice
//! is needed because reports are of different moments.
//!
//! Then node 0 tells all nodes, and each tells all others before it lets its clients go on. So a request that was sent
//! after the cut finds the cut made wherever it comes.

use super::coordinator::{Coordinator, Current, Phase};
use super::drain::{Rounds, Verdict};
use super::status::Purpose;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Running;
use crate::home::holds::Gate;
use crate::mesh::Traffic;
use crate::notes::snapshot::{CutOrder, SnapshotNote};
use std::sync::Arc;

/// A cut that takes longer is given up, in nanoseconds.
const CUT_MAX_NS: u64 = 1_000_000_000;
/// How long clients are served before it is tried again, in nanoseconds.
const CUT_PAUSE_NS: u64 = 100_000_000;

/// Node 0's part.
impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has all nodes drain, gives up when that takes too long, and tries again.
    pub(super) fn watch_cut(&mut self, coordinator: &mut Coordinator) {
        let Some(current) = &mut coordinator.current else { return };
        match current.phase {
            Phase::Draining { attempt, since_ns, .. }
                if self.time.now_ns.saturating_sub(since_ns) > CUT_MAX_NS || current.is_given_up =>
            {
                self.tell_all(|| SnapshotNote::GiveUp { attempt });
                if current.is_given_up {
                    if current.purpose == (Purpose::Reload { saves: false }) {
                        return self.snapshot_is_over(coordinator);
                    }
                    return self.tidy_after_failure(coordinator, false);
                }
                self.server.shared.persistence.change(|facts| facts.cuts_given_up += 1);
                self.log_snapshot("Snapshot: commands under way do not end; trying again soon");
                current.phase = Phase::Resting { until_ns: self.time.now_ns + CUT_PAUSE_NS };
            }
            Phase::Resting { until_ns } if self.time.now_ns >= until_ns => self.begin_drain(coordinator),
            _ => {}
        }
    }

    pub(super) fn begin_drain(&mut self, coordinator: &mut Coordinator) {
        let Some(current) = &mut coordinator.current else { return };
        coordinator.attempts += 1;
        let (attempt, nodes) = (coordinator.attempts, self.mesh.nodes());
        current.phase = Phase::Draining { attempt, since_ns: self.time.now_ns, rounds: Rounds::new(nodes) };
        self.tell_all(|| SnapshotNote::Drain { attempt, round: 1 });
    }

    /// A node has nothing under way.
    pub(super) fn take_report(&mut self, node: usize, attempt: u64, round: u32, traffic: Traffic) {
        let Some(mut coordinator) = self.snapshot.coordinator.take() else { return };
        let mut is_only_drained = false;
        if let Some(current) = &mut coordinator.current
            && let Phase::Draining { attempt: now, since_ns, rounds } = &mut current.phase
            && *now == attempt
        {
            match rounds.report(node, round, traffic) {
                Verdict::Wait => {}
                Verdict::Ask => {
                    let round = rounds.round;
                    self.tell_all(|| SnapshotNote::Drain { attempt, round });
                }
                Verdict::Quiet => {
                    let took_ns = self.time.clock.monotonic_ns().saturating_sub(*since_ns);
                    self.server.shared.persistence.change(|facts| facts.last_cut_ns = took_ns);
                    if current.purpose == (Purpose::Reload { saves: false }) {
                        is_only_drained = true;
                    } else {
                        self.cut(current, attempt);
                    }
                }
            }
        }
        if is_only_drained {
            coordinator.current = None;
            self.find_what_to_reload(&mut coordinator);
        }
        self.snapshot.coordinator = Some(coordinator);
    }

    /// Nothing is under way anywhere: this is the cut.
    fn cut(&mut self, current: &mut Current, attempt: u64) {
        const MB: u64 = 1024 * 1024;
        // Later than what it follows from, whatever the clock says: which of two counts is told by that.
        let last_cut_ms = self.server.shared.persistence.facts().last_cut_ms;
        current.cut_at_unix_ms =
            self.time.clock.unix_us().div_euclid(1000).max(last_cut_ms.saturating_add(1));
        let nodes = self.mesh.nodes();
        let path = |node| current.place.path(&current.place.part_name(current.epoch, node));
        let order = Arc::new(CutOrder {
            attempt,
            epoch: current.epoch,
            cut_at_unix_ms: current.cut_at_unix_ms,
            paths: (0..nodes).map(path).collect(),
            compress: self.server.config.rdb_compression,
            checksum: self.server.config.rdb_checksum,
            ahead_max_len_bytes: usize::try_from(self.server.config.snapshot_ahead_max.0)
                .unwrap_or(usize::MAX),
            rate_limit_bytes_per_s: self.server.config.snapshot_rate_limit_mb * MB,
            key_delay_ns: current.key_delay_ns,
            keeps_holding: matches!(current.purpose, Purpose::End { .. } | Purpose::Reload { .. }),
        });
        current.phase = Phase::Writing { written: vec![None; nodes], left: nodes };
        current.order = Some(order.clone());
        self.take_cut(&order);
    }
}

/// Each node's part.
impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Node 0 wants a cut, or asks once more.
    pub(super) fn take_drain(&mut self, attempt: u64, round: u32) {
        let drain = &mut self.snapshot.drain;
        if attempt <= drain.cut_attempt {
            return;
        }
        if drain.attempt != Some(attempt) {
            drain.attempt = Some(attempt);
            drain.reported = None;
            drain.is_holding = true;
        }
        drain.round = round;
    }

    /// The attempt took too long.
    pub(super) fn give_up_drain(&mut self, attempt: u64) {
        if self.snapshot.drain.attempt == Some(attempt) {
            self.snapshot.drain.attempt = None;
            self.let_clients_go();
        }
    }

    /// Lets those go on that waited for the cut.
    pub(super) fn let_clients_go(&mut self) {
        self.snapshot.drain.is_holding = false;
        self.home.release(Gate::Cut);
    }

    /// An attempt is under way, and node 0 has not heard that this node has nothing to do.
    fn owes_report(&self) -> bool {
        let drain = &self.snapshot.drain;
        drain.attempt.is_some() && drain.reported != Some((drain.round, self.mesh.traffic()))
    }

    /// It can report. Until then it sleeps like others: what is under way ends by what comes from elsewhere.
    pub(super) fn has_report(&self) -> bool {
        self.owes_report() && self.has_nothing_under_way()
    }

    /// Tells node 0 when nothing is under way here.
    pub(super) fn report_if_drained(&mut self) {
        let Some(attempt) = self.snapshot.drain.attempt else { return };
        if !self.has_report() {
            return;
        }
        let (round, traffic) = (self.snapshot.drain.round, self.mesh.traffic());
        self.snapshot.drain.reported = Some((round, traffic));
        self.tell_coordinator(SnapshotNote::Report { attempt, round, traffic });
    }

    /// Nothing that this node began, or is to do for another, is left to do. Clients that only wait for a key do not
    /// count: what they wait for is under way, or nothing is.
    fn has_nothing_under_way(&self) -> bool {
        !self.mesh.has_requests()
            && self.owner.aside.is_empty()
            && self.owner.held.is_empty()
            && self.owner.unkept.is_empty()
            && self.home.connections.iter().flatten().all(|connection| {
                match connection.running.as_ref().map(|under| &under.running) {
                    None => true,
                    Some(Running::Blocked(blocked)) => blocked.is_waiting(),
                    Some(_) => false,
                }
            })
    }

    /// Node 0, or a peer that has heard from it, says that this is the cut.
    pub(super) fn take_cut(&mut self, order: &Arc<CutOrder>) {
        let drain = &mut self.snapshot.drain;
        if drain.attempt != Some(order.attempt) {
            return;
        }
        drain.attempt = None;
        drain.cut_attempt = order.attempt;
        // Before anything that goes out after the cut.
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.note(peer, SnapshotNote::Cut(order.clone()));
        }
        self.begin_part(order);
        if !order.keeps_holding {
            self.let_clients_go();
        }
    }
}
