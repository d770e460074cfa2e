//! Memory beyond its bound: since when there is any, and who divides it among the nodes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The part of bounded memory that all nodes have in common.
#[derive(Debug, Default)]
pub struct Excess {
    /// Somebody is dividing the excess.
    is_dividing: AtomicBool,
    /// Since when memory is exceeded, in monotonic nanoseconds; 0: it is not.
    exceeded_since_ns: AtomicU64,
    /// For how long it was before that.
    exceeded_ns: AtomicU64,
}

impl Excess {
    /// Has one node at a time divide the excess: false if another is at it.
    pub(super) fn begin_dividing(&self) -> bool {
        !self.is_dividing.swap(true, Ordering::Acquire)
    }

    /// The excess is divided.
    pub(super) fn end_dividing(&self) {
        self.is_dividing.store(false, Ordering::Release);
    }

    /// Memory is exceeded at this moment, or is not.
    pub(super) fn note(&self, is_exceeded: bool, now_ns: u64) {
        let since_ns = self.exceeded_since_ns.load(Ordering::Relaxed);
        if is_exceeded == (since_ns != 0) {
            return;
        }
        let next_ns = if is_exceeded { now_ns.max(1) } else { 0 };
        let (order, other) = (Ordering::Relaxed, Ordering::Relaxed);
        let changed = self.exceeded_since_ns.compare_exchange(since_ns, next_ns, order, other);
        if changed.is_ok() && !is_exceeded {
            self.exceeded_ns.fetch_add(now_ns.saturating_sub(since_ns), Ordering::Relaxed);
        }
    }

    /// For how long memory was exceeded in all, and for how long it now is, in nanoseconds.
    pub fn exceeded_ns(&self, now_ns: u64) -> (u64, u64) {
        let current_ns = match self.exceeded_since_ns.load(Ordering::Relaxed) {
            0 => 0,
            since_ns => now_ns.saturating_sub(since_ns),
        };
        (self.exceeded_ns.load(Ordering::Relaxed) + current_ns, current_ns)
    }

    /// Forgets how long that was.
    pub fn reset(&self) {
        self.exceeded_since_ns.store(0, Ordering::Relaxed);
        self.exceeded_ns.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_over_the_bound_is_summed() {
        let excess = Excess::default();
        excess.note(false, 5);
        assert_eq!(excess.exceeded_ns(10), (0, 0));
        excess.note(true, 10);
        excess.note(true, 20);
        assert_eq!(excess.exceeded_ns(30), (20, 20));
        excess.note(false, 40);
        assert_eq!(excess.exceeded_ns(50), (30, 0));
        excess.note(true, 60);
        assert_eq!(excess.exceeded_ns(61), (31, 1));
        excess.reset();
        assert_eq!(excess.exceeded_ns(70), (0, 0));
    }
}
