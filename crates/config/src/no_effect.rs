//! Parameters of Redis and Valkey that have no meaning here, and those of what is not built.
//!
//! Configuration files and tools name them, so they are known: their values are checked as Redis checks them, CONFIG
//! GET tells them, CONFIG REWRITE keeps them. Nothing reads them, so they have no field of their own in
//! [`Config`](crate::Config). What a value would promise and nobody would keep is refused: then only the default is
//! taken.

use std::sync::Arc;

use crate::kind::Kind;
use crate::table::{Group, Id, Mutability, Parameter};
use crate::value::Value;
use Mutability::{AtStart, Mutable};

const INT_MAX: i64 = i32::MAX as i64;
const LONG_MAX: u64 = i64::MAX as u64;

/// A number from 0.
const NATURAL: Kind = Kind::Integer { min: 0, max: INT_MAX };
/// A number from 1.
const POSITIVE: Kind = Kind::Integer { min: 1, max: INT_MAX };
/// A number from 0 to the greatest `long`.
const LONG: Kind = Kind::Integer { min: 0, max: i64::MAX };
/// A port; 0 for none.
const PORT: Kind = Kind::Integer { min: 0, max: 65535 };
/// A number of bytes.
const SIZE: Kind = Kind::MemorySize { min: 0, max: LONG_MAX };

// Why they have no effect, or what is missing.
const NO_LOG: &str = "there is no append-only log";
const NO_REPLICAS: &str = "there is no replication";
const NO_CLUSTER: &str = "there is no cluster mode";
const NO_TLS: &str = "there is no TLS";
const NO_SCRIPTS: &str = "there are no scripts";
const NO_ACL: &str = "there are no ACL users";
const NO_STREAMS: &str = "there are no streams";
const NO_SYSLOG: &str = "the log does not go to syslog";
const NO_FORK: &str = "snapshots are written without a child process";
const NO_TITLE: &str = "the title of the process is not changed";
const NO_OOM: &str =
    "the process's oom_score_adj is not changed: a service manager can set it (OOMScoreAdjust= in systemd)";
const NO_CRASH_LOG: &str = "a panic's message goes to the log in any case";
const SHARDS: &str = "every shard's thread reads and writes its clients' sockets: see shards";
const NO_LARGE_LOG: &str = "there is no log of large commands and replies";

/// A parameter whose values nothing reads.
macro_rules! without {
    ($name:literal $(or $alias:literal)*, $kind:expr, $default:literal, $mutability:ident, no effect: $reason:expr) => {
        Other {
            name: $name,
            aliases: &[$($alias),*],
            kind: $kind,
            default: $default,
            mutability: $mutability,
            group: Group::NoEffect,
            not_built: None,
            no_effect: Some($reason),
            is_hidden: false,
        }
    };
    ($name:literal $(or $alias:literal)*, $kind:expr, $default:literal, $mutability:ident, not built: $reason:expr) => {
        Other {
            name: $name,
            aliases: &[$($alias),*],
            kind: $kind,
            default: $default,
            mutability: $mutability,
            group: Group::NotBuilt,
            not_built: Some($reason),
            no_effect: None,
            is_hidden: false,
        }
    };
}

/// What the list says of one parameter.
#[derive(Clone, Copy)]
struct Other {
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    default: &'static str,
    mutability: Mutability,
    group: Group,
    not_built: Option<&'static str>,
    no_effect: Option<&'static str>,
    is_hidden: bool,
}

impl Other {
    /// The same, and only CONFIG GET of the very name tells it.
    const fn hidden(self) -> Other {
        Other { is_hidden: true, ..self }
    }
}

/// All of them. Names, kinds, defaults and bounds are Redis's and Valkey's; but a default that would say what is not so
/// here is what is so.
const OTHERS: &[Other] = &[
    // Replication.
    without!("replicaof" or "slaveof", Kind::ReplicaOf, "", AtStart, not built: NO_REPLICAS),
    without!("min-replicas-to-write" or "min-slaves-to-write", NATURAL, "0", Mutable, not built: NO_REPLICAS),
    without!("min-replicas-max-lag" or "min-slaves-max-lag", NATURAL, "10", Mutable, no effect: NO_REPLICAS),
    without!("masterauth" or "primaryauth", Kind::Secret, "", Mutable, no effect: NO_REPLICAS),
    without!("masteruser" or "primaryuser", Kind::Secret, "", Mutable, no effect: NO_REPLICAS),
    without!("replica-announce-ip" or "slave-announce-ip", Kind::OptionalText, "", Mutable, no effect: NO_REPLICAS),
    without!("replica-announce-port" or "slave-announce-port", PORT, "0", Mutable, no effect: NO_REPLICAS),
    without!("replica-announced", Kind::Bool, "yes", Mutable, no effect: NO_REPLICAS),
    without!("replica-full-sync-buffer-limit", SIZE, "0", Mutable, no effect: NO_REPLICAS),
    without!("replica-ignore-disk-write-errors", Kind::Bool, "no", Mutable, no effect: NO_REPLICAS),
    without!("replica-ignore-maxmemory" or "slave-ignore-maxmemory", Kind::Bool, "yes", Mutable,
        no effect: NO_REPLICAS),
    without!("replica-lazy-flush" or "slave-lazy-flush", Kind::Bool, "no", Mutable, no effect: NO_REPLICAS),
    without!("replica-priority" or "slave-priority", NATURAL, "100", Mutable, no effect: NO_REPLICAS),
    without!("replica-read-only" or "slave-read-only", Kind::Bool, "yes", Mutable, no effect: NO_REPLICAS),
    without!("replica-serve-stale-data" or "slave-serve-stale-data", Kind::Bool, "yes", Mutable,
        no effect: NO_REPLICAS),
    without!("repl-backlog-size", Kind::MemorySize { min: 1, max: LONG_MAX }, "1048576", Mutable,
        no effect: NO_REPLICAS),
    without!("repl-backlog-ttl", LONG, "3600", Mutable, no effect: NO_REPLICAS),
    without!("repl-disable-tcp-nodelay", Kind::Bool, "no", Mutable, no effect: NO_REPLICAS),
    without!("repl-diskless-load", Kind::Choice(&["disabled", "on-empty-db", "swapdb"]), "disabled", Mutable,
        no effect: NO_REPLICAS),
    without!("repl-diskless-sync", Kind::Bool, "yes", Mutable, no effect: NO_REPLICAS),
    without!("repl-diskless-sync-delay", NATURAL, "5", Mutable, no effect: NO_REPLICAS),
    without!("repl-diskless-sync-max-replicas", NATURAL, "0", Mutable, no effect: NO_REPLICAS),
    without!("repl-ping-replica-period" or "repl-ping-slave-period", POSITIVE, "10", Mutable, no effect: NO_REPLICAS),
    without!("repl-timeout", POSITIVE, "60", Mutable, no effect: NO_REPLICAS),
    without!("dual-channel-replication-enabled", Kind::Bool, "no", Mutable, no effect: NO_REPLICAS),
    without!("rdb-del-sync-files", Kind::Bool, "no", Mutable, no effect: NO_REPLICAS),
    without!("propagation-error-behavior", Kind::Choice(&["ignore", "panic", "panic-on-replicas"]), "ignore", Mutable,
        no effect: "commands are propagated to nobody"),
    without!("bind-source-addr", Kind::OptionalText, "", Mutable, no effect: "the server connects to nobody"),
    without!("shutdown-timeout", NATURAL, "10", Mutable, no effect: "there are no replicas to wait for"),

    // The append-only log.
    without!("appendfilename", Kind::BaseName { name: "appendfilename", what: "filename" }, "appendonly.aof", AtStart,
        no effect: NO_LOG),
    without!("appenddirname", Kind::BaseName { name: "appenddirname", what: "dirname" }, "appendonlydir", AtStart,
        no effect: NO_LOG),
    without!("appendfsync", Kind::Choice(&["everysec", "always", "no"]), "everysec", Mutable, no effect: NO_LOG),
    without!("aof-load-truncated", Kind::Bool, "yes", Mutable, no effect: NO_LOG),
    without!("aof-rewrite-incremental-fsync", Kind::Bool, "yes", Mutable, no effect: NO_LOG),
    without!("aof-timestamp-enabled", Kind::Bool, "no", Mutable, no effect: NO_LOG),
    without!("aof-use-rdb-preamble", Kind::Bool, "yes", Mutable, no effect: NO_LOG),
    without!("aof_rewrite_cpulist" or "aof-rewrite-cpulist", Kind::OptionalText, "", AtStart, no effect: NO_LOG),
    without!("auto-aof-rewrite-min-size", SIZE, "67108864", Mutable, no effect: NO_LOG),
    without!("auto-aof-rewrite-percentage", NATURAL, "100", Mutable, no effect: NO_LOG),
    without!("no-appendfsync-on-rewrite", Kind::Bool, "no", Mutable, no effect: NO_LOG),
    without!("aof-disable-auto-gc", Kind::Bool, "no", Mutable, no effect: NO_LOG).hidden(),

    // Cluster mode.
    without!("cluster-allow-pubsubshard-when-down", Kind::Bool, "yes", Mutable, no effect: NO_CLUSTER),
    without!("cluster-allow-reads-when-down", Kind::Bool, "no", Mutable, no effect: NO_CLUSTER),
    without!("cluster-allow-replica-migration", Kind::Bool, "yes", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-bus-port", PORT, "0", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-client-ipv4", Kind::OptionalText, "", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-client-ipv6", Kind::OptionalText, "", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-hostname", Kind::HostName, "", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-human-nodename", Kind::NodeName, "", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-ip", Kind::OptionalText, "", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-port", PORT, "0", Mutable, no effect: NO_CLUSTER),
    without!("cluster-announce-tls-port", PORT, "0", Mutable, no effect: NO_CLUSTER),
    without!("cluster-blacklist-ttl", LONG, "60", Mutable, no effect: NO_CLUSTER),
    without!("cluster-compatibility-sample-ratio", Kind::Integer { min: 0, max: 100 }, "0", Mutable,
        no effect: NO_CLUSTER),
    without!("cluster-config-file", Kind::Text, "nodes.conf", AtStart, no effect: NO_CLUSTER),
    without!("cluster-link-sendbuf-limit", Kind::MemorySize { min: 0, max: u64::MAX }, "0", Mutable,
        no effect: NO_CLUSTER),
    without!("cluster-migration-barrier", NATURAL, "1", Mutable, no effect: NO_CLUSTER),
    without!("cluster-node-timeout", LONG, "15000", Mutable, no effect: NO_CLUSTER),
    without!("cluster-ping-interval", LONG, "0", Mutable, no effect: NO_CLUSTER).hidden(),
    without!("cluster-port", PORT, "0", AtStart, no effect: NO_CLUSTER),
    without!("cluster-preferred-endpoint-type", Kind::Choice(&["ip", "hostname", "unknown-endpoint"]), "ip", Mutable,
        no effect: NO_CLUSTER),
    without!("cluster-replica-no-failover" or "cluster-slave-no-failover", Kind::Bool, "no", Mutable,
        no effect: NO_CLUSTER),
    without!("cluster-replica-validity-factor" or "cluster-slave-validity-factor", NATURAL, "10", Mutable,
        no effect: NO_CLUSTER),
    without!("cluster-require-full-coverage", Kind::Bool, "yes", Mutable, no effect: NO_CLUSTER),
    without!("cluster-slot-stats-enabled", Kind::Bool, "no", Mutable, no effect: NO_CLUSTER),

    // TLS.
    without!("tls-port", PORT, "0", Mutable, not built: NO_TLS),
    without!("tls-cluster", Kind::Bool, "no", Mutable, not built: NO_TLS),
    without!("tls-replication", Kind::Bool, "no", Mutable, not built: NO_TLS),
    without!("tls-auth-clients", Kind::Choice(&["no", "yes", "optional"]), "yes", Mutable, no effect: NO_TLS),
    without!("tls-ca-cert-dir", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-ca-cert-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-cert-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-ciphers", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-ciphersuites", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-client-cert-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-client-key-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-client-key-file-pass", Kind::Secret, "", Mutable, no effect: NO_TLS),
    without!("tls-dh-params-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-key-file", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-key-file-pass", Kind::Secret, "", Mutable, no effect: NO_TLS),
    without!("tls-prefer-server-ciphers", Kind::Bool, "no", Mutable, no effect: NO_TLS),
    without!("tls-protocols", Kind::OptionalText, "", Mutable, no effect: NO_TLS),
    without!("tls-session-cache-size", NATURAL, "20480", Mutable, no effect: NO_TLS),
    without!("tls-session-cache-timeout", NATURAL, "300", Mutable, no effect: NO_TLS),
    without!("tls-session-caching", Kind::Bool, "yes", Mutable, no effect: NO_TLS),
    without!("max-new-tls-connections-per-cycle", Kind::Integer { min: 1, max: 1000 }, "1", Mutable, no effect: NO_TLS),

    // Users, scripts, modules, subscriptions, streams.
    without!("aclfile", Kind::Text, "", AtStart, not built: NO_ACL),
    without!("acl-pubsub-default", Kind::Choice(&["allchannels", "resetchannels"]), "resetchannels", Mutable,
        no effect: NO_ACL),
    without!("acllog-max-len", LONG, "128", Mutable, no effect: NO_ACL),
    without!("busy-reply-threshold" or "lua-time-limit", LONG, "5000", Mutable, no effect: NO_SCRIPTS),
    without!("lua-replicate-commands", Kind::Bool, "yes", Mutable, no effect: NO_SCRIPTS),
    without!("enable-module-command", Kind::Choice(&["no", "yes", "local"]), "no", AtStart, no effect: "there are no \
        modules"),
    without!("notify-keyspace-events", Kind::EventClasses, "", Mutable, not built: "there are no subscriptions to tell \
        events to"),
    without!("tracking-table-max-keys", LONG, "1000000", Mutable, no effect: "CLIENT TRACKING is not built"),
    without!("stream-node-max-bytes", SIZE, "4096", Mutable, no effect: NO_STREAMS),
    without!("stream-node-max-entries", LONG, "100", Mutable, no effect: NO_STREAMS),
    without!("vset-force-single-threaded-execution", Kind::Bool, "no", Mutable, no effect: "there are no vector sets"),
    without!("gopher-enabled", Kind::Bool, "no", Mutable, not built: "Gopher is not spoken"),

    // The process and its log.
    without!("always-show-logo", Kind::Bool, "no", AtStart, no effect: "there is no logo"),
    without!("set-proc-title", Kind::Bool, "no", AtStart, no effect: NO_TITLE),
    without!("proc-title-template", Kind::TitleTemplate, "{title} {listen-addr} \
        {server-mode}", Mutable, no effect: NO_TITLE),
    without!("syslog-enabled", Kind::Bool, "no", AtStart, not built: NO_SYSLOG),
    without!("syslog-ident", Kind::Text, "redis", AtStart, no effect: NO_SYSLOG),
    without!("syslog-facility",
        Kind::Choice(&["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]),
            "local0", AtStart,
        no effect: NO_SYSLOG),
    without!("log-format", Kind::Choice(&["legacy", "logfmt"]), "legacy", Mutable, not built: "the log has one format"),
    without!("log-timestamp-format", Kind::Choice(&["legacy", "iso8601", "milliseconds"]), "legacy", Mutable,
        not built: "the log has one format"),
    without!("hide-user-data-from-log", Kind::Bool, "yes", Mutable, no effect: "values are not logged in any case; \
        names of keys only where loading leaves a key out or fails"),
    without!("crash-log-enabled", Kind::Bool, "no", Mutable, no effect: NO_CRASH_LOG),
    without!("crash-memcheck-enabled", Kind::Bool, "no", Mutable, no effect: NO_CRASH_LOG),
    without!("use-exit-on-panic", Kind::Bool, "no", Mutable, no effect: NO_CRASH_LOG).hidden(),
    without!("watchdog-period", NATURAL, "0", Mutable, not built: "there is no software watchdog").hidden(),
    without!("ignore-warnings", Kind::Text, "", Mutable, no effect: "a start is not refused because of the warnings \
        that Redis means"),
    without!("oom-score-adj", Kind::Choice(&["no", "yes", "relative", "absolute"]), "no", Mutable, not built: NO_OOM),
    without!("oom-score-adj-values", Kind::OomScores, "0 200 800", Mutable, no effect: NO_OOM),
    without!("disable-thp", Kind::Bool, "no", AtStart,
        no effect: "there is no child process whose copies of huge pages would cost memory; the heap uses them when it \
            is large"),
    without!("locale-collate", Kind::Locale, "", Mutable, no effect: "SORT compares bytes, as the locale C does"),
    without!("availability-zone", Kind::Text, "", Mutable, no effect: "INFO does not tell it"),
    without!("extended-redis-compatibility", Kind::Bool, "no", Mutable, no effect: "the server is like Redis in any \
        case"),
    without!("unixsocketgroup", Kind::OptionalText, "", AtStart, not built: "the group of the unix socket is not \
        changed"),
    without!("socket-mark-id", Kind::Integer { min: 0, max: u32::MAX as i64 }, "0", AtStart, not built: "sockets are \
        not marked"),

    // Threads, time and memory.
    without!("io-threads", Kind::Integer { min: 1, max: 128 }, "1", AtStart, no effect: SHARDS),
    without!("io-threads-do-reads", Kind::Bool, "no", AtStart, no effect: SHARDS),
    without!("events-per-io-thread", NATURAL, "2", Mutable, no effect: SHARDS),
    without!("prefetch-batch-max-size", Kind::Integer { min: 0, max: 128 }, "16", Mutable,
        no effect: "the keys of a pipeline are looked for together in any case"),
    without!("max-new-connections-per-cycle", Kind::Integer { min: 1, max: 1000 }, "10", Mutable,
        no effect: "each shard accepts for itself"),
    without!("bio_cpulist" or "bio-cpulist", Kind::OptionalText, "", AtStart, no effect: "no threads do a shard's work \
        in the background"),
    without!("bgsave_cpulist" or "bgsave-cpulist", Kind::OptionalText, "", AtStart, no effect: NO_FORK),
    without!("dynamic-hz", Kind::Bool, "no", Mutable, no effect: "hz is what it says, however many clients there are"),
    without!("activerehashing", Kind::Bool, "yes", Mutable, no effect: "tables grow by a segment at a time, and need \
        no rehashing"),
    without!("jemalloc-bg-thread", Kind::Bool, "no", Mutable, no effect: "the allocator is mimalloc"),
    without!("maxmemory-clients", Kind::MemoryOrPercent, "0", Mutable, not built: "clients are not closed for the \
        memory of them all"),
    without!("list-compress-depth", NATURAL, "0", Mutable, no effect: "the nodes of lists are not compressed in \
        memory"),
    without!("rdb-save-incremental-fsync", Kind::Bool, "yes", Mutable, no effect: "the files of snapshots are synced \
        at their end"),
    without!("commandlog-request-larger-than", Kind::Integer { min: -1, max: i64::MAX }, "-1", Mutable,
        no effect: NO_LARGE_LOG),
    without!("commandlog-large-request-max-len", LONG, "128", Mutable, no effect: NO_LARGE_LOG),
    without!("commandlog-reply-larger-than", Kind::Integer { min: -1, max: i64::MAX }, "-1", Mutable,
        no effect: NO_LARGE_LOG),
    without!("commandlog-large-reply-max-len", LONG, "128", Mutable, no effect: NO_LARGE_LOG),
    without!("loading-process-events-interval-bytes", Kind::Integer { min: 1024, max: INT_MAX }, "2097152", Mutable,
        no effect: "clients are served between slices of loading in any case").hidden(),
];

/// How many there are.
pub(crate) const COUNT: usize = OTHERS.len();

/// The parameter at a place in the list.
pub(crate) const fn parameter(index: usize) -> Parameter {
    let other = OTHERS[index];
    Parameter {
        id: Id::WithoutField(index),
        name: other.name,
        aliases: other.aliases,
        kind: other.kind,
        mutability: other.mutability,
        group: other.group,
        not_built: other.not_built,
        no_effect: other.no_effect,
        is_hidden: other.is_hidden,
        summary: "",
    }
}

/// Directives of configuration files that are not parameters, and why they are refused.
pub(crate) const REFUSED_DIRECTIVES: &[(&str, &str)] = &[
    ("loadmodule", "there are no modules"),
    ("rename-command", "commands cannot be renamed or hidden"),
    ("user", "there are no ACL users: requirepass sets a password for all"),
    ("sentinel", "there is no Sentinel"),
];

/// Why a directive is refused that is none of the parameters.
pub(crate) fn refused_directive(name: &[u8]) -> Option<&'static str> {
    let known = REFUSED_DIRECTIVES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
    known.map(|(_, reason)| *reason)
}

/// The values of these parameters. Cheap to copy as long as they do not change.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherValues(Arc<Vec<Value>>);

impl Default for OtherValues {
    fn default() -> OtherValues {
        let value = |other: &Other| {
            let words = other.kind.split_argument(other.default.as_bytes());
            // A test sees to it that every default can be read.
            other.kind.parse(&words, &Value::Text(None)).unwrap_or(Value::Text(None))
        };
        OtherValues(Arc::new(OTHERS.iter().map(value).collect()))
    }
}

impl OtherValues {
    pub(crate) fn value(&self, index: usize) -> Value {
        self.0.get(index).cloned().unwrap_or(Value::Text(None))
    }

    pub(crate) fn store(&mut self, index: usize, value: Value) -> bool {
        let place = Arc::make_mut(&mut self.0).get_mut(index);
        place.map(|place| *place = value).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Config;

    #[test]
    fn defaults_can_be_read() {
        for other in OTHERS {
            let words = other.kind.split_argument(other.default.as_bytes());
            let parsed = other.kind.parse(&words, &Value::Text(None));
            let printed = parsed.map(|value| String::from_utf8_lossy(&value.print()).into_owned());
            assert_eq!(printed.as_deref(), Ok(other.default), "{}", other.name);
        }
    }

    #[test]
    fn each_says_why() {
        for other in OTHERS {
            assert!(other.no_effect.is_some() != other.not_built.is_some(), "{}", other.name);
            assert_eq!(other.group == Group::NotBuilt, other.not_built.is_some(), "{}", other.name);
        }
    }

    #[test]
    fn values_are_kept() {
        let mut config = Config::default();
        assert!(config.without_field.store(0, Value::Integer(3)));
        assert_eq!(config.without_field.value(0), Value::Integer(3));
        assert_ne!(config, Config::default());
        assert!(!config.without_field.store(COUNT, Value::Integer(3)));
    }
}
