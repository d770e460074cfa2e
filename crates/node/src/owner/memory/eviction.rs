//! Room for what is written: looking at used memory, dividing the excess, and evicting this shard's part of it.

use crate::clock::Clock;
use crate::core::Core;
use crate::doorbell::Doorbell;
use crate::shared::Shared;
use crate::stats::NodeStats;
use std::sync::atomic::Ordering;
use tessera_command::{Command, Flags};
use tessera_keyspace::EvictionPolicy;
use tessera_routing::intents::Access;

/// Used memory is looked at that often even if the shard does not grow: buffers do, and other shards. In nanoseconds.
const LOOK_PERIOD_NS: u64 = 1_000_000;
/// It is looked at again when the shard has grown by that fraction of the bound, however much room there was.
const LOOK_FRACTION: u64 = 256;
/// Beyond this fraction of the bound a node that grows does not wait for others to evict their part.
const PATIENCE_FRACTION: u64 = 64;
/// What has grown by that fraction of the bound between two looks holds something that is large and new.
const LARGE_FRACTION: u64 = 64;
/// What a node holds that may go: how many keys, and how many bytes, keys with an expiry taken to be as large as the
/// others.
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
            self.server.shared.excess.note(false, self.time.now_ns);
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

    /// The same for whatever needs memory.
    pub(crate) fn is_out_of_memory(&mut self) -> bool {
        self.owner.memory.is_bounded() && self.owner.memory.room_bytes < 0 && self.make_room()
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
            && (self.owner.memory.room_bytes < 0
                || self.time.now_ns >= self.owner.memory.next_look_ns
                || self.owes_memory())
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
        self.server.shared.excess.note(is_exceeded, self.time.now_ns);
        if is_exceeded {
            self.owner.memory.room_bytes = -1;
            // Who has evicted as many keys as it had to owes again, as everybody does, as much of the rest as is its
            // part.
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
        let lasting_bytes = self.owner.memory.note_besides(besides_bytes, self.time.now_ns);
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
        if policy == EvictionPolicy::NoEviction || !shared.excess.begin_dividing() {
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
            // Part of a key is none, or a shard whose one key is large and new would lose it; but somebody has to
            // begin.
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
        shared.excess.end_dividing();
        Doorbell::published();
        for (node, bell) in shared.bells.iter().enumerate() {
            let owes = shared.stats[node].owed_bytes.load(Ordering::Relaxed) > 0;
            if node != self.server.me && owes && bell.doorbell().must_ring() {
                bell.wake();
            }
        }
    }

    /// What this shard has to free now; what of it at once however long that takes; and what even if it takes more than
    /// its part of the keys. In bytes.
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

    /// Evicts what this shard owes until the turn's time is over, but at least a key, and twice what it has grown by;
    /// and no more than is in excess, nor than its part of the keys. True if anything was freed.
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

    /// Frees a part of a flushed table if there is any, else evicts a key, but none in the midst of a transaction. How
    /// much memory that gave, in bytes.
    fn free_one(&mut self) -> Option<u64> {
        if self.owner.shard.has_garbage() {
            let before_bytes = self.server.shared.system.used_memory_bytes();
            self.owner.shard.reclaim(1);
            return Some(before_bytes.saturating_sub(self.server.shared.system.used_memory_bytes()));
        }
        let held = &self.owner.held;
        let is_held = |key: &[u8]| held.holds_any() && held.holds(key, Access::Write);
        self.owner.shard.evict_but(is_held).map(|bytes| bytes as u64)
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
