//! What each node counts, where all nodes can read it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
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
    /// Keys removed because their time was over.
    expired_keys,
    /// Reads that found their key.
    keyspace_hits,
    /// Reads that did not.
    keyspace_misses,
    /// Writes that changed something, not reset by CONFIG RESETSTAT.
    changes,
    /// Clients that wait.
    blocked_clients,
    /// Buffers and state of the node's clients, in bytes, as of the last round of housekeeping.
    clients_bytes,
    /// The largest input buffer of late, in bytes.
    input_buffer_max_bytes,
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

/// All that one node publishes. The node alone writes, except where it says otherwise.
#[derive(Debug)]
pub struct NodeStats {
    /// Counters, as of the end of the last turn.
    pub counters: PublishedCounters,
    /// Its shard's databases, likewise.
    pub databases: Box<[DatabaseCounters]>,
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
            commands: CommandStats::new(commands),
            errors: Mutex::default(),
            clients: AtomicU32::new(0),
            driver: Mutex::default(),
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
