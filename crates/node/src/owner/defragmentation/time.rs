//! For how long the nodes have been defragmenting.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// For how long any node defragments: the part that all nodes have in common.
#[derive(Debug, Default)]
pub struct DefragTime(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    nodes: usize,
    /// Since when there is any, in monotonic nanoseconds.
    since_ns: u64,
    /// For how long there was before that, in nanoseconds.
    before_ns: u64,
}

impl DefragTime {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node begins.
    pub(super) fn begin(&self, now_ns: u64) {
        let mut running = self.lock();
        if running.nodes == 0 {
            running.since_ns = now_ns;
        }
        running.nodes += 1;
    }

    /// A node ends.
    pub(super) fn end(&self, now_ns: u64) {
        let mut running = self.lock();
        running.nodes -= 1;
        if running.nodes == 0 {
            running.before_ns += now_ns.saturating_sub(running.since_ns);
        }
    }

    /// For how long in all, and for how long now, in nanoseconds.
    pub fn total_ns(&self, now_ns: u64) -> (u64, u64) {
        let running = self.lock();
        let now_ns = if running.nodes > 0 { now_ns.saturating_sub(running.since_ns) } else { 0 };
        (running.before_ns + now_ns, now_ns)
    }

    /// Forgets how long that was.
    pub fn reset(&self, now_ns: u64) {
        let mut running = self.lock();
        (running.since_ns, running.before_ns) = (now_ns, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_while_any_node_is_at_it() {
        let time = DefragTime::default();
        assert_eq!(time.total_ns(5), (0, 0));
        time.begin(10);
        time.begin(20);
        time.end(30);
        assert_eq!(time.total_ns(35), (25, 25));
        time.end(40);
        assert_eq!(time.total_ns(50), (30, 0));
        time.begin(60);
        assert_eq!(time.total_ns(61), (31, 1));
        time.reset(62);
        assert_eq!(time.total_ns(64), (2, 2));
        time.end(70);
        assert_eq!(time.total_ns(80), (8, 0));
    }
}
