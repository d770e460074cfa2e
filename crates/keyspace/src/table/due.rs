//! Finding entries whose time is over.
//!
//! Every segment knows a time before which it need not be looked at. Looking at one removes all its expired entries at
//! once; it is then left alone until a sixteenth of the rest will have expired, or until the first of them has been so
//! for [`LATE_MAX_MS`]. So expired entries that are still there stay below a sixteenth of the volatile ones, and
//! finding one costs a look at sixteen, however many keys there are and however few of them expire.

use super::segment::{NEVER_MS, Segment};
use super::{OwnedEntry, Table};

/// Of a segment's volatile entries, one in so many may have expired before it is looked at.
const LATE_SHARE: usize = 16;
/// How long an expired entry may wait for others to expire, in milliseconds.
const LATE_MAX_MS: i64 = 10_000;

/// Which branch is looked at next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    branch: usize,
}

impl Table {
    /// Takes the expired entries out of one segment that is due; `None` if none is.
    pub(crate) fn take_expired(&mut self, now_ms: i64) -> Option<Vec<OwnedEntry>> {
        if self.totals.volatile_len == 0 {
            return None;
        }
        for _ in 0..self.branches.len() {
            if self.due.branch >= self.branches.len() {
                self.due.branch = 0;
            }
            let index = self.due.branch;
            let branch = &mut self.branches[index];
            if branch.next_due_ms < now_ms {
                if let Some(segment) = branch.segments.iter().position(|s| s.next_due_ms < now_ms) {
                    return Some(self.take_expired_of(index, segment, now_ms));
                }
                let earliest = branch.segments.iter().map(|segment| segment.next_due_ms).min();
                branch.next_due_ms = earliest.unwrap_or(NEVER_MS);
            }
            self.due.branch += 1;
        }
        None
    }

    fn take_expired_of(&mut self, branch: usize, segment: usize, now_ms: i64) -> Vec<OwnedEntry> {
        let mut left_ms = Vec::new();
        let mut taken = Vec::new();
        // Taking one out may move others, but each to a place that is looked at later, or, round the end, to one that
        // was looked at before: then the next round finds it.
        loop {
            left_ms.clear();
            let looked_at = &self.branches[branch].segments[segment];
            let volatile = looked_at.places().filter(|(_, slot)| slot.is_volatile());
            let mut expired = Vec::new();
            for (place, slot) in volatile {
                match self.entry(slot).and_then(Entry::expire_at_ms) {
                    Some(at_ms) if now_ms > at_ms => expired.push(place),
                    Some(at_ms) => left_ms.push(at_ms),
                    None => {}
                }
            }
            if expired.is_empty() {
                break;
            }
            // From the back: what moves, moves from behind.
            for place in expired.into_iter().rev() {
                let slot = self.branches[branch].segments[segment].slot(place);
                if self.entry(slot).is_some_and(|entry| entry.is_expired(now_ms)) {
                    taken.push(self.take_out(branch, segment, place));
                }
            }
        }
        self.branches[branch].segments[segment].next_due_ms = next_due_ms(&mut left_ms);
        if let Some(first) = taken.first() {
            let hash = self.hash(first.as_entry().key());
            self.shrink(branch, hash);
        }
        taken
    }
}

use super::Entry;

/// When to look again at a segment whose entries expire at these times.
fn next_due_ms(expire_at_ms: &mut [i64]) -> i64 {
    let Some(first_ms) = expire_at_ms.iter().min().copied() else { return NEVER_MS };
    let index = expire_at_ms.len() / LATE_SHARE;
    let (_, share_ms, _) = expire_at_ms.select_nth_unstable(index);
    (*share_ms).min(first_ms.saturating_add(LATE_MAX_MS))
}

impl Segment {
    /// No later than this may a search for expired entries come.
    #[cfg(test)]
    pub(super) fn is_due_in_time(&self, expire_at_ms: impl Iterator<Item = i64>) -> bool {
        let mut all: Vec<i64> = expire_at_ms.collect();
        all.is_empty() || self.next_due_ms <= next_due_ms(&mut all)
    }
}
