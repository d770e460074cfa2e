//! What each node counts, where all nodes can read it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use tessera_command::host::{CommandStats, ErrorStats};
use tessera_keyspace::Shard;

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// A node's counters while it works.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $field: u64,)* }

        /// The same, published once per turn.
        #[derive(Debug, Default)]
        pub struct PublishedCounters { $($field: AtomicU64,)* }

        impl PublishedCounters {
            /// Makes `counters` visible.
            #[inline]
            pub fn publish(&self, counters: &Counters) {
                $(self.$field.store(counters.$field, Ordering::Relaxed);)*
            }

            /// Adds what is visible to `sum`.
            pub fn add_to(&self, sum: &mut Counters) {
                $(sum.$field += self.$field.load(Ordering::Relaxed);)*
            }
        }
    };
}

counters! {
    /// Connections accepted.
    connections,
    /// Connections refused because there were `maxclients`.
    rejected_connections,
    /// How often clients were paused because they left much unread.
    output_pauses,
    /// Commands run.
    commands,
    /// Bytes received.
    input_bytes,
    /// Bytes sent.
    output_bytes,
    /// Receives that brought bytes.
    reads,
    /// Sends that took bytes.
    writes,
    /// Error replies.
    error_replies,
    /// AUTH and HELLO with a wrong password.
    authentication_failures,
    /// Turns of the loop.
    turns,
    /// Time spent working, in nanoseconds.
    busy_ns,
    /// Of that, in commands.
    commands_ns,
    /// How often the search for expired keys used up its time.
    expire_time_cap_reached,
    /// Time spent in that search, in nanoseconds.
    expire_cycle_ns,
    /// Blocks of memory that defragmentation moved.
    defrag_hits,
    /// Blocks that it looked at and did not move.
    defrag_misses,
    /// Keys of which it moved anything.
    defrag_key_hits,
    /// Keys that it looked at and of which it moved nothing.
    defrag_key_misses,
    /// Keys removed because their time was over.
    expired_keys,
    /// Keys removed because memory was short.
    evicted_keys,
    /// Commands that were to run here and were refused because memory was short, though they are counted.
    refused_commands,
    /// Reads that found their key.
    keyspace_hits,
    /// Reads that did not.
    keyspace_misses,
    /// Writes that changed something, not reset by CONFIG RESETSTAT.
    changes,
    /// Clients that wait.
    blocked_clients,
    /// Those of them whose waiting ends by itself.
    timed_clients,
    /// Keys of the node's shard that clients wait for.
    blocking_keys,
    /// Buffers and state of the node's clients, in bytes, as of the last round of housekeeping.
    clients_bytes,
    /// The largest input buffer of late, in bytes.
    input_buffer_max_bytes,
    /// Clients that are paused because they left much unread.
    output_paused_clients,
    /// The largest output buffer of late, in bytes.
    output_buffer_max_bytes,
    /// Commands per second of late.
    commands_per_s,
    /// Bytes received per second of late.
    input_bytes_per_s,
    /// Bytes sent per second of late.
    output_bytes_per_s,
    /// Turns per second of late.
    turns_per_s,
    /// Microseconds of work per second of late.
    busy_us_per_s,
    /// Keys at the cut of the snapshot under way.
    snapshot_keys_total,
    /// Of these, keys that are saved.
    snapshot_keys_done,
    /// What the snapshot under way has written, in bytes.
    snapshot_written_bytes,
    /// What it has saved ahead and keeps, in bytes.
    snapshot_ahead_bytes,
    /// Writes that had to wait for a snapshot.
    snapshot_writers_waited,
    /// Commands passed on to other shards.
    forwarded,
    /// Of those, replies that the owner wrote to the client's socket itself.
    direct_replies,
}

/// One database of one shard.
#[derive(Debug, Default)]
pub struct DatabaseCounters {
    /// Keys.
    pub keys: AtomicU64,
    /// Keys with an expiry.
    pub expires: AtomicU64,
    /// The mean time those have left, in milliseconds.
    pub mean_ttl_ms: AtomicU64,
    /// Memory of its table without the entries, in bytes, as of the last round of housekeeping.
    pub table_bytes: AtomicU64,
}

/// How large a shard is.
#[derive(Debug, Default)]
struct PublishedSize {
    keys: AtomicU64,
    volatile_keys: AtomicU64,
    entry_bytes: AtomicU64,
    has_garbage: AtomicBool,
}

/// How large a shard is, all databases together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardSize {
    /// Keys.
    pub keys: u64,
    /// Keys with an expiry.
    pub volatile_keys: u64,
    /// Memory of keys and values, in bytes.
    pub entry_bytes: u64,
    /// Flushed tables are still to be freed.
    pub has_garbage: bool,
}

/// All that one node publishes. The node alone writes, except where it says otherwise.
#[derive(Debug)]
pub struct NodeStats {
    /// Counters, as of the end of the last turn.
    pub counters: PublishedCounters,
    /// Its shard's databases, likewise.
    pub databases: Box<[DatabaseCounters]>,
    size: PublishedSize,
    /// Memory that the node is to free by eviction, in bytes. Others add, the node subtracts.
    pub owed_bytes: AtomicU64,
    /// After evicting so many keys it has paid, whatever they gave. Likewise.
    pub owed_keys: AtomicU64,
    /// The part of its time that goes into defragmentation, in percent.
    pub defrag_effort_percent: AtomicU32,
    /// Its commands.
    pub commands: CommandStats,
    /// Its error replies.
    pub errors: Mutex<ErrorStats>,
    /// Connections it has, or is about to get; whoever accepts counts up.
    pub clients: AtomicU32,
    /// Counters of its driver, as of the last round of housekeeping.
    pub driver: Mutex<Vec<(&'static str, u64)>>,
}

impl NodeStats {
    /// For a node with so many databases and so many commands and subcommands.
    pub fn new(databases: usize, commands: usize) -> NodeStats {
        NodeStats {
            counters: PublishedCounters::default(),
            databases: (0..databases).map(|_| DatabaseCounters::default()).collect(),
            size: PublishedSize::default(),
            owed_bytes: AtomicU64::new(0),
            owed_keys: AtomicU64::new(0),
            defrag_effort_percent: AtomicU32::new(0),
            commands: CommandStats::new(commands),
            errors: Mutex::default(),
            clients: AtomicU32::new(0),
            driver: Mutex::default(),
        }
    }

    /// Adds to what the node owes.
    pub fn owe(&self, keys: u64, bytes: u64) {
        self.owed_keys.fetch_add(keys, Ordering::Relaxed);
        self.owed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The node has evicted so many keys and freed so many bytes. Only the node itself may say so.
    pub fn pay(&self, keys: u64, bytes: u64) {
        let (owed_keys, owed_bytes) =
            (self.owed_keys.load(Ordering::Relaxed), self.owed_bytes.load(Ordering::Relaxed));
        if keys >= owed_keys || bytes >= owed_bytes {
            return self.forgive();
        }
        // Others only add to it.
        self.owed_keys.fetch_sub(keys, Ordering::Relaxed);
        self.owed_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The node owes nothing any more.
    pub fn forgive(&self) {
        self.owed_keys.store(0, Ordering::Relaxed);
        self.owed_bytes.store(0, Ordering::Relaxed);
    }

    /// Publishes how large `shard` is.
    pub fn publish_shard_size(&self, shard: &Shard) {
        let mut size = ShardSize { has_garbage: shard.has_garbage(), ..ShardSize::default() };
        for db in 0..shard.databases_len() {
            let database = shard.database(db as u16);
            size.keys += database.len() as u64;
            size.volatile_keys += database.volatile_len() as u64;
            size.entry_bytes += database.entry_bytes() as u64;
        }
        self.size.keys.store(size.keys, Ordering::Relaxed);
        self.size.volatile_keys.store(size.volatile_keys, Ordering::Relaxed);
        self.size.entry_bytes.store(size.entry_bytes, Ordering::Relaxed);
        self.size.has_garbage.store(size.has_garbage, Ordering::Relaxed);
    }

    /// How large the shard was when that was last published: at the end of its node's last turn, or later.
    pub fn shard_size(&self) -> ShardSize {
        ShardSize {
            keys: self.size.keys.load(Ordering::Relaxed),
            volatile_keys: self.size.volatile_keys.load(Ordering::Relaxed),
            entry_bytes: self.size.entry_bytes.load(Ordering::Relaxed),
            has_garbage: self.size.has_garbage.load(Ordering::Relaxed),
        }
    }

    /// Publishes one database of `shard`.
    pub fn publish_database(&self, shard: &Shard, db: u16) {
        let (database, counters) = (shard.database(db), &self.databases[usize::from(db)]);
        counters.keys.store(database.len() as u64, Ordering::Relaxed);
        counters.expires.store(database.volatile_len() as u64, Ordering::Relaxed);
        let mean_ttl_ms = database.average_ttl_ms(shard.now_ms());
        counters.mean_ttl_ms.store(mean_ttl_ms.unsigned_abs(), Ordering::Relaxed);
    }
}
