//! Active defragmentation: moving keys together when much of the heap is pages that are hardly used.
//!
//! Each node decides for its own shard. Every now and then it compares what of the heap is resident with what the allocator has
//! given out. If both parameters are exceeded, percent and bytes, it begins a pass over its shard, in slices of a
//! fraction of a millisecond, so often that they take the part of its time that the parameters allow for that much
//! fragmentation. What is compared is the process's, and what does not fit may be elsewhere: in another shard, in large
//! collections, in buffers. So a pass that moved hardly anything is *futile*, and another begins only after the shard has
//! changed, or when twice as much does not fit.

use crate::clock::Clock;
use crate::core::Core;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tessera_config::Config;
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

    fn begin(&self, now_ns: u64) {
        let mut running = self.lock();
        if running.nodes == 0 {
            running.since_ns = now_ns;
        }
        running.nodes += 1;
    }

    fn end(&self, now_ns: u64) {
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

/// How much of the heap is resident and not given out.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Fragmentation {
    bytes: u64,
    /// In percent of what is given out.
    percent: f64,
}

impl Fragmentation {
    fn new(resident_bytes: u64, used_bytes: u64) -> Fragmentation {
        let bytes = resident_bytes.saturating_sub(used_bytes);
        Fragmentation { bytes, percent: bytes as f64 * 100.0 / used_bytes.max(1) as f64 }
    }

    fn is_within(&self, config: &Config) -> bool {
        self.percent < f64::from(config.active_defrag_threshold_lower)
            || self.bytes < config.active_defrag_ignore_bytes.0
    }

    /// The part of a node's time that it is worth, in percent: Redis's rule.
    fn effort_percent(&self, config: &Config) -> u32 {
        let (min, max) = (config.active_defrag_cycle_min, config.active_defrag_cycle_max);
        let (lower, upper) = (config.active_defrag_threshold_lower, config.active_defrag_threshold_upper);
        let (lower, width) = (f64::from(lower), f64::from(upper) - f64::from(lower));
        let part = if width == 0.0 { 1.0 } else { (self.percent - lower) / width };
        let effort = (f64::from(min) + part * (f64::from(max) - f64::from(min))) as u32;
        // In this order: the maximum may be below the minimum.
        if effort < min { min } else { effort.min(max) }
    }
}

/// What was so at the end of a pass that moved hardly anything.
#[derive(Debug)]
struct Futile {
    fragmentation_bytes: u64,
    changes: u64,
    pause_until_ns: u64,
}

/// What one node knows.
#[derive(Debug, Default)]
pub(crate) struct Defragmentation {
    /// The part of the node's time for the pass under way, in percent; 0: none is.
    effort_percent: u32,
    pass: DefragPass,
    /// How long it has taken so far, without pauses.
    pass_ns: u64,
    futile: Option<Futile>,
    next_look_ns: u64,
    next_slice_ns: u64,
}

impl Defragmentation {
    /// When the next slice is due, if a pass is under way.
    pub(crate) fn next_slice_ns(&self) -> Option<u64> {
        (self.effort_percent > 0).then_some(self.next_slice_ns)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_config::ByteCount;

    #[test]
    fn effort_grows_with_fragmentation_between_its_bounds() {
        // The defaults: from 1 % at 10 % of fragmentation to 25 % at 100 %.
        let config = Config::default();
        let effort = |percent: u64| Fragmentation::new(1000 + percent * 10, 1000).effort_percent(&config);
        assert_eq!([0, 10, 55, 100, 1000].map(effort), [1, 1, 13, 25, 25]);
        let step = Config { active_defrag_threshold_lower: 100, ..Config::default() };
        assert_eq!(Fragmentation::new(2000, 1000).effort_percent(&step), 25);
        let upside_down = Config { active_defrag_cycle_min: 30, active_defrag_cycle_max: 20, ..config };
        assert_eq!(Fragmentation::new(3000, 1000).effort_percent(&upside_down), 30);
        assert_eq!(Fragmentation::new(1000, 1000).effort_percent(&upside_down), 20);
    }

    #[test]
    fn both_bounds_must_be_exceeded() {
        let config = Config { active_defrag_ignore_bytes: ByteCount(500), ..Config::default() };
        for (resident, used, is_within) in [
            (0, 0, true),
            (0, 1000, true),
            (10_999, 10_000, true),
            (1499, 1000, true),
            (1500, 1000, false),
            (11_000, 10_000, false),
            (500, 0, false),
        ] {
            assert_eq!(Fragmentation::new(resident, used).is_within(&config), is_within, "{resident} {used}");
        }
    }

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
