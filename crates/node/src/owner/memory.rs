//! Bounded memory (`maxmemory`): whether there is room for a write, and whose keys go if there is not.
//!
//! The bound is for the whole process, and so is the figure compared with it: what the allocator has given out. Whoever
//! finds it exceeded divides the excess among all nodes in proportion to what their shards hold that may go
//! ([`crate::stats::NodeStats::owed_bytes`]), and wakes those that sleep. Every node evicts what it owes: a bounded time
//! of each turn, and if it grows itself at least as much as that, but never beyond the excess as it then is. What is owed
//! and not yet evicted is not divided again. It is a part of the keys as much as of the bytes, and whoever has evicted its part of
//! either has paid: where one large value is most of what a shard holds, its small keys would not do, and the
//! large one would go while other shards keep what is older. What is then left of the excess is divided again.
//!
//! A command has more in memory for a moment than remains of it: what was received of it, copies on their way to other
//! shards, a large value that it replaced and that is freed in pieces. If keys went for these, twice as much would go as has
//! to. So memory besides the keys counts when it has been there for a while ([`Besides`]), and that of the keys at once.
//!
//! Looking at used memory costs a few cache lines of other threads, so it is looked at again only when the shard has
//! grown by its part of the room found last or by a small part of the bound, and about once a millisecond.

use crate::clock::Clock;
use crate::core::Core;
use crate::doorbell::Doorbell;
use crate::shared::Shared;
use crate::stats::NodeStats;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tessera_command::{Command, Flags};
use tessera_config::{Config, MaxMemoryPolicy};
use tessera_keyspace::EvictionPolicy;

/// What a write is refused with.
pub(crate) const OUT_OF_MEMORY: &[u8] = b"OOM command not allowed when used memory > 'maxmemory'.";

/// Used memory is looked at that often even if the shard does not grow: buffers do, and other shards. In nanoseconds.
const LOOK_PERIOD_NS: u64 = 1_000_000;
/// It is looked at again when the shard has grown by that fraction of the bound, however much room there was.
const LOOK_FRACTION: u64 = 256;
/// Once memory is exceeded so much more is evicted for each node, in bytes, so that nodes do not wake each other
/// for every key ...
const RESERVE_BYTES_PER_NODE: u64 = 16 * 1024;
/// ... but not more than this fraction of the bound in all.
const RESERVE_FRACTION: u64 = 256;
/// Beyond this fraction of the bound a node that grows does not wait for others to evict their part.
const PATIENCE_FRACTION: u64 = 64;
/// Memory besides the keys counts when it has been there for so long: longer than a command of a few hundred megabytes takes
/// from being read to being done with. In nanoseconds.
const BESIDES_WINDOW_NS: u64 = 100_000_000;
/// What has grown by that fraction of the bound between two looks holds something that is large and new.
const LARGE_FRACTION: u64 = 64;
/// More samples for each key that goes do not choose better, and would stop the shard.
const SAMPLES_MAX: u32 = 1000;
/// Unit of `maxmemory-eviction-tenacity` as long as it is linear, in nanoseconds.
const TENACITY_STEP_NS: u64 = 50_000;
const TENACITY_LINEAR_MAX: u32 = 10;
const TENACITY_MAX: u32 = 100;

/// The part that all nodes have in common.
#[derive(Debug, Default)]
pub struct Eviction {
    /// Somebody is dividing the excess.
    is_dividing: AtomicBool,
    /// Since when memory is exceeded, in monotonic nanoseconds; 0: it is not.
    exceeded_since_ns: AtomicU64,
    /// For how long it was before that.
    exceeded_ns: AtomicU64,
}

impl Eviction {
    fn note(&self, is_exceeded: bool, now_ns: u64) {
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

/// How much memory is used besides that of the keys, as the least that was seen in this window of time and in the one
/// before.
#[derive(Debug, Default)]
struct Besides {
    window_began_ns: u64,
    least_bytes: u64,
    least_before_bytes: u64,
}

impl Besides {
    /// So much is used at this moment. Returns how much of it was there all the time.
    fn note(&mut self, bytes: u64, now_ns: u64) -> u64 {
        if now_ns >= self.window_began_ns + BESIDES_WINDOW_NS {
            self.window_began_ns = now_ns;
            self.least_before_bytes = self.least_bytes;
            self.least_bytes = bytes;
        }
        self.least_bytes = self.least_bytes.min(bytes);
        self.least_bytes.min(self.least_before_bytes)
    }

    /// So much is used, whether it stays or not.
    fn begin(bytes: u64, now_ns: u64) -> Besides {
        Besides { window_began_ns: now_ns, least_bytes: bytes, least_before_bytes: bytes }
    }
}

/// What one node knows.
#[derive(Debug, Default)]
pub(crate) struct MemoryWatch {
    /// `maxmemory`, in bytes; 0: no bound.
    limit_bytes: u64,
    /// How much the shard may grow before used memory is looked at again, in bytes. Below 0: that is due.
    room_bytes: i64,
    /// How much it has grown since that was last looked at, in bytes.
    grown_bytes: u64,
    /// For how long keys may be evicted in one turn.
    turn_max_ns: u64,
    /// What is left of that.
    turn_left_ns: u64,
    next_look_ns: u64,
    /// `None` before it has been looked at under this configuration.
    besides: Option<Besides>,
    /// What was there besides the keys at the last look and did not count, in bytes.
    passing_bytes: u64,
}

impl MemoryWatch {
    /// Memory has a bound.
    #[inline]
    pub(crate) fn is_bounded(&self) -> bool {
        self.limit_bytes != 0
    }

    /// The shard has grown.
    #[inline]
    pub(crate) fn note_growth(&mut self, bytes: usize) {
        self.grown_bytes += bytes as u64;
        self.room_bytes = self.room_bytes.saturating_sub_unsigned(bytes as u64);
    }

    /// Nobody knows how much the shard has grown.
    pub(crate) fn note_unknown_growth(&mut self) {
        self.room_bytes = -1;
    }

    /// Another turn begins.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.turn_left_ns = self.turn_max_ns;
    }

    fn follow(&mut self, config: &Config) {
        self.limit_bytes = config.max_memory.0;
        self.turn_max_ns = turn_max_ns(config.max_memory_eviction_tenacity);
        self.room_bytes = -1;
        self.next_look_ns = 0;
        // What the shard has grown by while there was no bound, or another, is nothing that it has to make up for.
        self.grown_bytes = 0;
        self.besides = None;
    }

    /// What used memory is brought down to once it is exceeded.
    fn goal_bytes(&self, nodes: usize) -> u64 {
        let reserve_bytes = RESERVE_BYTES_PER_NODE * nodes as u64;
        self.limit_bytes - reserve_bytes.min(self.limit_bytes / RESERVE_FRACTION)
    }
}

/// Redis's scale: linear up to half a millisecond at 10, then by powers of 1.15, at 100 without a bound.
fn turn_max_ns(tenacity: u32) -> u64 {
    match tenacity {
        0..=TENACITY_LINEAR_MAX => TENACITY_STEP_NS * u64::from(tenacity),
        TENACITY_MAX.. => u64::MAX,
        _ => {
            let linear_ns = (TENACITY_STEP_NS * u64::from(TENACITY_LINEAR_MAX)) as f64;
            (linear_ns * 1.15f64.powi((tenacity - TENACITY_LINEAR_MAX) as i32)) as u64
        }
    }
}

/// The engine's word for a policy.
pub(crate) fn eviction_policy(policy: MaxMemoryPolicy) -> EvictionPolicy {
    match policy {
        MaxMemoryPolicy::NoEviction => EvictionPolicy::NoEviction,
        MaxMemoryPolicy::AllKeysLru => EvictionPolicy::AllKeysLru,
        MaxMemoryPolicy::VolatileLru => EvictionPolicy::VolatileLru,
        MaxMemoryPolicy::AllKeysLfu => EvictionPolicy::AllKeysLfu,
        MaxMemoryPolicy::VolatileLfu => EvictionPolicy::VolatileLfu,
        MaxMemoryPolicy::AllKeysRandom => EvictionPolicy::AllKeysRandom,
        MaxMemoryPolicy::VolatileRandom => EvictionPolicy::VolatileRandom,
        MaxMemoryPolicy::VolatileTtl => EvictionPolicy::VolatileTtl,
    }
}

/// `maxmemory-samples`, as far as it goes.
pub(crate) fn eviction_samples(config: &Config) -> u32 {
    config.max_memory_samples.min(SAMPLES_MAX)
}

/// What a node holds that may go: how many keys, and how many bytes, keys with an expiry taken to be as large as the others.
fn evictable(stats: &NodeStats, policy: EvictionPolicy) -> (u64, u64) {
    let size = stats.shard_size();
    match policy {
        EvictionPolicy::NoEviction => (0, 0),
        _ if !policy.volatile_only() => (size.keys, size.entry_bytes),
        _ => {
            let part = u128::from(size.entry_bytes) * u128::from(size.volatile_keys);
            (size.volatile_keys, part.checked_div(u128::from(size.keys)).unwrap_or(0) as u64)
        }
    }
}

fn owed_by_all(shared: &Shared) -> u64 {
    shared.stats.iter().map(|stats| stats.owed_bytes.load(Ordering::Relaxed)).sum()
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Follows the configuration.
    pub(crate) fn take_over_memory_config(&mut self) {
        self.owner.memory.follow(&self.server.config);
        if !self.owner.memory.is_bounded() {
            self.stats().forgive();
            self.server.shared.eviction.note(false, self.time.now_ns);
        }
    }

    /// Keys of this shard are to be evicted.
    #[inline]
    pub fn owes_memory(&self) -> bool {
        self.owner.memory.is_bounded()
            && self.stats().owed_bytes.load(Ordering::Relaxed) > 0
            && !self.is_paused()
    }

    /// Makes room for a command that needs memory. True if there is none to be had: then it must be refused, if it
    /// still can be.
    #[inline]
    pub(crate) fn is_out_of_memory_for(&mut self, command: &Command) -> bool {
        self.owner.memory.is_bounded()
            && command.flags.has(Flags::DENY_OOM)
            && self.owner.memory.room_bytes < 0
            && self.make_room()
    }

    /// Makes room for a value of unknown length that is to be stored whatever happens.
    pub(crate) fn make_room_for_growth(&mut self) {
        if self.owner.memory.is_bounded() {
            self.make_room();
            self.owner.memory.note_unknown_growth();
        }
    }

    /// CLIENT PAUSE has the keys stay as they are: none expires or is evicted.
    #[inline]
    pub(crate) fn is_paused(&self) -> bool {
        self.home.pause.until_ms().is_some_and(|until_ms| self.now_ms() < until_ms)
    }

    /// Evicts a turn's part of what this shard owes, and looks whether there is more to do when it is time.
    pub(crate) fn keep_memory(&mut self) {
        if self.owner.memory.is_bounded()
            // What is loaded was within the bound of who saved it, or the bound is new: clients will see to it.
            && self.loading.is_none()
            && (self.owner.memory.room_bytes < 0 || self.time.now_ns >= self.owner.memory.next_look_ns || self.owes_memory())
        {
            self.make_room();
        }
    }

    /// Looks at used memory and evicts as far as this shard has to. True if memory is exceeded and no key anywhere may
    /// go.
    #[cold]
    fn make_room(&mut self) -> bool {
        if self.is_paused() {
            return false;
        }
        let limit_bytes = self.owner.memory.limit_bytes;
        let nodes = self.mesh.nodes();
        let used_bytes = self.look_at_memory();
        if used_bytes > limit_bytes {
            self.divide_excess(used_bytes);
        } else if used_bytes < self.owner.memory.goal_bytes(nodes) {
            // Something else made room meanwhile.
            self.stats().forgive();
        }
        let used_bytes = if self.evict_owed(used_bytes) { self.look_at_memory() } else { used_bytes };
        self.owner.memory.grown_bytes = 0;
        self.owner.memory.next_look_ns = self.time.now_ns + LOOK_PERIOD_NS;
        let is_exceeded = used_bytes > limit_bytes;
        self.server.shared.eviction.note(is_exceeded, self.time.now_ns);
        if is_exceeded {
            self.owner.memory.room_bytes = -1;
            // Who has evicted as many keys as it had to owes again, as everybody does, as much of the rest as is its part.
            self.divide_excess(used_bytes);
            return !self.is_anything_evictable();
        }
        let room_bytes = ((limit_bytes - used_bytes) / nodes as u64).min(limit_bytes / LOOK_FRACTION);
        self.owner.memory.room_bytes = i64::try_from(room_bytes).unwrap_or(i64::MAX);
        false
    }

    /// How much memory counts as used at this moment, in bytes.
    fn look_at_memory(&mut self) -> u64 {
        self.stats().publish_shard_size(&self.owner.shard);
        let used_bytes = self.server.shared.system.used_memory_bytes();
        let keys_bytes: u64 =
            self.server.shared.stats.iter().map(|stats| stats.shard_size().entry_bytes).sum();
        let besides_bytes = used_bytes.saturating_sub(keys_bytes);
        let now_ns = self.time.now_ns;
        let besides = self.owner.memory.besides.get_or_insert_with(|| Besides::begin(besides_bytes, now_ns));
        let lasting_bytes = besides.note(besides_bytes, now_ns);
        // Where no key can go, none goes too many: then writes are refused by all that is there.
        self.owner.memory.passing_bytes =
            if self.is_anything_evictable() { besides_bytes - lasting_bytes } else { 0 };
        used_bytes - self.owner.memory.passing_bytes
    }

    /// How much counts as used if only keys came and went since the last look, in bytes.
    fn used_bytes_now(&self) -> u64 {
        self.server.shared.system.used_memory_bytes().saturating_sub(self.owner.memory.passing_bytes)
    }

    /// Lets every node owe its part of the excess, as far as it does not already, and wakes those that sleep.
    fn divide_excess(&self, used_bytes: u64) {
        let shared = &self.server.shared;
        let policy = self.owner.shard.settings().eviction_policy;
        if policy == EvictionPolicy::NoEviction || shared.eviction.is_dividing.swap(true, Ordering::Acquire) {
            return;
        }
        // What is evicted in between counts as still owed, and is not asked for twice.
        let owed_bytes = owed_by_all(shared);
        let goal_bytes = self.owner.memory.goal_bytes(self.mesh.nodes());
        let excess_bytes = used_bytes.min(self.used_bytes_now()).saturating_sub(goal_bytes);
        let excess_bytes = u128::from(excess_bytes.saturating_sub(owed_bytes));
        let all_bytes: u128 = shared.stats.iter().map(|stats| u128::from(evictable(stats, policy).1)).sum();
        if excess_bytes > 0 && all_bytes > 0 {
            let part_of = |whole: u64| (excess_bytes * u128::from(whole)).div_ceil(all_bytes) as u64;
            // Part of a key is none, or a shard whose one key is large and new would lose it; but somebody has to begin.
            let most_keys = shared.stats.iter().map(|stats| evictable(stats, policy).0).max().unwrap_or(0);
            for stats in &shared.stats {
                let (keys, bytes) = evictable(stats, policy);
                let owed_keys = (excess_bytes * u128::from(keys) / all_bytes) as u64;
                let owed_keys = owed_keys.max(u64::from(keys == most_keys));
                if owed_keys > 0 {
                    stats.owe(owed_keys, part_of(bytes));
                }
            }
        }
        shared.eviction.is_dividing.store(false, Ordering::Release);
        Doorbell::published();
        for (node, bell) in shared.bells.iter().enumerate() {
            let owes = shared.stats[node].owed_bytes.load(Ordering::Relaxed) > 0;
            if node != self.server.me && owes && bell.doorbell().must_ring() {
                bell.wake();
            }
        }
    }

    /// What this shard has to free now; what of it at once however long that takes; and what even if it takes more than its part
    /// of the keys. In bytes.
    fn due_bytes(&self, used_bytes: u64) -> (u64, u64, u64) {
        let owed_bytes = self.stats().owed_bytes.load(Ordering::Relaxed);
        let limit_bytes = self.owner.memory.limit_bytes;
        let grown_bytes = self.owner.memory.grown_bytes.saturating_mul(2);
        // Others may be too slow for what this shard grows by. For something large they had no time yet.
        let is_large = self.owner.memory.grown_bytes >= limit_bytes / LARGE_FRACTION;
        let patience_bytes = limit_bytes.saturating_add(limit_bytes / PATIENCE_FRACTION);
        let pressing_bytes = if is_large { 0 } else { used_bytes.saturating_sub(patience_bytes) };
        let at_once_bytes = grown_bytes.min(owed_bytes.max(pressing_bytes));
        (owed_bytes.max(at_once_bytes), at_once_bytes, grown_bytes.min(pressing_bytes))
    }

    /// Evicts what this shard owes until the turn's time is over, but at least a key, and twice what it has grown by; and no
    /// more than is in excess, nor than its part of the keys. True if anything was freed.
    fn evict_owed(&mut self, used_bytes: u64) -> bool {
        let (wanted_bytes, at_once_bytes, pressing_bytes) = self.due_bytes(used_bytes);
        if wanted_bytes == 0 {
            return false;
        }
        let nodes = self.mesh.nodes();
        let goal_bytes = self.owner.memory.goal_bytes(nodes);
        let look_after_bytes = (self.owner.memory.limit_bytes - goal_bytes) / nodes as u64;
        let owed_keys = self.stats().owed_keys.load(Ordering::Relaxed);
        let evicted_before = self.owner.shard.stats().evicted_keys;
        let began_ns = self.time.clock.monotonic_ns();
        self.time.now_ns = began_ns;
        let (mut freed_bytes, mut looked_at_bytes, mut any) = (0, 0, false);
        loop {
            let Some(bytes) = self.free_one() else {
                self.stats().forgive();
                break;
            };
            freed_bytes += bytes;
            any = true;
            let before_ns = self.time.now_ns;
            self.time.now_ns = self.time.clock.monotonic_ns();
            self.server.note_latency("eviction-del", self.time.unix_us, self.time.now_ns - before_ns);
            let is_time_over = self.time.now_ns - began_ns >= self.owner.memory.turn_left_ns;
            let evicted_keys = self.owner.shard.stats().evicted_keys - evicted_before;
            let is_part_done = evicted_keys >= owed_keys && freed_bytes >= pressing_bytes;
            if freed_bytes >= wanted_bytes || is_part_done || is_time_over && freed_bytes >= at_once_bytes {
                break;
            }
            // Others evict as well, and what was in excess may have been freed otherwise.
            if freed_bytes - looked_at_bytes >= look_after_bytes {
                looked_at_bytes = freed_bytes;
                self.stats().publish_shard_size(&self.owner.shard);
                if self.used_bytes_now() <= goal_bytes {
                    self.stats().forgive();
                    break;
                }
            }
        }
        let duration_ns = self.time.now_ns - began_ns;
        self.owner.memory.turn_left_ns = self.owner.memory.turn_left_ns.saturating_sub(duration_ns);
        self.server.note_latency("eviction-cycle", self.time.unix_us, duration_ns);
        self.stats().pay(self.owner.shard.stats().evicted_keys - evicted_before, freed_bytes);
        any
    }

    /// Frees a part of a flushed table if there is any, else evicts a key. How much memory that gave, in bytes.
    fn free_one(&mut self) -> Option<u64> {
        if self.owner.shard.has_garbage() {
            let before_bytes = self.server.shared.system.used_memory_bytes();
            self.owner.shard.reclaim(1);
            return Some(before_bytes.saturating_sub(self.server.shared.system.used_memory_bytes()));
        }
        self.owner.shard.evict().map(|bytes| bytes as u64)
    }

    /// A key of any shard may go, or memory is being freed anyway.
    fn is_anything_evictable(&self) -> bool {
        let policy = self.owner.shard.settings().eviction_policy;
        policy != EvictionPolicy::NoEviction
            && self.server.shared.stats.iter().any(|stats| {
                let size = stats.shard_size();
                size.has_garbage
                    || if policy.volatile_only() { size.volatile_keys > 0 } else { size.keys > 0 }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenacity_is_on_the_scale_of_redis() {
        // 500 * 1.15 ^ (tenacity - 10) microseconds.
        for (tenacity, expected_us) in [(0, 0), (1, 50), (10, 500), (11, 575), (20, 2_022), (99, 126_205_358)]
        {
            let us = turn_max_ns(tenacity) / 1000;
            assert!(us.abs_diff(expected_us) <= expected_us / 1000, "{tenacity}: {us}");
        }
        assert_eq!(turn_max_ns(100), u64::MAX);
    }

    #[test]
    fn what_passes_does_not_count_and_what_stays_does() {
        let ms = 1_000_000;
        let mut besides = Besides::begin(100, 0);
        assert_eq!(besides.note(100, 10 * ms), 100);
        // A command comes and goes.
        assert_eq!(besides.note(5000, 60 * ms), 100);
        assert_eq!(besides.note(90, 70 * ms), 90);
        // After a long sleep, too.
        assert_eq!(besides.note(5000, 5000 * ms), 90);
        assert_eq!(besides.note(5100, 5050 * ms), 90);
        // Having been there for a whole window it counts.
        assert_eq!(besides.note(5100, 5100 * ms), 5000);
        assert_eq!(besides.note(5100, 5300 * ms), 5100);
        assert_eq!(besides.note(10, 5301 * ms), 10);
    }

    #[test]
    fn time_over_the_bound_is_summed() {
        let eviction = Eviction::default();
        eviction.note(false, 5);
        assert_eq!(eviction.exceeded_ns(10), (0, 0));
        eviction.note(true, 10);
        eviction.note(true, 20);
        assert_eq!(eviction.exceeded_ns(30), (20, 20));
        eviction.note(false, 40);
        assert_eq!(eviction.exceeded_ns(50), (30, 0));
        eviction.note(true, 60);
        assert_eq!(eviction.exceeded_ns(61), (31, 1));
        eviction.reset();
        assert_eq!(eviction.exceeded_ns(70), (0, 0));
    }
}
