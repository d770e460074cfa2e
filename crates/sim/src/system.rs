//! The process around virtual nodes: there is none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use tessera_command::Error;
use tessera_command::host::facts::{CpuFacts, ServerFacts};
use tessera_config::{Config, Id, SetError};
use tessera_node::Shared;
use tessera_node::system::{DirectoryGuard, ProcessMemory, System};

/// What each node's heap seems to have besides what is used, in bytes: always enough to defragment.
const FRAGMENTATION_BYTES: u64 = 1 << 30;
/// One of so many blocks seems to be worth moving.
const SPARSE_SHARE: u64 = 3;

/// The locks on directories of a disk that several servers use.
#[derive(Clone, Default)]
pub struct DirectoryLocks {
    taken: Arc<Mutex<BTreeMap<PathBuf, Weak<()>>>>,
}

impl DirectoryLocks {
    /// Takes one, if nobody has it.
    fn take(&self, directory: &Path) -> Option<Arc<()>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(directory).is_some_and(|lock| lock.strong_count() > 0) {
            return None;
        }
        let lock = Arc::new(());
        taken.insert(directory.to_owned(), Arc::downgrade(&lock));
        Some(lock)
    }
}

/// A process without file or log, whose only memory is that of the keys. A part of their blocks, drawn at random, is
/// told to be worth moving whenever somebody asks.
pub struct NoProcess {
    /// How many nodes there are.
    pub shards: usize,
    /// What they share, once that exists.
    pub shared: Arc<OnceLock<Weak<Shared>>>,
    /// What the draw of blocks follows from.
    pub seed: AtomicU64,
    /// Locks on directories of its disk.
    pub locks: DirectoryLocks,
    /// The one that it has.
    pub held: Mutex<Option<(PathBuf, Arc<()>)>>,
}

impl System for NoProcess {
    fn server(&self) -> ServerFacts {
        ServerFacts { version: "0.0.0", io_driver: "virtual", shards: self.shards, ..ServerFacts::default() }
    }

    fn lock_directory(&self, directory: &Path) -> Result<DirectoryGuard, String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, lock)) = held.as_ref().filter(|(path, _)| path == directory) {
            return Ok(DirectoryGuard::new(lock.clone()));
        }
        let lock = self.locks.take(directory).ok_or("another server uses the directory")?;
        *held = Some((directory.to_owned(), lock.clone()));
        Ok(DirectoryGuard::new(lock))
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

    fn apply(&self, _before: &Config, after: &Config, changed: &[Id]) -> Result<(), SetError> {
        if changed.contains(&Id::Dir) {
            self.lock_directory(&after.dir).map_err(|problem| SetError::not_applied(Id::Dir, problem))?;
        }
        Ok(())
    }

    fn rewrite(&self, _config: &Config) -> Result<(), Error> {
        Err(Error::Text("ERR The server is running without a config file"))
    }

    fn log(&self, _text: &[u8]) {}

    fn note_memory_peak(&self) {}

    fn notice(&self, _text: &[u8]) {}

    fn verbose(&self, _text: &dyn Fn() -> String) {}

    fn sleep(&self, _duration_us: u64) {}

    fn purge_memory(&self) {}

    fn allocator_report(&self) -> Option<String> {
        None
    }
}
