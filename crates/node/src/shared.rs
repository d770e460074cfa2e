//! What the nodes have in common. Commands on keys never come here; what is behind a lock is for rare occasions.

use crate::loading::LoadingProgress;
use crate::mesh::Bell;
use crate::owner::defragmentation::time::DefragTime;
use crate::owner::memory::excess::Excess;
use crate::snapshot::Persistence;
use crate::stats::{Counters, NodeStats};
use crate::system::System;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tessera_command::Registry;
use tessera_command::host::{LatencyMonitor, Slowlog};
use tessera_config::Config;
use tessera_routing::SlotTable;

/// Where a direct reply stands: see [`crate::direct`].
pub type DirectState = AtomicU32;

/// Connections of one node that can get direct replies; those beyond get theirs through their home.
const DIRECT_MAX_CONNECTIONS: usize = 64 * 1024;

/// The server, as its nodes share it.
pub struct Shared {
    /// All commands.
    pub registry: &'static Registry,
    /// Which shard owns which slots.
    pub slots: SlotTable,
    /// What each node publishes.
    pub stats: Box<[NodeStats]>,
    /// Wakes each node.
    pub bells: Arc<[Arc<Bell>]>,
    /// For each node and connection index, the state of its direct reply.
    pub direct: Box<[Box<[DirectState]>]>,
    /// What all nodes know of bounded memory.
    pub excess: Excess,
    /// DEBUG SLEEP: all nodes stand still until then, in monotonic nanoseconds.
    pub stopped_until_ns: AtomicU64,
    /// For how long nodes defragment.
    pub defrag_time: DefragTime,
    /// How far loading is.
    pub loading: LoadingProgress,
    /// What is asked for of snapshots, and what is told of them.
    pub persistence: Persistence,
    /// The process.
    pub system: Box<dyn System>,
    /// When the server started, in Unix microseconds.
    pub started_at_unix_us: i64,
    config: Mutex<Arc<Config>>,
    config_version: AtomicU64,
    slowlog: Mutex<Slowlog>,
    latency: Mutex<LatencyMonitor>,
    next_client_id: AtomicU64,
    monitors: AtomicUsize,
    /// The same by node.
    monitors_by_node: Box<[AtomicUsize]>,
    purges: AtomicUsize,
    shutting_down: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind these locks is whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// The common part of a server of so many nodes as there are `bells`.
    pub fn new(
        registry: &'static Registry,
        config: Config,
        bells: Arc<[Arc<Bell>]>,
        system: Box<dyn System>,
        started_at_unix_us: i64,
    ) -> Shared {
        let nodes = bells.len();
        let databases = usize::from(config.databases);
        let direct_len = DIRECT_MAX_CONNECTIONS.min(config.max_clients as usize + 1024);
        Shared {
            registry,
            slots: SlotTable::even(nodes as u16),
            stats: (0..nodes).map(|_| NodeStats::new(databases, registry.numbered().len())).collect(),
            bells,
            direct: (0..nodes).map(|_| (0..direct_len).map(|_| DirectState::new(0)).collect()).collect(),
            excess: Excess::default(),
            stopped_until_ns: AtomicU64::new(0),
            defrag_time: DefragTime::default(),
            loading: LoadingProgress::default(),
            persistence: Persistence::new(started_at_unix_us.div_euclid(1_000_000)),
            system,
            started_at_unix_us,
            config: Mutex::new(Arc::new(config)),
            config_version: AtomicU64::new(0),
            slowlog: Mutex::default(),
            latency: Mutex::default(),
            next_client_id: AtomicU64::new(1),
            monitors: AtomicUsize::new(0),
            monitors_by_node: (0..nodes).map(|_| AtomicUsize::new(0)).collect(),
            purges: AtomicUsize::new(0),
            shutting_down: AtomicBool::new(false),
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Config> {
        lock(&self.config).clone()
    }

    /// Grows with every change of the configuration.
    #[inline]
    pub fn config_version(&self) -> u64 {
        self.config_version.load(Ordering::Acquire)
    }

    /// Replaces the configuration by what `change` makes of it, one change at a time, and has all nodes notice.
    ///
    /// # Errors
    /// What `change` fails with; nothing is replaced then.
    pub fn change_config<E>(
        &self,
        change: impl FnOnce(&Config) -> Result<Config, E>,
    ) -> Result<Arc<Config>, E> {
        let mut config = lock(&self.config);
        *config = Arc::new(change(&config)?);
        self.config_version.fetch_add(1, Ordering::Release);
        let changed = config.clone();
        drop(config);
        self.wake_all();
        Ok(changed)
    }

    /// The slow log.
    pub fn slowlog(&self) -> MutexGuard<'_, Slowlog> {
        lock(&self.slowlog)
    }

    /// The latency monitor.
    pub fn latency(&self) -> MutexGuard<'_, LatencyMonitor> {
        lock(&self.latency)
    }

    /// A number for a new client.
    pub fn next_client_id(&self) -> u64 {
        self.next_client_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Clients of all nodes.
    pub fn clients(&self) -> u32 {
        self.stats.iter().map(|stats| stats.clients.load(Ordering::Relaxed)).sum()
    }

    /// How many clients monitor, on all nodes.
    #[inline]
    pub fn monitors(&self) -> usize {
        self.monitors.load(Ordering::Relaxed)
    }

    /// Asks all nodes to give memory that they do not use back to the system.
    pub fn ask_for_purge(&self) {
        self.purges.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was asked for.
    pub fn purges(&self) -> usize {
        self.purges.load(Ordering::Relaxed)
    }

    /// The nodes with clients that monitor.
    pub fn nodes_with_monitors(&self) -> impl Iterator<Item = usize> {
        let counts = self.monitors_by_node.iter().enumerate();
        counts.filter(|(_, count)| count.load(Ordering::Relaxed) > 0).map(|(node, _)| node)
    }

    /// Counts a monitoring client of a node in or out.
    pub fn note_monitor(&self, node: usize, begins: bool) {
        for count in [&self.monitors, &self.monitors_by_node[node]] {
            if begins {
                count.fetch_add(1, Ordering::Relaxed);
            } else {
                count.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// The counters of all nodes, summed.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        self.stats.iter().for_each(|stats| stats.counters.add_to(&mut sum));
        sum
    }

    /// Keys of database `db` in each shard.
    pub fn keys_by_shard(&self, db: u16) -> impl Iterator<Item = u64> {
        let keys = move |stats: &NodeStats| {
            stats.databases.get(usize::from(db)).map_or(0, |database| database.keys.load(Ordering::Relaxed))
        };
        self.stats.iter().map(keys)
    }

    /// The server is ending.
    #[inline]
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down.load(Ordering::Acquire)
    }

    /// Ends the server. May be called from any thread, also more than once.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Release);
        self.wake_all();
    }

    /// All is loaded: clients are served from now on.
    pub(crate) fn end_loading(&self) {
        self.loading.end();
        self.wake_all();
    }

    fn wake_all(&self) {
        self.bells.iter().for_each(|bell| bell.wake());
    }
}
