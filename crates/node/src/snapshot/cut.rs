//! The cut: one moment at which nothing runs on any shard, and nothing is half done.
//!
//! Node 0 has all nodes hold what their clients send, while what is under way is finished. A node that has nothing
//! under way any more reports how many requests it has sent and carried out, see [`Traffic`]. When all have reported and
//! the sums are equal, they are asked once more. If nobody has sent or done anything since, then nothing was under way
//! anywhere when they were asked, and since nobody begins anything, nothing is now: this is the cut. Asking twice is
//! needed because reports are of different moments.
//!
//! Then node 0 tells all nodes, and each tells all others before it lets its clients go on. So a request that was sent
//! after the cut finds the cut made wherever it comes.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Running;
use crate::home::holds::Gate;
use crate::mesh::Traffic;
use crate::notes::snapshot::{CutOrder, SnapshotNote};
use std::sync::Arc;

/// One node while a cut is to be made.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// Clients are held.
    pub(crate) is_holding: bool,
    /// The attempt under way.
    attempt: Option<u64>,
    /// The last attempt that came to a cut.
    pub(super) cut_attempt: u64,
    /// The last time that node 0 asked.
    round: u32,
    /// What was reported last, and when asked for which time.
    reported: Option<(u32, Traffic)>,
}

/// What is to be done after a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait for more reports.
    Wait,
    /// Ask all nodes once more.
    Ask,
    /// Nothing is under way anywhere.
    Quiet,
}

/// What node 0 knows of an attempt.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// How often all nodes have been asked.
    pub(crate) round: u32,
    /// Each node's last report: for which time, what, and in which round that was first heard.
    reports: Vec<Option<(u32, Traffic, u32)>>,
}

impl Rounds {
    pub(crate) fn new(nodes: usize) -> Rounds {
        Rounds { round: 1, reports: vec![None; nodes] }
    }

    /// Takes in a report.
    pub(crate) fn report(&mut self, node: usize, round: u32, traffic: Traffic) -> Verdict {
        let since = match self.reports[node] {
            Some((_, known, since)) if known == traffic => since,
            _ => self.round,
        };
        self.reports[node] = Some((round, traffic, since));
        let mut sum = Traffic::default();
        let mut is_stable = true;
        for report in &self.reports {
            let Some((round, traffic, since)) = report else { return Verdict::Wait };
            if *round != self.round {
                return Verdict::Wait;
            }
            sum.sent += traffic.sent;
            sum.done += traffic.done;
            is_stable &= *since < self.round;
        }
        if sum.sent != sum.done {
            // Somebody will have more done, and report again.
            return Verdict::Wait;
        }
        if is_stable {
            return Verdict::Quiet;
        }
        self.round += 1;
        Verdict::Ask
    }
}

impl Drain {
    /// The attempt needs no cut, or no reports any more.
    pub(super) fn forget_attempt(&mut self) {
        self.attempt = None;
    }
}

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
    pub(super) fn owes_report(&self) -> bool {
        let drain = &self.snapshot.drain;
        drain.attempt.is_some() && drain.reported != Some((drain.round, self.mesh.traffic()))
    }

    /// Tells node 0 when nothing is under way here.
    pub(super) fn report_if_drained(&mut self) {
        let Some(attempt) = self.snapshot.drain.attempt else { return };
        if !self.owes_report() || !self.has_nothing_under_way() {
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn traffic(sent: u64, done: u64) -> Traffic {
        Traffic { sent, done }
    }

    #[test]
    fn two_equal_rounds_are_quiet() {
        let mut rounds = Rounds::new(2);
        assert_eq!(rounds.report(0, 1, traffic(5, 0)), Verdict::Wait);
        assert_eq!(rounds.report(1, 1, traffic(0, 5)), Verdict::Ask);
        assert_eq!(rounds.report(0, 2, traffic(5, 0)), Verdict::Wait);
        assert_eq!(rounds.report(1, 2, traffic(0, 5)), Verdict::Quiet);
    }

    #[test]
    fn a_report_from_before_a_message_does_not_deceive() {
        // Node 0 has reported before it got node 1's request, which led it to send one to node 2, and that one back.
        let mut rounds = Rounds::new(3);
        assert_eq!(rounds.report(0, 1, traffic(0, 0)), Verdict::Wait);
        assert_eq!(rounds.report(1, 1, traffic(1, 0)), Verdict::Wait);
        // Sums are equal, but of different moments.
        assert_eq!(rounds.report(2, 1, traffic(0, 1)), Verdict::Ask);
        assert_eq!(rounds.report(1, 2, traffic(1, 0)), Verdict::Wait);
        assert_eq!(rounds.report(2, 2, traffic(1, 1)), Verdict::Wait);
        assert_eq!(rounds.report(0, 2, traffic(1, 1)), Verdict::Wait);
        // Node 0 has got what node 2 sent.
        assert_eq!(rounds.report(0, 2, traffic(1, 2)), Verdict::Ask);
        assert_eq!(rounds.report(0, 3, traffic(1, 2)), Verdict::Wait);
        assert_eq!(rounds.report(1, 3, traffic(1, 0)), Verdict::Wait);
        assert_eq!(rounds.report(2, 3, traffic(1, 1)), Verdict::Quiet);
    }

    /// Requests that lead to others wander between nodes; reports and questions take their time.
    #[test]
    fn quiet_is_never_said_while_something_is_under_way() {
        for seed in 0..2_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let nodes = random.usize(1..6);
            let mut rounds = Rounds::new(nodes);
            let mut counts = vec![Traffic::default(); nodes];
            let mut reported: Vec<Option<(u32, Traffic)>> = vec![None; nodes];
            let mut heard = vec![0; nodes];
            let (mut requests, mut questions, mut reports): (Vec<usize>, Vec<(usize, u32)>, Vec<_>) =
                (Vec::new(), (0..nodes).map(|node| (node, 1)).collect(), Vec::new());
            for _ in 0..random.usize(0..5) {
                counts[random.usize(..nodes)].sent += 1;
                requests.push(random.usize(..nodes));
            }
            let mut more = random.usize(0..20);
            let mut is_quiet = false;
            while !is_quiet {
                match random.u8(..4) {
                    0 if !requests.is_empty() => {
                        let node = requests.swap_remove(random.usize(..requests.len()));
                        counts[node].done += 1;
                        if more > 0 {
                            more -= 1;
                            counts[node].sent += 1;
                            requests.push(random.usize(..nodes));
                        }
                    }
                    1 if !questions.is_empty() => {
                        let (node, round) = questions.swap_remove(random.usize(..questions.len()));
                        heard[node] = round.max(heard[node]);
                    }
                    2 => {
                        let node = random.usize(..nodes);
                        let report = (heard[node], counts[node]);
                        if heard[node] > 0 && reported[node] != Some(report) {
                            reported[node] = Some(report);
                            reports.push((node, report));
                        }
                    }
                    _ if !reports.is_empty() => {
                        // Those of one node keep their order.
                        let chosen = reports[random.usize(..reports.len())].0;
                        let first = reports.iter().position(|(node, _)| *node == chosen).unwrap();
                        let (node, (round, traffic)) = reports.remove(first);
                        match rounds.report(node, round, traffic) {
                            Verdict::Wait => {}
                            Verdict::Ask => questions.extend((0..nodes).map(|node| (node, rounds.round))),
                            Verdict::Quiet => is_quiet = true,
                        }
                    }
                    _ => {}
                }
            }
            assert!(requests.is_empty(), "seed {seed}: {requests:?}");
        }
    }
}
