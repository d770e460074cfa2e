//! When a shard's keys are moved together: looking at fragmentation, and passes in slices of the node's time.

use crate::clock::Clock;
use crate::core::Core;
use crate::owner::defragmentation::fragmentation::Fragmentation;
use crate::owner::defragmentation::passes::Futile;
use std::sync::atomic::Ordering;
use tessera_keyspace::{DefragCounts, DefragPass};

const NS_PER_MS: u64 = 1_000_000;
/// How often fragmentation is looked at, in nanoseconds.
const LOOK_EVERY_NS: u64 = 100 * NS_PER_MS;
/// When it is looked at again after a pass, in nanoseconds: by then the pages that became empty are given back.
const LOOK_AFTER_PASS_NS: u64 = 2000 * NS_PER_MS;
/// How long a slice takes, but for the last thing in it, in nanoseconds.
const SLICE_NS: u64 = NS_PER_MS / 10;
/// And how many buckets of the table at most, most of which may be empty.
const SLICE_MAX_BUCKETS: usize = 1000;
/// A pass is futile if it moved less than one of so many blocks that it looked at.
const FUTILE_SHARE: u64 = 64;
/// After a futile pass there is none for so many times as long as it took: what is done in vain is one percent at most.
const FUTILE_PAUSE: u64 = 100;
/// Nor is there before one of so many keys has changed.
const CHANGED_SHARE: u64 = 8;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Looks at fragmentation, or does a slice of the pass under way, if it is time for that.
    #[inline]
    pub(crate) fn defragment(&mut self) {
        let state = &self.owner.defragmentation;
        if self.time.now_ns >= state.next_look_ns
            || state.next_slice_ns().is_some_and(|due_ns| self.time.now_ns >= due_ns)
        {
            self.defragment_now();
        }
    }

    #[cold]
    fn defragment_now(&mut self) {
        if !self.server.config.active_defrag {
            self.end_defragmentation();
            self.owner.defragmentation.futile = None;
            self.owner.defragmentation.next_look_ns = self.time.now_ns + LOOK_EVERY_NS;
            return;
        }
        if self.time.now_ns >= self.owner.defragmentation.next_look_ns {
            self.owner.defragmentation.next_look_ns = self.time.now_ns + LOOK_EVERY_NS;
            self.look_at_fragmentation();
        }
        if self.owner.defragmentation.next_slice_ns().is_some_and(|due_ns| self.time.now_ns >= due_ns) {
            self.defragment_slice();
        }
    }

    fn fragmentation(&self) -> Fragmentation {
        let system = &self.server.shared.system;
        Fragmentation::new(system.resident_heap_bytes(), system.used_memory_bytes())
    }

    fn changes(&self) -> u64 {
        let shard = self.owner.shard.stats();
        shard.dirty + shard.expired_keys + shard.evicted_keys
    }

    /// Begins a pass if one is needed, or puts more effort into the one under way.
    fn look_at_fragmentation(&mut self) {
        let fragmentation = self.fragmentation();
        let effort_percent = fragmentation.effort_percent(&self.server.config);
        if self.owner.defragmentation.effort_percent > 0 {
            // Less effort would only make it longer.
            self.set_defragmentation_effort(effort_percent.max(self.owner.defragmentation.effort_percent));
            return;
        }
        let databases = 0..self.owner.shard.databases_len() as u16;
        let keys: u64 = databases.map(|db| self.owner.shard.database(db).len() as u64).sum();
        if keys == 0
            || fragmentation.is_within(&self.server.config)
            // What is being freed may leave whole pages, and what is being loaded fills them.
            || self.owner.shard.has_garbage()
            || self.loading.is_some()
        {
            return;
        }
        if let Some(futile) = &self.owner.defragmentation.futile {
            // The counters may have been reset.
            let changed = self.changes().abs_diff(futile.changes);
            let has_changed = changed > keys / CHANGED_SHARE && self.time.now_ns >= futile.pause_until_ns;
            if !has_changed && fragmentation.bytes < futile.fragmentation_bytes.saturating_mul(2) {
                return;
            }
        }
        self.owner.defragmentation.pass = DefragPass::default();
        self.owner.defragmentation.pass_ns = 0;
        self.owner.defragmentation.next_slice_ns = self.time.now_ns;
        self.set_defragmentation_effort(effort_percent);
        self.server.shared.defrag_time.begin(self.time.now_ns);
    }

    fn set_defragmentation_effort(&mut self, percent: u32) {
        self.owner.defragmentation.effort_percent = percent;
        self.stats().defrag_effort_percent.store(percent, Ordering::Relaxed);
    }

    fn defragment_slice(&mut self) {
        let began_ns = self.time.clock.monotonic_ns();
        let (clock, system) = (&self.time.clock, &self.server.shared.system);
        let state = &mut self.owner.defragmentation;
        let before = state.pass.counts;
        let mut buckets = SLICE_MAX_BUCKETS;
        let has_more = self.owner.shard.defragment_some(
            &mut state.pass,
            self.server.config.active_defrag_max_scan_fields,
            &|address| system.is_sparse(address),
            || {
                buckets -= 1;
                buckets > 0 && clock.monotonic_ns() - began_ns < SLICE_NS
            },
        );
        self.time.now_ns = self.time.clock.monotonic_ns();
        let slice_ns = self.time.now_ns - began_ns;
        let (state, counters) = (&mut self.owner.defragmentation, &mut self.server.counters);
        state.pass_ns += slice_ns;
        let (after, effort_percent) = (state.pass.counts, u64::from(state.effort_percent));
        counters.defrag_hits += after.hits - before.hits;
        counters.defrag_misses += after.misses - before.misses;
        counters.defrag_key_hits += after.key_hits - before.key_hits;
        counters.defrag_key_misses += after.key_misses - before.key_misses;
        // A slice that was short, because buckets were empty, is not made up for.
        state.next_slice_ns =
            self.time.now_ns + slice_ns.max(SLICE_NS) * (100 - effort_percent) / effort_percent;
        self.server.note_latency("active-defrag-cycle", self.time.unix_us, slice_ns);
        if !has_more {
            self.end_pass(after);
        }
    }

    fn end_pass(&mut self, counts: DefragCounts) {
        let is_futile = counts.hits * FUTILE_SHARE <= counts.hits + counts.misses;
        self.owner.defragmentation.futile = is_futile.then(|| Futile {
            fragmentation_bytes: self.fragmentation().bytes,
            changes: self.changes(),
            pause_until_ns: self.time.now_ns + self.owner.defragmentation.pass_ns * FUTILE_PAUSE,
        });
        self.owner.defragmentation.next_look_ns = self.time.now_ns + LOOK_AFTER_PASS_NS;
        self.end_defragmentation();
    }

    fn end_defragmentation(&mut self) {
        if self.owner.defragmentation.effort_percent > 0 {
            self.set_defragmentation_effort(0);
            self.server.shared.defrag_time.end(self.time.now_ns);
        }
    }
}
