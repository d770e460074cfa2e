//! What DEBUG may look at and change, for tests of clients.

use tessera_keyspace::Shard;

/// The inside of a node.
pub trait Debugging {
    /// DEBUG SLEEP: stops the threads of all nodes for so long.
    fn sleep(&mut self, duration_us: u64);

    /// DEBUG SET-ACTIVE-EXPIRE: whether this node looks for expired keys by itself.
    fn set_active_expire(&mut self, enabled: bool);

    /// This node's shard, to look at.
    fn shard(&self) -> &Shard;

    /// DEBUG QUICKLIST-PACKED-THRESHOLD: from which length on elements get a node of their own in this node's long
    /// lists, in bytes.
    fn set_list_large_len(&mut self, len_bytes: u32);

    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: whether this node takes payloads of RESTORE whose checksum is wrong.
    fn set_skip_checksums(&mut self, skip: bool);
}
