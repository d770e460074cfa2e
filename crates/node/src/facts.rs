//! What INFO tells, and the numbers that nodes publish for it.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use crate::stats::{Counters, NodeStats};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use tessera_command::host::Facts;
use tessera_command::host::facts::{
    ClientsFacts, DatabaseFacts, MemoryFacts, PersistenceFacts, ReplicationFacts, ShardFacts, StatsFacts,
};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// All numbers that INFO prints. Those of other nodes are as of the end of their last turn.
    pub(crate) fn facts(&self) -> Facts {
        // This node's own are up to date.
        self.publish();
        let counters = self.server.shared.counters();
        Facts {
            server: self.server.shared.system.server(),
            clients: ClientsFacts {
                connected: u64::from(self.server.shared.clients()),
                blocked: counters.blocked_clients,
                timed: counters.timed_clients,
                blocking_keys: counters.blocking_keys,
                recent_max_input_buffer_bytes: counters.input_buffer_max_bytes,
                recent_max_output_buffer_bytes: counters.output_buffer_max_bytes,
                output_paused: counters.output_paused_clients,
                output_pauses: counters.output_pauses,
            },
            memory: self.memory_facts(&counters),
            loading: self.server.shared.loading.facts(self.time.unix_us),
            persistence: self.persistence_facts(&counters),
            stats: self.stats_facts(&counters),
            replication: ReplicationFacts { id: self.server.shared.system.replication_id() },
            cpu: self.server.shared.system.cpu(),
            keyspace: self.database_facts(),
            shards: self.server.shared.stats.iter().map(shard_facts).collect(),
        }
    }

    fn memory_facts(&self, counters: &Counters) -> MemoryFacts {
        let memory = self.server.shared.system.memory();
        let efforts =
            self.server.shared.stats.iter().map(|stats| stats.defrag_effort_percent.load(Ordering::Relaxed));
        let defrag_effort_percent = efforts.max().unwrap_or(0);
        MemoryFacts {
            used_bytes: memory.used,
            peak_bytes: memory.peak,
            startup_bytes: memory.startup,
            resident_bytes: memory.resident,
            allocator_allocated_bytes: memory.used,
            allocator_active_bytes: memory.resident.max(memory.used),
            allocator_resident_bytes: memory.resident.max(memory.used),
            system_bytes: memory.system,
            clients_bytes: counters.clients_bytes,
            allocator: memory.allocator,
            defrag_effort_percent,
            ..MemoryFacts::default()
        }
    }

    fn stats_facts(&self, counters: &Counters) -> StatsFacts {
        let (defrag_ns, defrag_now_ns) = self.server.shared.defrag_time.total_ns(self.time.now_ns);
        let (exceeded_ns, exceeded_now_ns) = self.server.shared.excess.exceeded_ns(self.time.now_ns);
        StatsFacts {
            connections: counters.connections,
            commands: counters.commands.saturating_sub(counters.refused_commands),
            commands_per_s: counters.commands_per_s,
            input_bytes: counters.input_bytes,
            output_bytes: counters.output_bytes,
            input_bytes_per_s: counters.input_bytes_per_s,
            output_bytes_per_s: counters.output_bytes_per_s,
            rejected_connections: counters.rejected_connections,
            expired_keys: counters.expired_keys,
            expired_stale_ratio: 0.0,
            expire_time_cap_reached: counters.expire_time_cap_reached,
            expire_cycle_us: counters.expire_cycle_ns / 1000,
            evicted_keys: counters.evicted_keys,
            memory_exceeded_us: exceeded_ns / 1000,
            memory_exceeded_now_us: exceeded_now_ns / 1000,
            defrag_hits: counters.defrag_hits,
            defrag_misses: counters.defrag_misses,
            defrag_key_hits: counters.defrag_key_hits,
            defrag_key_misses: counters.defrag_key_misses,
            defrag_us: defrag_ns / 1000,
            defrag_now_us: defrag_now_ns / 1000,
            keyspace_hits: counters.keyspace_hits,
            keyspace_misses: counters.keyspace_misses,
            error_replies: counters.error_replies,
            reads_processed: counters.reads,
            writes_processed: counters.writes,
            loop_turns: counters.turns,
            loop_us: counters.busy_ns / 1000,
            loop_commands_us: counters.commands_ns / 1000,
            loop_turns_per_s: counters.turns_per_s,
            loop_us_per_turn: (counters.busy_ns / 1000).checked_div(counters.turns).unwrap_or(0),
            authentication_failures: counters.authentication_failures,
            driver: self.driver_counters(counters),
        }
    }

    /// What the drivers of all nodes count, and what nodes count of their dealings with each other.
    fn driver_counters(&self, counters: &Counters) -> Vec<(&'static str, u64)> {
        let mut driver: Vec<(&'static str, u64)> = Vec::new();
        for stats in &self.server.shared.stats {
            for (name, value) in stats.driver.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                match driver.iter_mut().find(|(known, _)| known == name) {
                    Some((_, sum)) => *sum += value,
                    None => driver.push((name, *value)),
                }
            }
        }
        driver.push(("forwarded_commands", counters.forwarded));
        driver.push(("direct_replies", counters.direct_replies));
        driver
    }

    fn persistence_facts(&self, counters: &Counters) -> PersistenceFacts {
        let persistence = &self.server.shared.persistence;
        let saved = persistence.facts();
        PersistenceFacts {
            changes: counters.changes.saturating_sub(saved.saved_changes),
            background_since_unix_s: saved.background_since_unix_s,
            last_save_unix_s: saved.last_save_unix_s,
            last_is_ok: !persistence.has_failed(),
            last_duration_s: saved.last_duration_s,
            saves: saved.saves,
            keys_total: counters.snapshot_keys_total,
            keys_done: counters.snapshot_keys_done,
            ahead_bytes: counters.snapshot_ahead_bytes,
            peak_ahead_bytes: saved.peak_ahead_bytes.max(counters.snapshot_ahead_bytes),
            last_peak_ahead_bytes: saved.last_peak_ahead_bytes,
            written_bytes: counters.snapshot_written_bytes,
            last_len_bytes: saved.last_len_bytes,
            last_cut_us: saved.last_cut_ns / 1000,
            cuts_given_up: saved.cuts_given_up,
            writers_waited: counters.snapshot_writers_waited,
        }
    }

    fn database_facts(&self) -> Vec<DatabaseFacts> {
        let databases = self.owner.shard.databases_len();
        (0..databases)
            .map(|db| {
                let (mut keys, mut expires, mut table_bytes, mut ttl_sum) = (0, 0, 0, 0u128);
                for stats in &self.server.shared.stats {
                    let database = &stats.databases[db];
                    let shard_expires = database.expires.load(Ordering::Relaxed);
                    keys += database.keys.load(Ordering::Relaxed);
                    table_bytes += database.table_bytes.load(Ordering::Relaxed);
                    expires += shard_expires;
                    ttl_sum +=
                        u128::from(shard_expires) * u128::from(database.mean_ttl_ms.load(Ordering::Relaxed));
                }
                let mean_ttl_ms = ttl_sum.checked_div(u128::from(expires)).unwrap_or(0) as u64;
                DatabaseFacts { keys, expires, mean_ttl_ms, table_bytes }
            })
            .collect()
    }

    /// Makes this node's numbers visible to all.
    pub(crate) fn publish(&self) {
        let mut counters = self.server.counters;
        let shard = self.owner.shard.stats();
        counters.keyspace_hits = shard.keyspace_hits;
        counters.keyspace_misses = shard.keyspace_misses;
        counters.expired_keys = shard.expired_keys;
        counters.evicted_keys = shard.evicted_keys;
        counters.changes = shard.dirty;
        counters.blocked_clients = self.home.holds.waiting(Gate::Paused) as u64 + self.home.blocked_clients;
        counters.timed_clients = self.home.wait_deadlines.len() as u64;
        counters.blocking_keys = self.owner.waiters.keys_len() as u64;
        self.stats().counters.publish(&counters);
        // Only writes, expiry and eviction change what is told of the databases.
        let changes = shard.dirty + shard.expired_keys + shard.evicted_keys;
        // While all is being loaded they change without any of these.
        if self.server.published_changes.replace(changes) != changes || self.loading.is_some() {
            self.publish_databases();
        }
    }

    /// Makes visible what is known of this node's databases.
    pub(crate) fn publish_databases(&self) {
        for db in 0..self.owner.shard.databases_len() {
            self.stats().publish_database(&self.owner.shard, db as u16);
        }
        self.stats().publish_shard_size(&self.owner.shard);
    }

    pub(crate) fn reset_statistics(&mut self) {
        let kept = self.server.counters;
        self.server.counters = crate::stats::Counters {
            clients_bytes: kept.clients_bytes,
            output_paused_clients: kept.output_paused_clients,
            turns: kept.turns,
            busy_ns: kept.busy_ns,
            commands_ns: kept.commands_ns,
            snapshot_keys_total: kept.snapshot_keys_total,
            snapshot_keys_done: kept.snapshot_keys_done,
            snapshot_written_bytes: kept.snapshot_written_bytes,
            snapshot_ahead_bytes: kept.snapshot_ahead_bytes,
            ..crate::stats::Counters::default()
        };
        self.owner.shard.reset_stats();
        self.publish_databases();
        self.server.shared.excess.reset();
        self.server.shared.defrag_time.reset(self.time.now_ns);
        self.server.shared.persistence.reset_statistics();
        self.stats().commands.reset();
        self.stats().errors.lock().unwrap_or_else(PoisonError::into_inner).reset();
        self.publish();
    }
}

fn shard_facts(stats: &NodeStats) -> ShardFacts {
    let mut counters = Counters::default();
    stats.counters.add_to(&mut counters);
    let size = stats.shard_size();
    ShardFacts {
        keys: size.keys,
        expires: size.volatile_keys,
        entry_bytes: size.entry_bytes,
        table_bytes: stats.databases.iter().map(|db| db.table_bytes.load(Ordering::Relaxed)).sum(),
        clients: u64::from(stats.clients.load(Ordering::Relaxed)),
        commands: counters.commands.saturating_sub(counters.refused_commands),
        hops: counters.forwarded,
        load_percent_hundredths: (counters.busy_us_per_s / 100).min(10_000),
    }
}
