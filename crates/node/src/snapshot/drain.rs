//! What a node, and node 0 of all nodes, knows while a cut is to be made. How it is made: see `snapshot/cut.rs`.

use crate::mesh::Traffic;

/// One node while a cut is to be made.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// Clients are held.
    pub(crate) is_holding: bool,
    /// The attempt under way.
    pub(super) attempt: Option<u64>,
    /// The last attempt that came to a cut.
    pub(super) cut_attempt: u64,
    /// The last time that node 0 asked.
    pub(super) round: u32,
    /// What was reported last, and when asked for which time.
    pub(super) reported: Option<(u32, Traffic)>,
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
    pub(super) reports: Vec<Option<(u32, Traffic, u32)>>,
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
