//! The process around virtual nodes: there is none.

use tessera_command::Error;
use tessera_command::host::facts::{CpuFacts, ServerFacts};
use tessera_config::{Config, Id, SetError};
use tessera_node::system::{ProcessMemory, System};

/// A process without memory, file or log.
pub struct NoProcess {
    /// How many nodes there are.
    pub shards: usize,
}

impl System for NoProcess {
    fn server(&self) -> ServerFacts {
        ServerFacts { version: "0.0.0", io_driver: "virtual", shards: self.shards, ..ServerFacts::default() }
    }

    fn replication_id(&self) -> String {
        "0".repeat(40)
    }

    fn memory(&self) -> ProcessMemory {
        ProcessMemory { allocator: "none", ..ProcessMemory::default() }
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
