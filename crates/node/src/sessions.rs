//! The node as session commands see it.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::Hold;
use crate::home::queue::Queue;
use crate::network::Endpoints;
use crate::snapshot::Purpose;
use crate::snapshot::status::EndOrder;
use std::sync::PoisonError;
use tessera_command::client::Client;
use tessera_command::host::{
    Action, Actions, ClientInfo, Clients, CommandTable, CommandTotals, Configuration, ConnectionInfo,
    Debugging, Diagnostics, ErrorStats, Facts, LatencyMonitor, Pause, Process, Saving, Slowlog, Statistics,
    UnblockReason, WallClock,
};
use tessera_command::{Error, Registry};
use tessera_config::{Config, Id};
use tessera_keyspace::{Shard, ShardSettings};
use tessera_resp::Args;

/// The connection that sent the command at hand. It is not in the node's table meanwhile.
pub(crate) struct Caller<'a> {
    pub(crate) endpoints: &'a Endpoints,
    /// The command at hand.
    pub(crate) args: Args<'a>,
    pub(crate) input_bytes: usize,
    pub(crate) output_bytes: usize,
    pub(crate) allocated_bytes: usize,
    /// What is queued of the transaction that the command is in, if it is in one.
    pub(crate) queue: Option<&'a Queue>,
    /// A key that it watches has changed.
    pub(crate) watch_failed: bool,
}

/// Serves one command of one caller.
pub struct NodeHost<'a, S, C> {
    core: &'a mut Core<S, C>,
    caller: Option<Caller<'a>>,
    actions: Vec<Action>,
    /// Clients to be closed when the command is done.
    closed: Vec<u64>,
    /// The pause was touched.
    has_paused: bool,
    /// A client that is shown like those of the node's table, and is not there for now.
    absent: Option<(&'a Client, ConnectionInfo)>,
}

impl<'a, S: Send + 'static, C: Clock> NodeHost<'a, S, C> {
    /// For a command about the connection or the server.
    pub(crate) fn new(core: &'a mut Core<S, C>, caller: Caller<'a>) -> NodeHost<'a, S, C> {
        NodeHost {
            core,
            caller: Some(caller),
            actions: Vec::new(),
            closed: Vec::new(),
            has_paused: false,
            absent: None,
        }
    }

    /// For this node's part of a command for all nodes.
    pub(crate) fn for_all_nodes(core: &'a mut Core<S, C>) -> NodeHost<'a, S, C> {
        NodeHost {
            core,
            caller: None,
            actions: Vec::new(),
            closed: Vec::new(),
            has_paused: false,
            absent: None,
        }
    }

    /// The same within the transaction of a client of this node, which is not in its table meanwhile.
    pub(crate) fn for_all_nodes_within(
        core: &'a mut Core<S, C>,
        connection: &'a Connection,
        queue: &Queue,
    ) -> NodeHost<'a, S, C> {
        let info = info_of(connection).with_queue(Some(queue));
        let absent = Some((&connection.client, info));
        NodeHost { core, caller: None, actions: Vec::new(), closed: Vec::new(), has_paused: false, absent }
    }

    /// What is to be done now that the reply is written; and whether the caller is to be closed.
    pub(crate) fn finish(self) -> (Vec<Action>, bool) {
        let close_caller = !self.closed.is_empty();
        (self.actions, close_caller)
    }

    /// There is a pause now, which has been begun or has become another.
    pub(crate) fn begins_pause(&self) -> bool {
        self.has_paused && self.core.home.pause.until_ms().is_some()
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

/// What CLIENT LIST tells of a transaction.
trait WithQueue {
    fn with_queue(self, queue: Option<&Queue>) -> Self;
}

impl WithQueue for ConnectionInfo {
    fn with_queue(self, queue: Option<&Queue>) -> ConnectionInfo {
        ConnectionInfo {
            queued_commands: queue.map(Queue::len),
            queued_bytes: queue.map_or(0, |queue| queue.counted_bytes() as u64),
            ..self
        }
    }
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
        .with_queue(connection.queued())
    };
    match &connection.running {
        None => info,
        // What was received of it is given up before the wait.
        Some(under) if connection.is_blocked() => {
            ConnectionInfo { argument_bytes: under.account.words.as_args().total_len_bytes() as u64, ..info }
        }
        Some(under) => info.with_command(under.account.words.as_args()),
    }
}

impl<S: Send + 'static, C: Clock> WallClock for NodeHost<'_, S, C> {
    fn unix_us(&self) -> i64 {
        self.core.time.wall_us()
    }
}

impl<S: Send + 'static, C: Clock> CommandTable for NodeHost<'_, S, C> {
    fn registry(&self) -> &'static Registry {
        self.core.server.shared.registry
    }
}

impl<S: Send + 'static, C: Clock> Actions for NodeHost<'_, S, C> {
    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }
}

impl<S: Send + 'static, C: Clock> Clients for NodeHost<'_, S, C> {
    fn caller_connection(&self) -> ConnectionInfo {
        self.caller.as_ref().map_or_else(ConnectionInfo::default, |caller| {
            let info = connection_info(
                caller.endpoints,
                caller.input_bytes,
                caller.output_bytes,
                caller.allocated_bytes,
            );
            ConnectionInfo {
                watch_failed: caller.watch_failed,
                ..info.with_command(caller.args).with_queue(caller.queue)
            }
        })
    }

    fn visit_clients(&self, visit: &mut dyn FnMut(&ClientInfo<'_>)) {
        for connection in self.core.home.connections.iter().flatten().filter(|connection| !connection.gone) {
            let watch_failed = self.core.has_own_watch_failed(connection);
            let connection_info = ConnectionInfo { watch_failed, ..info_of(connection) };
            visit(&ClientInfo { client: &connection.client, connection: connection_info });
        }
        if let Some((client, info)) = &self.absent {
            visit(&ClientInfo { client, connection: info.clone() });
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
        self.has_paused = true;
        &mut self.core.home.pause
    }
}

impl<S: Send + 'static, C: Clock> Configuration for NodeHost<'_, S, C> {
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
}

impl<S: Send + 'static, C: Clock> Statistics for NodeHost<'_, S, C> {
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
}

impl<S: Send + 'static, C: Clock> Diagnostics for NodeHost<'_, S, C> {
    fn with_slowlog(&mut self, work: &mut dyn FnMut(&mut Slowlog)) {
        work(&mut self.core.server.shared.slowlog());
    }

    fn with_latency_monitor(&mut self, work: &mut dyn FnMut(&mut LatencyMonitor)) {
        work(&mut self.core.server.shared.latency());
    }
}

impl<S: Send + 'static, C: Clock> Saving for NodeHost<'_, S, C> {
    fn begin_snapshot(&mut self, in_background: bool) -> bool {
        let purpose = if in_background { Purpose::Background } else { Purpose::Save };
        self.core.server.shared.ask_for_snapshot(purpose, self.core.time.unix_us)
    }
}

impl<S: Send + 'static, C: Clock> Process for NodeHost<'_, S, C> {
    fn end_server(&mut self, save: Option<bool>, force: bool) {
        self.core.server.shared.ask_to_end(EndOrder { save, force });
    }

    fn log(&mut self, text: &[u8]) {
        self.core.server.shared.system.log(text);
    }

    fn purge_memory(&mut self) {
        self.core.server.shared.system.purge_memory();
    }

    fn allocator_report(&self) -> Option<String> {
        self.core.server.shared.system.allocator_report()
    }
}

impl<S: Send + 'static, C: Clock> Debugging for NodeHost<'_, S, C> {
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
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A client that has just connected.
    pub(crate) fn new_client(&self, endpoints: &Endpoints) -> Client {
        let authenticated = self.server.config.require_pass.is_none();
        let mut client = Client::new(self.server.shared.next_client_id(), authenticated, self.now_ms());
        client.is_local = is_local(endpoints);
        client
    }
}

/// The peer is on this machine.
fn is_local(endpoints: &Endpoints) -> bool {
    endpoints.unix || endpoints.peer.starts_with("127.") || endpoints.peer.starts_with("[::1]")
}
