//! The process around virtual nodes: there is none.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use tessera_command::Error;
use tessera_command::host::facts::{CpuFacts, ServerFacts};
use tessera_config::{Config, Id, SetError};
use tessera_node::Shared;
use tessera_node::system::{ProcessMemory, System};

/// What each node's heap seems to have besides what is used, in bytes: always enough to defragment.
const FRAGMENTATION_BYTES: u64 = 1 << 30;
/// One of so many blocks seems to be worth moving.
const SPARSE_SHARE: u64 = 3;

/// A process without file or log, whose only memory is that of the keys. A part of their blocks, drawn at random, is told to
/// be worth moving whenever somebody asks.
pub struct NoProcess {
    /// How many nodes there are.
    pub shards: usize,
    /// What they share, once that exists.
    pub shared: Arc<OnceLock<Weak<Shared>>>,
    /// What the draw of blocks follows from.
    pub seed: AtomicU64,
}

impl System for NoProcess {
    fn server(&self) -> ServerFacts {
        ServerFacts { version: "0.0.0", io_driver: "virtual", shards: self.shards, ..ServerFacts::default() }
    }

    fn directory(&self) -> Option<PathBuf> {
        None
    }

    fn replication_id(&self) -> String {
        "0".repeat(40)
    }

    fn memory(&self) -> ProcessMemory {
        ProcessMemory { allocator: "none", ..ProcessMemory::default() }
    }

    fn used_memory_bytes(&self) -> u64 {
        let shared = self.shared.get().and_then(Weak::upgrade);
        shared.map_or(0, |shared| shared.stats.iter().map(|stats| stats.shard_size().entry_bytes).sum())
    }

    fn resident_heap_bytes(&self) -> u64 {
        self.used_memory_bytes() + FRAGMENTATION_BYTES
    }

    fn is_sparse(&self, _address: *const u8) -> bool {
        // Not by the address, which differs from run to run.
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        fastrand::Rng::with_seed(seed).u64(..SPARSE_SHARE) == 0
    }

    fn cpu(&self) -> CpuFacts {
        CpuFacts::default()
    }

    fn apply(&self, _before: &Config, _after: &Config, _changed: &[Id]) -> Result<(), SetError> {
        Ok(())
    }

    fn rewrite(&self, _config: &Config) -> Result<(), Error> {
        Err(Error::Text("ERR The server is running without a config file"))
    }

    fn log(&self, _text: &[u8]) {}

    fn sleep(&self, _duration_us: u64) {}

    fn purge_memory(&self) {}

    fn allocator_report(&self) -> Option<String> {
        None
    }
}
