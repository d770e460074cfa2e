//! The seam between a node and the process it is part of: what commands ask about it and have done to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tessera_command::Error;
use tessera_command::host::facts::{CpuFacts, ServerFacts};
use tessera_config::{Config, SetError};

/// What the allocator and the system say of the process's memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessMemory {
    /// Handed out by the allocator.
    pub used: u64,
    /// The highest value of that seen so far.
    pub peak: u64,
    /// Its value when the server had started.
    pub startup: u64,
    /// Pages of the process in memory.
    pub resident: u64,
    /// The machine's memory.
    pub system: u64,
    /// The allocator's name and version.
    pub allocator: &'static str,
}

/// As long as this lives, no other server may use a directory.
#[derive(Clone)]
pub struct DirectoryGuard(
    #[expect(dead_code, reason = "it does its work by being there")] Arc<dyn Send + Sync>,
);

impl DirectoryGuard {
    /// Which lasts as long as `lock`.
    pub fn new(lock: Arc<dyn Send + Sync>) -> DirectoryGuard {
        DirectoryGuard(lock)
    }
}

impl fmt::Debug for DirectoryGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DirectoryGuard")
    }
}

/// The process around the nodes. Used from all their threads, for commands that are rare.
pub trait System: Send + Sync {
    /// What the server is and runs on.
    fn server(&self) -> ServerFacts;
    /// Random, 40 hexadecimal digits: an identity for replication.
    fn replication_id(&self) -> String;
    /// Memory of the process.
    fn memory(&self) -> ProcessMemory;
    /// What the allocator has given out, in bytes. Asked for often, so it must cost little.
    fn used_memory_bytes(&self) -> u64;
    /// Looks whether more is given out than ever before: [`ProcessMemory::peak`] knows of it then. Asked for often, so
    /// it must cost little.
    fn note_memory_peak(&self);
    /// Pages of the process in memory that are no file's, in bytes, as they were lately. Asked for often, so it must
    /// cost little.
    fn resident_heap_bytes(&self) -> u64;
    /// Whether a block of memory of this thread's shard, told by an address in it, had better be moved: the allocator
    /// keeps it on a page that is hardly used, and would not put it there again.
    fn is_sparse(&self, address: *const u8) -> bool;
    /// Processor time of the process, and of the thread that asks.
    fn cpu(&self) -> CpuFacts;
    /// Puts changed parameters into effect, as far as they are the process's: all or none.
    ///
    /// # Errors
    /// Which one could not be, and why.
    fn apply(&self, before: &Config, after: &Config, changed: &[tessera_config::Id]) -> Result<(), SetError>;
    /// Keeps other servers out of the data directory, or goes on doing so. Whoever reads or writes there holds what is
    /// answered meanwhile. It takes some calls of the system that do not wait for a disk.
    ///
    /// # Errors
    /// Another server uses the directory, or it is not there: a sentence.
    fn lock_directory(&self, directory: &Path) -> Result<DirectoryGuard, String>;
    /// The whole path of the directory that the process works in, if that can be told.
    fn directory(&self) -> Option<PathBuf>;
    /// Writes the configuration into the file it came from.
    ///
    /// # Errors
    /// The error reply.
    fn rewrite(&self, config: &Config) -> Result<(), Error>;
    /// Writes a line to the log, at level warning: of what somebody may have to do something about.
    fn log(&self, text: &[u8]);
    /// Writes a line to the log, at level notice: of what happens every day.
    fn notice(&self, text: &[u8]);
    /// Writes a line to the log, at level verbose: of what matters to whoever looks for something. It is made only if
    /// it is shown.
    fn verbose(&self, text: &dyn Fn() -> String);
    /// Stops the thread that asks for so long.
    fn sleep(&self, duration_us: u64);
    /// Gives memory that the thread does not use back to the system.
    fn purge_memory(&self);
    /// What the allocator says of itself, if it can.
    fn allocator_report(&self) -> Option<String>;
}
