//! A shard: all databases of one core's slots.

use crate::change::Database;
use crate::effect::Effects;
use crate::event::Events;
use crate::eviction::{EvictionPolicy, Pool};
use crate::graveyard::Graveyard;
use crate::snapshot::{Clearing, SnapshotLayout, Writer};
use crate::stream::Streams;
use crate::stream::kept::KeptValues;
use crate::table::{Entry, Lookup};
use crate::usage::{Usage, decayed, idle_s};
use crate::view::{View, ViewMut};
use crate::waiting::WaitedKeys;
use crate::watched::WatchedKeys;
use ahash::RandomState;
use std::cell::{Cell, RefCell};
use tessera_values::Thresholds;

/// Keys met expired by reads that are remembered for removal between two calls of
/// [`Shard::remove_met_expired`]; the others are found by the active cycle.
const MET_EXPIRED_MAX: usize = 4096;

/// Counters of a shard, as INFO's stats section names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardStats {
    /// Reads that found their key.
    pub keyspace_hits: u64,
    /// Reads that did not.
    pub keyspace_misses: u64,
    /// Keys removed because their time was over.
    pub expired_keys: u64,
    /// Keys removed because memory was short.
    pub evicted_keys: u64,
    /// Writes that changed something.
    pub dirty: u64,
}

/// Default of [`ShardSettings::string_max_len_bytes`]: 512 MB, as Redis's `proto-max-bulk-len`.
pub const STRING_MAX_LEN_BYTES: u64 = 512 * 1024 * 1024;

/// What the server's configuration says to a shard. Changes count from the next command on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardSettings {
    /// Longest string that a command may grow a value to, in bytes (`proto-max-bulk-len`).
    pub string_max_len_bytes: u64,
    /// Which keys go when memory is short (`maxmemory-policy`).
    pub eviction_policy: EvictionPolicy,
    /// How many keys are looked at for each that goes (`maxmemory-samples`).
    pub eviction_samples: u32,
    /// See [`Usage::Frequency`].
    pub lfu_log_factor: u32,
    /// See [`Usage::Frequency`], in minutes.
    pub lfu_decay_time_min: u32,
    /// When small collections become large ones. The seed in it is the shard's own, whatever it is told.
    pub thresholds: Thresholds,
    /// Flushing frees memory later if the client does not say when (`lazyfree-lazy-user-flush`).
    pub lazy_flush: bool,
    /// Redis would keep small integers once for all keys, because their uses need not be told apart (`maxmemory` and
    /// `maxmemory-policy`).
    pub shares_integers: bool,
    /// DUMP compresses strings (`rdbcompression`).
    pub compress_dumps: bool,
    /// RESTORE takes payloads whose checksum is wrong. Not from the configuration.
    pub skip_checksums: bool,
    /// When large values are freed.
    pub lazy_free: LazyFree,
}

/// Whether large values are freed later, a piece at a time, rather than at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LazyFree {
    /// Of evicted keys (`lazyfree-lazy-eviction`).
    pub eviction: bool,
    /// Of expired keys (`lazyfree-lazy-expire`).
    pub expire: bool,
    /// Of keys that a command replaces or removes besides what it is for (`lazyfree-lazy-server-del`).
    pub server_delete: bool,
    /// Of keys that DEL removes (`lazyfree-lazy-user-del`).
    pub user_delete: bool,
}

impl Default for LazyFree {
    /// Everything later.
    fn default() -> LazyFree {
        LazyFree { eviction: true, expire: true, server_delete: true, user_delete: true }
    }
}

impl ShardSettings {
    /// How uses of keys are remembered.
    #[inline]
    pub fn usage(&self) -> Usage {
        if self.eviction_policy.counts_uses() {
            Usage::Frequency { log_factor: self.lfu_log_factor, decay_time_min: self.lfu_decay_time_min }
        } else {
            Usage::Recency
        }
    }
}

impl Default for ShardSettings {
    fn default() -> ShardSettings {
        ShardSettings {
            string_max_len_bytes: STRING_MAX_LEN_BYTES,
            eviction_policy: EvictionPolicy::NoEviction,
            eviction_samples: 5,
            lfu_log_factor: 10,
            lfu_decay_time_min: 1,
            thresholds: Thresholds::default(),
            lazy_flush: false,
            shares_integers: true,
            compress_dumps: true,
            skip_checksums: false,
            lazy_free: LazyFree::default(),
        }
    }
}

/// Says whether a key belongs to a shard.
pub type OwnsKey = Box<dyn Fn(&[u8]) -> bool + Send>;

/// Which keys belong to the shard; all of them if nobody said.
struct OwnedKeys(Option<OwnsKey>);

impl std::fmt::Debug for OwnedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "some keys" } else { "all keys" })
    }
}

/// One core's keys. See the crate's documentation for what it does not know.
#[derive(Debug)]
pub struct Shard {
    pub(crate) databases: Vec<Database>,
    pub(crate) hasher: RandomState,
    pub(crate) random: RefCell<fastrand::Rng>,
    now_ms: i64,
    settings: ShardSettings,
    hits: Cell<u64>,
    misses: Cell<u64>,
    expired_keys: u64,
    pub(crate) evicted_keys: u64,
    pub(crate) eviction_pool: Pool,
    dirty: u64,
    pub(crate) met_expired: RefCell<Vec<(u16, Box<[u8]>)>>,
    pub(crate) effects: Effects,
    pub(crate) events: Events,
    pub(crate) graveyard: Graveyard,
    pub(crate) waited_keys: WaitedKeys,
    pub(crate) watched_keys: WatchedKeys,
    pub(crate) streams: Streams,
    pub(crate) kept: KeptValues,
    pub(crate) snapshot: Option<Box<Writer>>,
    /// What the last one that has come to its end has where, until somebody asks.
    pub(crate) snapshot_layout: SnapshotLayout,
    pub(crate) clearing: Clearing,
    owned: OwnedKeys,
}

impl Shard {
    /// An empty shard of `databases` databases (1 to 65,535). Everything random in it follows from `seed`.
    pub fn new(databases: u16, seed: u64) -> Shard {
        let mut random = fastrand::Rng::with_seed(seed);
        let hasher = RandomState::with_seeds(random.u64(..), random.u64(..), random.u64(..), random.u64(..));
        let mut settings = ShardSettings::default();
        settings.thresholds.seed = random.u64(..);
        Shard {
            databases: (0..databases.max(1)).map(|_| Database::new(hasher.clone())).collect(),
            hasher,
            random: RefCell::new(random),
            now_ms: 0,
            settings,
            hits: Cell::new(0),
            misses: Cell::new(0),
            expired_keys: 0,
            evicted_keys: 0,
            eviction_pool: Pool::default(),
            dirty: 0,
            met_expired: RefCell::default(),
            effects: Effects::default(),
            events: Events::default(),
            graveyard: Graveyard::default(),
            waited_keys: WaitedKeys::default(),
            watched_keys: WatchedKeys::default(),
            streams: Streams::default(),
            kept: KeptValues::default(),
            snapshot: None,
            snapshot_layout: SnapshotLayout::default(),
            clearing: Clearing::default(),
            owned: OwnedKeys(None),
        }
    }

    /// Tells the shard the time, in Unix milliseconds. It stands still until told again.
    #[inline]
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// What it was last told.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What the configuration says.
    #[inline]
    pub fn settings(&self) -> ShardSettings {
        self.settings
    }

    /// Tells the shard what the configuration says.
    pub fn set_settings(&mut self, settings: ShardSettings) {
        if settings.eviction_policy != self.settings.eviction_policy {
            // Ranks by one policy mean nothing to another.
            self.eviction_pool = Pool::default();
        }
        let seed = self.settings.thresholds.seed;
        self.settings = settings;
        self.settings.thresholds.seed = seed;
    }

    /// Tells the shard which keys are its own, for commands that think of keys themselves ([`Shard::owns`]).
    pub fn set_owned_keys(&mut self, owns: OwnsKey) {
        self.owned = OwnedKeys(Some(owns));
    }

    /// Whether a key belongs here.
    pub fn owns(&self, key: &[u8]) -> bool {
        self.owned.0.as_ref().is_none_or(|owns| owns(key))
    }

    /// How many databases there are.
    pub fn databases_len(&self) -> usize {
        self.databases.len()
    }

    /// Database number `db`. Panics if there is no such.
    pub fn database(&self, db: u16) -> &Database {
        &self.databases[db as usize]
    }

    /// Memory of keys and values in all databases, in bytes.
    pub fn entry_bytes(&self) -> usize {
        self.databases.iter().map(Database::entry_bytes).sum()
    }

    /// Database `db` as a read command sees it. `touch`: uses are noted for OBJECT IDLETIME.
    #[inline]
    pub fn view(&self, db: u16, touch: bool) -> View<'_> {
        View::new(self, db, touch)
    }

    /// Database `db` as a write command sees it.
    #[inline]
    pub fn view_mut(&mut self, db: u16, touch: bool) -> ViewMut<'_> {
        ViewMut::new(self, db, touch)
    }

    /// Brings the entries of several keys, and elements of what they hold, closer to the processor. Looking for them
    /// one right after the other lets it wait for memory once instead of once per command. Changes nothing that can be
    /// seen.
    pub fn prefetch<'k>(&self, db: u16, lookups: impl Iterator<Item = Lookup<'k>>) {
        self.databases[db as usize].table().prefetch(lookups);
    }

    /// The recorder of rewritten effects.
    pub fn effects_mut(&mut self) -> &mut Effects {
        &mut self.effects
    }

    /// What becomes of keys.
    pub fn events_mut(&mut self) -> &mut Events {
        &mut self.events
    }

    /// The counters.
    pub fn stats(&self) -> ShardStats {
        ShardStats {
            keyspace_hits: self.hits.get(),
            keyspace_misses: self.misses.get(),
            expired_keys: self.expired_keys,
            evicted_keys: self.evicted_keys,
            dirty: self.dirty,
        }
    }

    /// Sets the counters that CONFIG RESETSTAT resets to 0.
    pub fn reset_stats(&mut self) {
        self.hits.set(0);
        self.misses.set(0);
        self.expired_keys = 0;
        self.evicted_keys = 0;
    }

    /// Notes that a write changed something.
    #[inline]
    pub fn note_dirty(&mut self) {
        self.dirty += 1;
    }

    /// Frees up to `segments` segments of flushed tables, or as many pieces of large values, or tidies up as many
    /// segments after a snapshot that was aborted. True if there is more to do.
    pub fn reclaim(&mut self, segments: usize) -> bool {
        for _ in 0..segments {
            if !self.has_garbage() {
                return false;
            }
            if self.graveyard.is_empty() {
                self.clear_marks();
            } else {
                self.graveyard.free_some();
            }
        }
        self.has_garbage()
    }

    /// The keys that somebody waits for.
    pub fn waited_keys(&mut self) -> &mut WaitedKeys {
        &mut self.waited_keys
    }

    /// [`Shard::reclaim`] has something to do.
    pub fn has_garbage(&self) -> bool {
        !self.graveyard.is_empty() || self.has_marks()
    }

    /// The shard's source of randomness.
    pub fn random(&self) -> std::cell::RefMut<'_, fastrand::Rng> {
        self.random.borrow_mut()
    }

    #[inline]
    pub(crate) fn note_lookup(&self, found: bool) {
        let counter = if found { &self.hits } else { &self.misses };
        counter.set(counter.get() + 1);
    }

    /// Notes a use of an entry, for eviction, OBJECT IDLETIME and OBJECT FREQ.
    #[inline]
    pub fn note_use(&self, entry: Entry<'_>) {
        let random = || self.random.borrow_mut().f64();
        let bits = self.settings.usage().bits_after_use(entry.usage_bits(), self.now_ms, random);
        entry.set_usage_bits(bits);
    }

    /// Seconds since the last use of an entry, where that is remembered.
    pub fn idle_s(&self, entry: Entry<'_>) -> u64 {
        u64::from(idle_s(entry.usage_bits(), self.now_ms))
    }

    /// How often an entry was used lately, on a scale of its own up to 255, where that is remembered.
    pub fn frequency(&self, entry: Entry<'_>) -> u8 {
        decayed(entry.usage_bits(), self.now_ms, self.settings.lfu_decay_time_min)
    }

    pub(crate) fn note_expired_keys(&mut self, count: usize) {
        self.expired_keys += count as u64;
    }

    #[cold]
    pub(crate) fn note_met_expired(&self, db: u16, key: &[u8]) {
        let mut met = self.met_expired.borrow_mut();
        if met.len() < MET_EXPIRED_MAX {
            met.push((db, key.into()));
        }
    }
}
