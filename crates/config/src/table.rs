//! The table of parameters: the one place where a parameter is declared.

use std::path::PathBuf;

use crate::kind::Kind;
use crate::no_effect::{self, OtherValues};
use crate::types::{
    Access, CpuList, IoDriver, LogLevel, MaxMemoryPolicy, OutputBufferLimits, SanitizeDumpPayload,
    SavePoints, Secret, ShutdownFlags, Supervised,
};
use crate::value::{ByteCount, Field, FileName, Permissions, Value};

/// When a parameter may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// At any time, by CONFIG SET.
    Mutable,
    /// At start only; CONFIG SET refuses it.
    AtStart,
    /// At start, and by CONFIG SET for clients that `enable-protected-configs` allows.
    Protected,
}

/// What a parameter is about: the headings of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Addresses, sockets and connections.
    Network,
    /// The process and its files.
    General,
    /// Who may do what.
    Security,
    /// Bounds on what clients may use.
    Limits,
    /// Threads, cores and the interface to the kernel.
    Cores,
    /// How much memory to use, and what to do when that is all.
    Memory,
    /// Expiry of keys.
    Expiry,
    /// How small collections are kept.
    Encodings,
    /// Snapshots.
    Persistence,
    /// Slow log and latency.
    Monitoring,
    /// Features of Redis that this version lacks: their parameters tell the truth and accept nothing else.
    NotBuilt,
    /// Parameters that are accepted and have no effect.
    NoEffect,
}

impl Group {
    /// All groups in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Network,
        Self::General,
        Self::Security,
        Self::Limits,
        Self::Cores,
        Self::Memory,
        Self::Expiry,
        Self::Encodings,
        Self::Persistence,
        Self::Monitoring,
        Self::NotBuilt,
        Self::NoEffect,
    ];

    /// The heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::General => "General",
            Self::Security => "Security",
            Self::Limits => "Limits",
            Self::Cores => "Cores and drivers",
            Self::Memory => "Memory",
            Self::Expiry => "Expiry",
            Self::Encodings => "Encodings",
            Self::Persistence => "Persistence",
            Self::Monitoring => "Monitoring",
            Self::NotBuilt => "Not in this version",
            Self::NoEffect => "Accepted, no effect here",
        }
    }
}

/// What the table says of one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Which parameter this is.
    pub id: Id,
    /// Its name in the configuration file and on the command line.
    pub name: &'static str,
    /// Older names that mean the same.
    pub aliases: &'static [&'static str],
    /// What values it takes.
    pub kind: Kind,
    /// When it may change.
    pub mutability: Mutability,
    /// What it is about.
    pub group: Group,
    /// For a feature that is not built: what is missing. Only the default value is accepted then.
    pub not_built: Option<&'static str>,
    /// For a parameter that has no meaning here: why. Its values are checked, kept and told, and nothing follows from
    /// them.
    pub no_effect: Option<&'static str>,
    /// Only CONFIG GET of its very name tells it, no pattern.
    pub is_hidden: bool,
    pub(crate) summary: &'static str,
}

impl Parameter {
    /// What the parameter does, in one or two sentences, with units; or why it does nothing.
    pub fn summary(&self) -> String {
        let mut text = self.summary.trim().to_owned();
        if let Some(reason) = self.no_effect {
            text.push_str(&sentence(reason));
        }
        if let Some(missing) = self.not_built {
            let space = if text.is_empty() { "" } else { " " };
            text.push_str(&format!("{space}Only the default is accepted: {missing}."));
        }
        text
    }

    /// Whether the value must not appear in logs, the slow log or MONITOR.
    pub fn is_sensitive(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The name, then the aliases.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The value that holds when nothing else is said.
    pub fn default_value(&self) -> Value {
        Config::default().value(self.id)
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let (first, rest) = clause.split_at_checked(1).unwrap_or((clause, ""));
    format!("{}{rest}.", first.to_ascii_uppercase())
}

/// Finds a parameter by its name or an alias, without regard to case; with the name as the table spells it.
pub fn find(name: &[u8]) -> Option<(&'static Parameter, &'static str)> {
    PARAMETERS.iter().find_map(|parameter| {
        let spelled = parameter.names().find(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
        Some((parameter, spelled))
    })
}

macro_rules! parameters {
    ($(
        $(#[doc = $summary:literal])+
        $id:ident $name:literal $(or $alias:literal)* => $field:ident: $type:ty = $default:expr,
            $group:ident, $mutability:ident, $kind:expr $(, not built: $not_built:literal)? $(=> $hidden:ident)?;
    )+) => {
        /// Which parameter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Id {
            $( $(#[doc = $summary])+ $id, )+
            /// One of those whose values nothing reads: its place in their list.
            WithoutField(usize),
        }

        /// The value of every parameter.
        ///
        /// Reading a field is reading a field. Changing one directly skips every check: that is for the server's
        /// start and for tests.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $( $(#[doc = $summary])+ pub $field: $type, )+
            /// The values of the parameters that nothing reads.
            pub without_field: OtherValues,
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $( $field: $default, )+ without_field: OtherValues::default() }
            }
        }

        impl Config {
            /// The value of a parameter.
            pub fn value(&self, id: Id) -> Value {
                match id {
                    $( Id::$id => self.$field.to_value(), )+
                    Id::WithoutField(index) => self.without_field.value(index),
                }
            }

            /// Stores a value; `false` if it does not fit the field.
            pub(crate) fn store(&mut self, id: Id, value: Value) -> bool {
                match id {
                    $( Id::$id => match <$type as Field>::from_value(value) {
                        Some(value) => self.$field = value,
                        None => return false,
                    }, )+
                    Id::WithoutField(index) => return self.without_field.store(index, value),
                }
                true
            }
        }

        /// The parameters that have fields.
        const WITH_FIELDS: &[Parameter] = &[$(
            Parameter {
                id: Id::$id,
                name: $name,
                aliases: &[$($alias),*],
                kind: $kind,
                mutability: Mutability::$mutability,
                group: Group::$group,
                not_built: first!($($not_built)?),
                no_effect: None,
                is_hidden: is_hidden!($($hidden)?),
                summary: concat!($($summary),+),
            },
        )+];
    };
}

/// All parameters, in the order in which CONFIG GET, CONFIG REWRITE and the documentation list them.
pub static PARAMETERS: &[Parameter] = &{
    let mut all = [WITH_FIELDS[0]; WITH_FIELDS.len() + no_effect::COUNT];
    let mut index = 0;
    while index < all.len() {
        all[index] = match index.checked_sub(WITH_FIELDS.len()) {
            None => WITH_FIELDS[index],
            Some(other) => no_effect::parameter(other),
        };
        index += 1;
    }
    all
};

macro_rules! is_hidden {
    () => {
        false
    };
    (hidden) => {
        true
    };
}

macro_rules! first {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

/// The greatest `int`: the bound of many of Redis's parameters.
const INT_MAX: i64 = i32::MAX as i64;
/// The greatest `long`, as an unsigned number.
const LONG_MAX: u64 = i64::MAX as u64;
const MB: u64 = 1024 * 1024;

parameters! {
    /// Addresses to listen on. A leading `-` makes an address optional: no error if the machine lacks it. `*` stands
    /// for all IPv4 addresses, `::` for all IPv6 addresses. Empty: no TCP.
    Bind "bind" => bind: Vec<Vec<u8>> = vec![b"127.0.0.1".to_vec(), b"-::1".to_vec()],
        Network, Mutable, Kind::Addresses { max: 16 };

    /// The TCP port. 0: no TCP.
    Port "port" => port: u16 = 6379, Network, Mutable, Kind::Integer { min: 0, max: 65535 };

    /// Refuse clients from other machines while no password is set.
    ProtectedMode "protected-mode" => protected_mode: bool = true, Network, Mutable, Kind::Bool;

    /// How many connections may wait to be accepted, for each listening socket.
    TcpBacklog "tcp-backlog" => tcp_backlog: u32 = 511, Network, AtStart, Kind::Integer { min: 0, max: INT_MAX };

    /// Seconds of silence after which TCP asks whether the client is still there. 0: never.
    TcpKeepalive "tcp-keepalive" => tcp_keepalive_s: u32 = 300,
        Network, Mutable, Kind::Integer { min: 0, max: INT_MAX };

    /// Seconds after which an idle client is closed: one of which no byte has come and for which none has left, and
    /// that the server does not keep waiting. 0: never.
    Timeout "timeout" => timeout_s: u32 = 0, Network, Mutable, Kind::Integer { min: 0, max: INT_MAX };

    /// Path of a unix socket to listen on. Empty: none.
    UnixSocket "unixsocket" => unix_socket: Option<PathBuf> = None, Network, AtStart, Kind::OptionalPath;

    /// Permissions of the unix socket, in octal. 0: what the process's umask leaves.
    UnixSocketPermissions "unixsocketperm" => unix_socket_permissions: Permissions = Permissions(0),
        Network, AtStart, Kind::Permissions { max: 0o777 };

    /// Run in the background.
    Daemonize "daemonize" => daemonize: bool = false, General, AtStart, Kind::Bool;

    /// Report readiness to a service manager.
    Supervised "supervised" => supervised: Supervised = Supervised::No,
        General, AtStart, Kind::Choice(Supervised::NAMES);

    /// File that holds the process id while the server runs. Empty: none, unless in the background.
    PidFile "pidfile" => pid_file: Option<PathBuf> = None, General, AtStart, Kind::OptionalPath;

    /// How much to log.
    LogLevel "loglevel" => log_level: LogLevel = LogLevel::Notice, General, Mutable, Kind::Choice(LogLevel::NAMES);

    /// File to append the log to. Empty: standard output.
    LogFile "logfile" => log_file: Option<PathBuf> = None, General, AtStart, Kind::OptionalPath;

    /// The working directory: files are looked for and written here.
    Dir "dir" => dir: PathBuf = PathBuf::from("."), General, Protected, Kind::Path;

    /// How many databases SELECT can choose from.
    Databases "databases" => databases: u16 = 16, General, AtStart, Kind::Integer { min: 1, max: u16::MAX as i64 };

    /// How often per second background work runs. Moved into 1 to 500.
    Hz "hz" => hz: u32 = 10, General, Mutable, Kind::ClampedInteger { min: 0, max: INT_MAX, low: 1, high: 500 };

    /// What SIGINT does: `default` saves if there are save points; `save` and `nosave` say so; `force` ends the server
    /// even if saving fails; `now` waits for no replicas, of which there are none.
    ShutdownOnSigint "shutdown-on-sigint" => shutdown_on_sigint: ShutdownFlags = ShutdownFlags::default(),
        General, Mutable, Kind::ShutdownFlags;

    /// What SIGTERM does, in the same words.
    ShutdownOnSigterm "shutdown-on-sigterm" => shutdown_on_sigterm: ShutdownFlags = ShutdownFlags::default(),
        General, Mutable, Kind::ShutdownFlags;

    /// Password that clients must give. Empty: none.
    RequirePass "requirepass" => require_pass: Option<Secret> = None, Security, Mutable, Kind::Secret;

    /// Who may change protected parameters by CONFIG SET.
    EnableProtectedConfigs "enable-protected-configs" => enable_protected_configs: Access = Access::No,
        Security, AtStart, Kind::Choice(Access::NAMES);

    /// Who may use DEBUG.
    EnableDebugCommand "enable-debug-command" => enable_debug_command: Access = Access::No,
        Security, AtStart, Kind::Choice(Access::NAMES);

    /// Which payloads of RESTORE are looked at in full before they become values. Here all are, and files too, whatever
    /// this says: it costs little, and damage is found when it comes in.
    SanitizeDumpPayload "sanitize-dump-payload" => sanitize_dump_payload: SanitizeDumpPayload = SanitizeDumpPayload::No,
        Security, Mutable, Kind::Choice(SanitizeDumpPayload::NAMES);

    /// How many clients may be connected at a time.
    MaxClients "maxclients" => max_clients: u32 = 10_000,
        Limits, Mutable, Kind::Integer { min: 1, max: u32::MAX as i64 };

    /// Bytes of the longest argument a client may send.
    ProtoMaxBulkLen "proto-max-bulk-len" => proto_max_bulk_len: ByteCount = ByteCount(512 * MB),
        Limits, Mutable, Kind::MemorySize { min: MB, max: LONG_MAX };

    /// Bytes of one client that may wait to be read as commands, before it is closed: an unfinished argument, or what
    /// was sent behind a command that is under way or held. The arguments that have come of an unfinished command do
    /// not count.
    ClientQueryBufferLimit "client-query-buffer-limit" => client_query_buffer_limit: ByteCount = ByteCount(1024 * MB),
        Limits, Mutable, Kind::MemorySize { min: MB, max: LONG_MAX };

    /// Bytes that may wait for a client before it is closed, by class (`normal`, `replica`, `pubsub`): the hard bound,
    /// the soft bound, and the seconds the soft bound may be exceeded. 0: no bound.
    ClientOutputBufferLimit "client-output-buffer-limit" =>
        client_output_buffer_limit: OutputBufferLimits = OutputBufferLimits::default(),
        Limits, Mutable, Kind::OutputBufferLimits;

    /// A client that leaves more bytes of replies unread gets no further command executed until it has read down to
    /// half of that, and nothing more is received from it. A client that sends more than so many bytes ask for, and
    /// reads nothing before it has sent everything, waits for ever then. 0: no bound, as in Redis.
    ClientOutputBufferPause "client-output-buffer-pause" => client_output_buffer_pause: ByteCount = ByteCount(0),
        Limits, Mutable, Kind::MemorySize { min: 0, max: LONG_MAX };

    /// How many shards, each with its own thread. 0: one per core.
    Shards "shards" => shards: u32 = 0, Cores, AtStart, Kind::Integer { min: 0, max: 1024 };

    /// Cores to pin the shards' threads to, in this order, such as `0-7:2,9`. Empty: the cores of the process.
    ServerCpuList "server_cpulist" or "server-cpulist" => server_cpu_list: Option<CpuList> = None, Cores, AtStart,
        Kind::CpuList;

    /// The interface to the kernel for network and disk.
    IoDriver "io-driver" => io_driver: IoDriver = IoDriver::Auto, Cores, AtStart, Kind::Choice(IoDriver::NAMES);

    /// Commands of one pipeline take effect in their order also where their keys are on different shards: each waits
    /// for those before it on another shard. That costs most of what pipelines gain; see docs/consistency.md.
    OrderedPipelines "ordered-pipelines" => ordered_pipelines: bool = false, Cores, Mutable, Kind::Bool;

    /// Microseconds that an idle thread looks for work before it sleeps. Shortens the way between shards on a machine
    /// with cores to spare, for which it burns them.
    SpinUs "spin-us" => spin_us: u32 = 0, Cores, Mutable, Kind::Integer { min: 0, max: 1_000_000 };

    /// Bytes of memory that the whole process may use; past that, keys are evicted or writes refused. Over several
    /// shards the excess is evicted where the data lies. 0: no bound.
    MaxMemory "maxmemory" => max_memory: ByteCount = ByteCount(0),
        Memory, Mutable, Kind::MemorySize { min: 0, max: u64::MAX };

    /// Which keys are evicted when memory is full: the least recently used, the least frequently used, any, or those
    /// that expire first; among all keys or those with an expiry. `noeviction`: none, and writes that need memory are
    /// refused.
    MaxMemoryPolicy "maxmemory-policy" => max_memory_policy: MaxMemoryPolicy = MaxMemoryPolicy::NoEviction,
        Memory, Mutable, Kind::Choice(MaxMemoryPolicy::NAMES);

    /// How many keys are looked at for each that is evicted. More makes a better choice and takes more time. Values
    /// above 1000 count as 1000.
    MaxMemorySamples "maxmemory-samples" => max_memory_samples: u32 = 5,
        Memory, Mutable, Kind::Integer { min: 1, max: INT_MAX };

    /// For how long keys are evicted in one turn of a shard before clients have theirs: up to 10, so many times 50
    /// microseconds; above, 15 percent more with each step; 100: as long as it takes. Writes wait for as much to be
    /// evicted as they add in any case.
    MaxMemoryEvictionTenacity "maxmemory-eviction-tenacity" => max_memory_eviction_tenacity: u32 = 10,
        Memory, Mutable, Kind::Integer { min: 0, max: 100 };

    /// How slowly the count of a key's uses grows, for the policies that evict the least frequently used.
    LfuLogFactor "lfu-log-factor" => lfu_log_factor: u32 = 10,
        Memory, Mutable, Kind::Integer { min: 0, max: INT_MAX };

    /// Minutes after which a key's count of uses falls by one. 0: never.
    LfuDecayTime "lfu-decay-time" => lfu_decay_time_min: u32 = 1,
        Memory, Mutable, Kind::Integer { min: 0, max: INT_MAX };

    /// Large values of evicted keys are freed a bit at a time, not at once.
    LazyFreeLazyEviction "lazyfree-lazy-eviction" => lazy_free_lazy_eviction: bool = true,
        Memory, Mutable, Kind::Bool;

    /// Large values of expired keys are freed a bit at a time, not at once.
    LazyFreeLazyExpire "lazyfree-lazy-expire" => lazy_free_lazy_expire: bool = true,
        Memory, Mutable, Kind::Bool;

    /// Large values of keys that a command replaces, as RENAME does its target, are freed a bit at a time, not at once.
    LazyFreeLazyServerDel "lazyfree-lazy-server-del" => lazy_free_lazy_server_del: bool = true,
        Memory, Mutable, Kind::Bool;

    /// DEL frees large values a bit at a time, as UNLINK does, not at once.
    LazyFreeLazyUserDel "lazyfree-lazy-user-del" => lazy_free_lazy_user_del: bool = true,
        Memory, Mutable, Kind::Bool;

    /// FLUSHALL and FLUSHDB without an option free memory after their reply, a bit at a time, as with ASYNC.
    LazyFreeLazyUserFlush "lazyfree-lazy-user-flush" => lazy_free_lazy_user_flush: bool = false,
        Memory, Mutable, Kind::Bool;

    /// Move keys together when much memory is pages that are hardly used, as after most keys were deleted at random, so
    /// that these pages go back to the system. A shard does so in slices of a tenth of a millisecond.
    ActiveDefrag "activedefrag" => active_defrag: bool = true, Memory, Mutable, Kind::Bool;

    /// No defragmentation as long as fewer bytes of memory than this are resident and not in use.
    ActiveDefragIgnoreBytes "active-defrag-ignore-bytes" => active_defrag_ignore_bytes: ByteCount = ByteCount(100 * MB),
        Memory, Mutable, Kind::MemorySize { min: 1, max: i64::MAX as u64 };

    /// Nor as long as these are less than so many percent of the memory in use.
    ActiveDefragThresholdLower "active-defrag-threshold-lower" => active_defrag_threshold_lower: u32 = 10,
        Memory, Mutable, Kind::Integer { min: 0, max: 1000 };

    /// From so many percent on defragmentation works as hard as it may.
    ActiveDefragThresholdUpper "active-defrag-threshold-upper" => active_defrag_threshold_upper: u32 = 100,
        Memory, Mutable, Kind::Integer { min: 0, max: 1000 };

    /// The part of a shard's time, in percent, for defragmentation at the lower threshold.
    ActiveDefragCycleMin "active-defrag-cycle-min" => active_defrag_cycle_min: u32 = 1,
        Memory, Mutable, Kind::Integer { min: 1, max: 99 };

    /// The part of a shard's time, in percent, for defragmentation at the upper threshold.
    ActiveDefragCycleMax "active-defrag-cycle-max" => active_defrag_cycle_max: u32 = 25,
        Memory, Mutable, Kind::Integer { min: 1, max: 99 };

    /// Collections of more elements are not moved, nor are those of more than 256 KB.
    ActiveDefragMaxScanFields "active-defrag-max-scan-fields" => active_defrag_max_scan_fields: u64 = 1000,
        Memory, Mutable, Kind::Integer { min: 1, max: i64::MAX };

    /// How hard to look for expired keys, from 1 to 10: more finds them sooner and takes more time.
    ActiveExpireEffort "active-expire-effort" => active_expire_effort: u32 = 1,
        Expiry, Mutable, Kind::Integer { min: 1, max: 10 };

    /// Fields of the largest hash that is kept flat, as a listpack.
    HashMaxListpackEntries "hash-max-listpack-entries" or "hash-max-ziplist-entries" =>
        hash_max_listpack_entries: u64 = 512,
        Encodings, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Bytes of the longest field or value of such a hash.
    HashMaxListpackValue "hash-max-listpack-value" or "hash-max-ziplist-value" =>
        hash_max_listpack_value_bytes: ByteCount = ByteCount(64),
        Encodings, Mutable, Kind::MemorySize { min: 0, max: i64::MAX as u64 };

    /// How much of a list is kept together: so many elements if positive; -1 to -5: 4, 8, 16, 32 or 64 KB.
    ListMaxListpackSize "list-max-listpack-size" or "list-max-ziplist-size" => list_max_listpack_size: i32 = -2,
        Encodings, Mutable, Kind::Integer { min: i32::MIN as i64, max: INT_MAX };

    /// Members of the largest set of integers that is kept as a sorted array.
    SetMaxIntsetEntries "set-max-intset-entries" => set_max_intset_entries: u64 = 512,
        Encodings, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Members of the largest other set that is kept flat, as a listpack.
    SetMaxListpackEntries "set-max-listpack-entries" => set_max_listpack_entries: u64 = 128,
        Encodings, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Bytes of the longest member of such a set.
    SetMaxListpackValue "set-max-listpack-value" => set_max_listpack_value_bytes: u64 = 64,
        Encodings, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Members of the largest sorted set that is kept flat, as a listpack.
    ZsetMaxListpackEntries "zset-max-listpack-entries" or "zset-max-ziplist-entries" =>
        zset_max_listpack_entries: u64 = 128,
        Encodings, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Bytes of the longest member of such a sorted set.
    ZsetMaxListpackValue "zset-max-listpack-value" or "zset-max-ziplist-value" =>
        zset_max_listpack_value_bytes: ByteCount = ByteCount(64),
        Encodings, Mutable, Kind::MemorySize { min: 0, max: i64::MAX as u64 };

    /// Bytes of the longest HyperLogLog that is kept sparse.
    HllSparseMaxBytes "hll-sparse-max-bytes" => hll_sparse_max_bytes: ByteCount = ByteCount(3000),
        Encodings, Mutable, Kind::MemorySize { min: 0, max: i64::MAX as u64 };

    /// When to write a snapshot by itself: pairs of seconds and changes. One is due when so many seconds have passed
    /// since the last and so many changes have come. Empty: never; then nothing is saved at the end either.
    Save "save" => save: SavePoints = SavePoints::default(), Persistence, Mutable, Kind::SavePoints;

    /// The name of the snapshot's file, in `dir`. With a file for each shard, theirs and the manifest's begin like it.
    DbFilename "dbfilename" => db_filename: FileName = FileName::dump(), Persistence, Protected, Kind::FileName;

    /// Put all shards into one file, `dbfilename`, instead of one file each and a manifest.
    SnapshotMerged "snapshot-merged" => snapshot_merged: bool = false, Persistence, Mutable, Kind::Bool;

    /// Megabytes per second that a snapshot writes at most, all shards together. 0: as much as the disk takes.
    SnapshotRateLimitMb "snapshot-rate-limit-mb" => snapshot_rate_limit_mb: u64 = 0,
        Persistence, Mutable, Kind::Integer { min: 0, max: 1_000_000 };

    /// Bytes that each shard keeps at most of entries that changed before the snapshot came to them. Past that, writes
    /// to such entries wait for the disk; reads never do.
    SnapshotAheadMax "snapshot-ahead-max" => snapshot_ahead_max: ByteCount = ByteCount(32 * MB),
        Persistence, Mutable, Kind::MemorySize { min: MB, max: LONG_MAX };

    /// Compress strings in snapshots.
    RdbCompression "rdbcompression" => rdb_compression: bool = true, Persistence, Mutable, Kind::Bool;

    /// Write a checksum at the end of each snapshot file, and compare it when one is loaded.
    RdbChecksum "rdbchecksum" => rdb_checksum: bool = true, Persistence, AtStart, Kind::Bool;

    /// Refuse writes when the last snapshot failed, if there are save points, until one succeeds.
    StopWritesOnBgsaveError "stop-writes-on-bgsave-error" => stop_writes_on_bgsave_error: bool = true,
        Persistence, Mutable, Kind::Bool;

    /// For tests: so many microseconds for each key that a shard saves. -N: one microsecond for N keys.
    RdbKeySaveDelay "rdb-key-save-delay" => rdb_key_save_delay_us: i32 = 0,
        Persistence, Mutable, Kind::Integer { min: i32::MIN as i64, max: INT_MAX } => hidden;

    /// For tests: so many microseconds for each key that is loaded. -N: one microsecond for N keys.
    KeyLoadDelay "key-load-delay" => key_load_delay_us: i32 = 0,
        Persistence, Mutable, Kind::Integer { min: i32::MIN as i64, max: INT_MAX } => hidden;

    /// Microseconds from which a command is put into the slow log. 0: every command. -1: none.
    SlowlogLogSlowerThan "slowlog-log-slower-than" or "commandlog-execution-slower-than" =>
        slowlog_log_slower_than_us: i64 = 10_000,
        Monitoring, Mutable, Kind::Integer { min: -1, max: i64::MAX };

    /// How many entries the slow log keeps.
    SlowlogMaxLen "slowlog-max-len" or "commandlog-slow-execution-max-len" => slowlog_max_len: u64 = 128,
        Monitoring, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Milliseconds from which the latency monitor records an event. 0: off.
    LatencyMonitorThreshold "latency-monitor-threshold" => latency_monitor_threshold_ms: u64 = 0,
        Monitoring, Mutable, Kind::Integer { min: 0, max: i64::MAX };

    /// Keep a histogram of the latency of each command.
    LatencyTracking "latency-tracking" => latency_tracking: bool = true, Monitoring, Mutable, Kind::Bool;

    /// Percentiles of the latency of each command that INFO reports.
    LatencyTrackingInfoPercentiles "latency-tracking-info-percentiles" =>
        latency_tracking_info_percentiles: Vec<f64> = vec![50.0, 99.0, 99.9],
        Monitoring, Mutable, Kind::Percentiles;

    /// Log every write.
    AppendOnly "appendonly" => append_only: bool = false, NotBuilt, Mutable, Kind::Bool,
        not built: "this version does not log writes";

    /// Be a node of a cluster.
    ClusterEnabled "cluster-enabled" => cluster_enabled: bool = false, NotBuilt, AtStart, Kind::Bool,
        not built: "this version has no cluster mode";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_lower_case() {
        let mut seen = BTreeSet::new();
        for name in PARAMETERS.iter().flat_map(Parameter::names) {
            assert_eq!(name, name.to_ascii_lowercase());
            assert!(seen.insert(name), "{name} is declared twice");
        }
    }

    #[test]
    fn every_default_fits_its_kind_and_field() {
        for parameter in PARAMETERS {
            let default = parameter.default_value();
            let words = parameter.kind.split_argument(&default.print());
            let parsed = parameter.kind.parse(&words, &default);
            assert_eq!(parsed.as_ref(), Ok(&default), "{}", parameter.name);
            assert!(Config::default().store(parameter.id, default), "{}", parameter.name);
        }
    }

    #[test]
    fn bounds_of_integers_fit_their_fields() {
        for parameter in PARAMETERS {
            let (low, high) = match parameter.kind {
                Kind::Integer { min, max } => (min, max),
                Kind::ClampedInteger { low, high, .. } => (low, high),
                _ => continue,
            };
            for bound in [low, high] {
                assert!(
                    Config::default().store(parameter.id, Value::Integer(bound)),
                    "{} {bound}",
                    parameter.name
                );
            }
        }
    }

    #[test]
    fn summaries_are_sentences() {
        for parameter in PARAMETERS {
            assert!(parameter.summary().ends_with('.'), "{}", parameter.name);
        }
    }

    #[test]
    fn parameters_are_found_without_regard_to_case() {
        assert_eq!(
            find(b"MaxClients").map(|(parameter, name)| (parameter.id, name)),
            Some((Id::MaxClients, "maxclients"))
        );
        assert!(find(b"maxclient").is_none());
    }
}
