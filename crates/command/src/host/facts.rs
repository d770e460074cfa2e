//! The numbers behind INFO and MEMORY STATS.
//!
//! What can be read off the configuration is not here, nor what this version lacks: INFO prints those by itself.
//! Counters are summed over the nodes. All are since the start unless they say that CONFIG RESETSTAT resets them.

/// Everything, by section of INFO.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// `# Server`.
    pub server: ServerFacts,
    /// `# Clients`.
    pub clients: ClientsFacts,
    /// `# Memory`.
    pub memory: MemoryFacts,
    /// `# Persistence`.
    pub persistence: PersistenceFacts,
    /// What `# Persistence` tells of loading.
    pub loading: LoadingFacts,
    /// `# Stats`.
    pub stats: StatsFacts,
    /// `# Replication`.
    pub replication: ReplicationFacts,
    /// `# CPU`.
    pub cpu: CpuFacts,
    /// `# Keyspace`: one per database, in order, empty ones included.
    pub keyspace: Vec<DatabaseFacts>,
    /// `# Shards`: one per shard, in order.
    pub shards: Vec<ShardFacts>,
}

/// One shard and the node that it lies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardFacts {
    /// Keys of all databases.
    pub keys: u64,
    /// Of these, keys with an expiry.
    pub expires: u64,
    /// Memory of the keys and what they hold, in bytes.
    pub entry_bytes: u64,
    /// Memory of the tables that they are found in, in bytes.
    pub table_bytes: u64,
    /// Clients that the node speaks to.
    pub clients: u64,
    /// Commands of these; CONFIG RESETSTAT resets it.
    pub commands: u64,
    /// Of these, calls that went to other shards; likewise.
    pub hops: u64,
    /// Of late, in hundredths of a percent: how much of its time the node worked.
    pub load_percent_hundredths: u64,
}

/// One way into the server, as `listener0:` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// `tcp` or `unix`.
    pub name: &'static str,
    /// Addresses, or the path of a unix socket.
    pub addresses: Vec<String>,
    /// The TCP port; none for a unix socket.
    pub port: Option<u16>,
}

/// What the server is and runs on. Does not change while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// Tessera's version, as in `0.1.0`.
    pub version: &'static str,
    /// `release` or `debug`.
    pub build: &'static str,
    /// The commit it was built from, 8 hexadecimal digits; `00000000` if unknown.
    pub git_sha1: &'static str,
    /// It was built with changes on top of that commit.
    pub git_dirty: bool,
    /// Differs from build to build, 16 hexadecimal digits.
    pub build_id: String,
    /// The compiler's version, as in `1.92.0`.
    pub rustc_version: &'static str,
    /// System, release and machine, as `uname -srm` prints them.
    pub os: String,
    /// `io_uring` or `epoll`: what carries the network.
    pub io_driver: &'static str,
    /// How many shards there are, which is how many nodes.
    pub shards: usize,
    /// The process's number.
    pub process_id: u32,
    /// `no`, `systemd` or `unknown`.
    pub supervised: &'static str,
    /// Random, 40 hexadecimal digits.
    pub run_id: String,
    /// When it started, in Unix microseconds.
    pub started_at_unix_us: i64,
    /// The absolute path of the binary.
    pub executable: String,
    /// The absolute path of the configuration file; empty without one.
    pub config_file: String,
    /// What it listens on.
    pub listeners: Vec<Listener>,
}

/// Counts of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientsFacts {
    /// How many are connected.
    pub connected: u64,
    /// How many wait: in a blocking command, or held back by CLIENT PAUSE.
    pub blocked: u64,
    /// How many wait in a blocking command that has a timeout.
    pub timed: u64,
    /// How many keys are waited for.
    pub blocking_keys: u64,
    /// The largest input buffer of late, in bytes.
    pub recent_max_input_buffer_bytes: u64,
    /// The largest output buffer of late, in bytes.
    pub recent_max_output_buffer_bytes: u64,
    /// How many are paused because they left much unread.
    pub output_paused: u64,
    /// How often clients were; CONFIG RESETSTAT resets it.
    pub output_pauses: u64,
}

/// Memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryFacts {
    /// What was asked of the allocator and not given back.
    pub used_bytes: u64,
    /// The highest value of that seen so far.
    pub peak_bytes: u64,
    /// Its value when the server had started.
    pub startup_bytes: u64,
    /// Pages of the process in memory.
    pub resident_bytes: u64,
    /// What the allocator handed out, its rounding included; equal to `used_bytes` if it does not tell.
    pub allocator_allocated_bytes: u64,
    /// Pages that hold what was handed out.
    pub allocator_active_bytes: u64,
    /// Pages the allocator keeps from the system.
    pub allocator_resident_bytes: u64,
    /// The machine's memory.
    pub system_bytes: u64,
    /// Input and output buffers and state of all clients.
    pub clients_bytes: u64,
    /// The allocator's name and version.
    pub allocator: &'static str,
    /// The part of its time that some shard puts into defragmentation, in percent: the largest. 0: none does.
    pub defrag_effort_percent: u32,
    /// Flushed tables' keys that are still to be freed.
    pub lazy_free_pending: u64,
    /// Keys freed that way; CONFIG RESETSTAT resets it.
    pub lazy_freed: u64,
}

/// Snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersistenceFacts {
    /// Writes that changed something since the cut of the last snapshot that succeeded.
    pub changes: u64,
    /// One that nobody waits for is under way, since this time in Unix seconds.
    pub background_since_unix_s: Option<i64>,
    /// When the last one succeeded, in Unix seconds; the server's start before that.
    pub last_save_unix_s: i64,
    /// The last one in the background did not fail.
    pub last_is_ok: bool,
    /// How long that took, in seconds.
    pub last_duration_s: Option<i64>,
    /// How many were begun. CONFIG RESETSTAT resets it.
    pub saves: u64,
    /// Keys at the cut of the one under way.
    pub keys_total: u64,
    /// Of these, keys that are saved.
    pub keys_done: u64,
    /// What the one under way keeps in memory of entries that changed before it came to them, in bytes.
    pub ahead_bytes: u64,
    /// The most of that in the one under way, in bytes.
    pub peak_ahead_bytes: u64,
    /// The most of that in the last that ended, in bytes.
    pub last_peak_ahead_bytes: u64,
    /// What the one under way has written, in bytes.
    pub written_bytes: u64,
    /// How long the files of the last that succeeded are, in bytes.
    pub last_len_bytes: u64,
    /// For how long clients were held for the last cut, in microseconds.
    pub last_cut_us: u64,
    /// How often a cut was given up because it took too long.
    pub cuts_given_up: u64,
    /// Writes that had to wait for a snapshot.
    pub writers_waited: u64,
}

/// How far loading is, or how it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadingFacts {
    /// It has begun and not ended.
    pub is_loading: bool,
    /// When it began, in Unix seconds.
    pub started_at_unix_s: i64,
    /// The length of all there is to load, in bytes.
    pub total_bytes: u64,
    /// How much of that is loaded.
    pub loaded_bytes: u64,
    /// Memory that its writer used, in bytes; 0 if it does not say.
    pub used_memory_bytes: u64,
    /// How long it will take yet, in seconds.
    pub eta_s: u64,
    /// Keys loaded.
    pub keys_loaded: u64,
    /// Keys left out because their time was over.
    pub keys_expired: u64,
}

/// Counters. CONFIG RESETSTAT resets all of them, rates excepted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsFacts {
    /// Connections accepted.
    pub connections: u64,
    /// Commands run.
    pub commands: u64,
    /// Commands run per second, of late.
    pub commands_per_s: u64,
    /// Bytes received.
    pub input_bytes: u64,
    /// Bytes sent.
    pub output_bytes: u64,
    /// Bytes received per second, of late.
    pub input_bytes_per_s: u64,
    /// Bytes sent per second, of late.
    pub output_bytes_per_s: u64,
    /// Connections refused because there were `maxclients`.
    pub rejected_connections: u64,
    /// Keys removed because their time was over.
    pub expired_keys: u64,
    /// Estimated share of keys past their time among those with an expiry, 0 to 1.
    pub expired_stale_ratio: f64,
    /// How often the search for expired keys used up its time.
    pub expire_time_cap_reached: u64,
    /// Time spent in that search, in microseconds.
    pub expire_cycle_us: u64,
    /// Keys removed because memory was short.
    pub evicted_keys: u64,
    /// For how long memory was over its bound, in all, in microseconds.
    pub memory_exceeded_us: u64,
    /// For how long it is now, in microseconds.
    pub memory_exceeded_now_us: u64,
    /// Blocks of memory that defragmentation moved.
    pub defrag_hits: u64,
    /// Blocks that it looked at and did not move.
    pub defrag_misses: u64,
    /// Keys of which it moved anything.
    pub defrag_key_hits: u64,
    /// Keys that it looked at and of which it moved nothing.
    pub defrag_key_misses: u64,
    /// For how long defragmentation was under way, in all, in microseconds.
    pub defrag_us: u64,
    /// For how long it is now, in microseconds.
    pub defrag_now_us: u64,
    /// Reads that found their key.
    pub keyspace_hits: u64,
    /// Reads that did not.
    pub keyspace_misses: u64,
    /// Error replies.
    pub error_replies: u64,
    /// Receives that brought bytes.
    pub reads_processed: u64,
    /// Sends that took bytes.
    pub writes_processed: u64,
    /// Turns of the nodes' loops.
    pub loop_turns: u64,
    /// Time the loops spent working, in microseconds.
    pub loop_us: u64,
    /// Of that, in commands, in microseconds.
    pub loop_commands_us: u64,
    /// Turns per second, of late.
    pub loop_turns_per_s: u64,
    /// Microseconds per turn, of late.
    pub loop_us_per_turn: u64,
    /// AUTH and HELLO with a wrong password.
    pub authentication_failures: u64,
    /// What the network driver counts besides, as `field name, value`: printed at the section's end.
    pub driver: Vec<(&'static str, u64)>,
}

/// Of replication there is only an identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicationFacts {
    /// Random, 40 hexadecimal digits.
    pub id: String,
}

/// Processor time, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuFacts {
    /// In the kernel, all threads.
    pub system_us: u64,
    /// Outside, all threads.
    pub user_us: u64,
    /// In the kernel, children that ended.
    pub children_system_us: u64,
    /// Outside, children that ended.
    pub children_user_us: u64,
    /// In the kernel, the thread that answers.
    pub thread_system_us: u64,
    /// Outside, the thread that answers.
    pub thread_user_us: u64,
}

/// One database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Keys, those past their time but not removed yet included.
    pub keys: u64,
    /// Keys with an expiry.
    pub expires: u64,
    /// Estimated mean time to live of those, in milliseconds.
    pub mean_ttl_ms: u64,
    /// Its tables: what keys cost besides their entries, in bytes.
    pub table_bytes: u64,
}
