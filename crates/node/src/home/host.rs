//! The node as session commands see it.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::{Connection, Hold};
use crate::network::Endpoints;
use crate::snapshot::Purpose;
use crate::snapshot::status::EndOrder;
use crate::stats::{Counters, NodeStats};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use tessera_command::client::Client;
use tessera_command::host::facts::{
    ClientsFacts, DatabaseFacts, MemoryFacts, PersistenceFacts, ReplicationFacts, ShardFacts, StatsFacts,
};
use tessera_command::host::{
    Action, ClientInfo, CommandTotals, ConnectionInfo, ErrorStats, Facts, Host, LatencyMonitor, Pause,
    Slowlog, UnblockReason,
};
use tessera_command::{Error, Registry};
use tessera_config::{Config, Id};
use tessera_keyspace::{Shard, ShardSettings};
use tessera_resp::Args;

/// The connection that sent the command at hand. It is not in the node's table meanwhile.
struct Caller<'a> {
    endpoints: &'a Endpoints,
    /// The command at hand.
    args: Args<'a>,
    input_bytes: usize,
    output_bytes: usize,
    allocated_bytes: usize,
}

/// Serves one command of one caller.
pub struct NodeHost<'a, S, C> {
    core: &'a mut Core<S, C>,
    caller: Option<Caller<'a>>,
    actions: Vec<Action>,
    /// Clients to be closed when the command is done.
    closed: Vec<u64>,
}

impl<'a, S: Send + 'static, C: Clock> NodeHost<'a, S, C> {
    /// For a command about the connection or the server. `sizes`: of input, output and all memory, in bytes.
    pub(crate) fn new(
        core: &'a mut Core<S, C>,
        endpoints: &'a Endpoints,
        args: Args<'a>,
        sizes: [usize; 3],
    ) -> NodeHost<'a, S, C> {
        let [input_bytes, output_bytes, allocated_bytes] = sizes;
        let caller = Some(Caller { endpoints, args, input_bytes, output_bytes, allocated_bytes });
        NodeHost { core, caller, actions: Vec::new(), closed: Vec::new() }
    }

    /// For this node's part of a command for all nodes.
    pub(crate) fn for_all_nodes(core: &'a mut Core<S, C>) -> NodeHost<'a, S, C> {
        NodeHost { core, caller: None, actions: Vec::new(), closed: Vec::new() }
    }

    /// What is to be done now that the reply is written; and whether the caller is to be closed.
    pub(crate) fn finish(self) -> (Vec<Action>, bool) {
        let close_caller = !self.closed.is_empty();
        (self.actions, close_caller)
    }

    /// The clients to be closed.
    pub(crate) fn into_closed(self) -> Vec<u64> {
        self.closed
    }
}

fn connection_info(endpoints: &Endpoints, input: usize, output: usize, allocated: usize) -> ConnectionInfo {
    ConnectionInfo {
        peer: endpoints.peer.clone(),
        local: endpoints.local.clone(),
        descriptor: endpoints.descriptor,
        unix: endpoints.unix,
        query_buffer_bytes: input as u64,
        total_bytes: allocated as u64,
        reading: true,
        writing: output > 0,
        ..ConnectionInfo::default()
    }
    .with_output(output as u64)
}

fn info_of(connection: &Connection) -> ConnectionInfo {
    let input = connection.input_bytes();
    let info = ConnectionInfo {
        query_buffer_free_bytes: connection
            .input
            .as_ref()
            .map_or(0, |input| (input.bytes.capacity() - input.bytes.len()) as u64),
        argument_bytes: connection.argument_bytes() as u64,
        reading: !connection.receive_paused,
        blocked: connection.hold == Some(Hold::Paused) || connection.is_blocked(),
        closing: connection.close_after_reply,
        ..connection_info(
            &connection.endpoints,
            input,
            connection.counted_output_bytes(),
            connection.allocated_bytes(),
        )
    };
    match &connection.running {
        None => info,
        // What was received of it is given up before the wait.
        Some(under) if connection.is_blocked() => {
            ConnectionInfo { argument_bytes: under.words.as_args().total_len_bytes() as u64, ..info }
        }
        Some(under) => info.with_command(under.words.as_args()),
    }
}

impl<S: Send + 'static, C: Clock> Host for NodeHost<'_, S, C> {
    fn unix_us(&self) -> i64 {
        self.core.time.clock.unix_us()
    }

    fn registry(&self) -> &'static Registry {
        self.core.server.shared.registry
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn config(&self) -> &Config {
        &self.core.server.config
    }

    fn config_set(&mut self, pairs: &[(&[u8], &[u8])], caller_is_local: bool) -> Result<(), Error> {
        let shared = self.core.server.shared.clone();
        let changed = shared.change_config(|config| {
            let (mut next, changed) = config.set(pairs, caller_is_local)?;
            shared.system.apply(config, &next, &changed)?;
            // It may have been told from where the process worked before.
            if let Some(directory) = shared.system.directory().filter(|_| changed.contains(&Id::Dir)) {
                next.dir = directory;
            }
            Ok::<Config, tessera_config::SetError>(next)
        });
        let config = changed.map_err(|error| Error::built([b"ERR ", error.message().as_slice()].concat()))?;
        shared.slowlog().trim(config.slowlog_max_len);
        self.core.follow_config();
        Ok(())
    }

    fn config_rewrite(&mut self) -> Result<(), Error> {
        self.core.server.shared.system.rewrite(&self.core.server.config)
    }

    fn facts(&self) -> Facts {
        self.core.facts()
    }

    fn command_totals(&self) -> CommandTotals {
        let mut totals = CommandTotals::default();
        self.core.server.shared.stats.iter().for_each(|stats| stats.commands.add_to(&mut totals));
        totals
    }

    fn error_stats(&self) -> ErrorStats {
        let mut sum = ErrorStats::default();
        for stats in &self.core.server.shared.stats {
            sum.merge(&stats.errors.lock().unwrap_or_else(PoisonError::into_inner));
        }
        sum
    }

    fn reset_statistics(&mut self) {
        self.core.reset_statistics();
    }

    fn note_authentication_failure(&mut self) {
        self.core.server.counters.authentication_failures += 1;
    }

    fn with_slowlog(&mut self, work: &mut dyn FnMut(&mut Slowlog)) {
        work(&mut self.core.server.shared.slowlog());
    }

    fn with_latency_monitor(&mut self, work: &mut dyn FnMut(&mut LatencyMonitor)) {
        work(&mut self.core.server.shared.latency());
    }

    fn caller_connection(&self) -> ConnectionInfo {
        self.caller.as_ref().map_or_else(ConnectionInfo::default, |caller| {
            connection_info(caller.endpoints, caller.input_bytes, caller.output_bytes, caller.allocated_bytes)
                .with_command(caller.args)
        })
    }

    fn visit_clients(&self, visit: &mut dyn FnMut(&ClientInfo<'_>)) {
        for connection in self.core.home.connections.iter().flatten().filter(|connection| !connection.gone) {
            visit(&ClientInfo { client: &connection.client, connection: info_of(connection) });
        }
    }

    fn close_client(&mut self, id: u64) {
        self.closed.push(id);
    }

    fn unblock_client(&mut self, id: u64, reason: UnblockReason) -> bool {
        let mut connections = self.core.home.connections.iter().flatten();
        let found = connections.find(|connection| connection.client.id == id).map(|connection| connection.id);
        found.is_some_and(|id| self.core.unblock(id, reason))
    }

    fn pause_mut(&mut self) -> &mut Pause {
        &mut self.core.home.pause
    }

    fn sleep(&mut self, duration_us: u64) {
        self.core.stop_all_nodes(duration_us);
    }

    fn set_active_expire(&mut self, enabled: bool) {
        self.core.owner.active_expire = enabled;
    }

    fn shard(&self) -> &Shard {
        &self.core.owner.shard
    }

    fn set_list_large_len(&mut self, len_bytes: u32) {
        let mut settings = self.core.owner.shard.settings();
        settings.thresholds.list_large_len_bytes = len_bytes;
        self.core.owner.shard.set_settings(settings);
    }

    fn set_skip_checksums(&mut self, skip: bool) {
        let settings = ShardSettings { skip_checksums: skip, ..self.core.owner.shard.settings() };
        self.core.owner.shard.set_settings(settings);
    }

    fn log(&mut self, text: &[u8]) {
        self.core.server.shared.system.log(text);
    }

    fn begin_snapshot(&mut self, in_background: bool) -> bool {
        let purpose = if in_background { Purpose::Background } else { Purpose::Save };
        self.core.server.shared.ask_for_snapshot(purpose, self.core.time.unix_us)
    }

    fn end_server(&mut self, save: Option<bool>, force: bool) {
        self.core.server.shared.ask_to_end(EndOrder { save, force });
    }

    fn purge_memory(&mut self) {
        self.core.server.shared.system.purge_memory();
    }

    fn allocator_report(&self) -> Option<String> {
        self.core.server.shared.system.allocator_report()
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// All numbers that INFO prints. Those of other nodes are as of the end of their last turn.
    fn facts(&self) -> Facts {
        // This node's own are up to date.
        self.publish();
        let counters = self.server.shared.counters();
        let memory = self.server.shared.system.memory();
        let (defrag_ns, defrag_now_ns) = self.server.shared.defrag_time.total_ns(self.time.now_ns);
        let efforts =
            self.server.shared.stats.iter().map(|stats| stats.defrag_effort_percent.load(Ordering::Relaxed));
        let defrag_effort_percent = efforts.max().unwrap_or(0);
        let (exceeded_ns, exceeded_now_ns) = self.server.shared.eviction.exceeded_ns(self.time.now_ns);
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
            memory: MemoryFacts {
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
            },
            loading: self.server.shared.loading.facts(self.time.unix_us),
            persistence: self.persistence_facts(&counters),
            stats: StatsFacts {
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
                driver,
            },
            replication: ReplicationFacts { id: self.server.shared.system.replication_id() },
            cpu: self.server.shared.system.cpu(),
            keyspace: self.database_facts(),
            shards: self.server.shared.stats.iter().map(shard_facts).collect(),
        }
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
        counters.blocked_clients = self.home.paused.len() as u64 + self.home.blocked_clients;
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

    fn reset_statistics(&mut self) {
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
        self.server.shared.eviction.reset();
        self.server.shared.defrag_time.reset(self.time.now_ns);
        self.server.shared.persistence.reset_statistics();
        self.stats().commands.reset();
        self.stats().errors.lock().unwrap_or_else(PoisonError::into_inner).reset();
        self.publish();
    }

    /// A client that has just connected.
    pub(crate) fn new_client(&self, endpoints: &Endpoints) -> Client {
        let authenticated = self.server.config.require_pass.is_none();
        let mut client = Client::new(self.server.shared.next_client_id(), authenticated, self.now_ms());
        client.is_local = is_local(endpoints);
        client
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

/// The peer is on this machine.
fn is_local(endpoints: &Endpoints) -> bool {
    endpoints.unix || endpoints.peer.starts_with("127.") || endpoints.peer.starts_with("[::1]")
}
