//! A node without its network: connections, shard, mesh, and what is to be done next.

use crate::ahead::Ahead;
use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::connection::{Connection, Hold, Running, pack};
use crate::defragmentation::Defragmentation;
use crate::desk::Desk;
use crate::disk::Disk;
use crate::held::Held;
use crate::loading::Loading;
use crate::memory::{MemoryWatch, eviction_policy, eviction_samples};
use crate::mesh::{Mesh, Note};
use crate::network::{ConnectionId, SocketHandle};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::stats::{Counters, NodeStats};
use crate::streaming::Reading;
use crate::unkept::Unkept;
use crate::waiters::Waiters;
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use tessera_command::host::{Pause, Rate};
use tessera_config::Config;
use tessera_keyspace::{LazyFree, Shard, ShardSettings};
use tessera_resp::{Decoder, Limits};
use tessera_routing::Ticket;
use tessera_values::Thresholds;

/// What the network is to do after the events at hand are dealt with.
pub enum NetworkOrder {
    /// Stop receiving.
    PauseReceive(ConnectionId),
    /// Receive again.
    ResumeReceive(ConnectionId),
    /// End the connection.
    Close(ConnectionId),
    /// Write to another node's connection.
    SendRemote(SocketHandle, u64, Vec<u8>),
}

/// A direct reply that this node's network is writing for another.
#[derive(Clone, Copy, Debug)]
pub struct RemoteSend {
    /// The connection's home.
    pub home: usize,
    /// Whose reply.
    pub ticket: Ticket,
}

/// Samples behind the rates in INFO.
#[derive(Default)]
pub(crate) struct Rates {
    pub(crate) commands: Rate,
    pub(crate) input_bytes: Rate,
    pub(crate) output_bytes: Rate,
    pub(crate) turns: Rate,
    pub(crate) busy_us: Rate,
}

/// A node without its network.
pub struct Core<S, C> {
    pub(crate) clock: C,
    /// This turn's wall time, in Unix microseconds.
    pub(crate) unix_us: i64,
    /// Monotonic time, read as often as a duration is measured.
    pub(crate) now_ns: u64,
    pub(crate) me: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) config: Arc<Config>,
    pub(crate) config_version: u64,
    pub(crate) limits: Limits,
    pub(crate) mesh: Mesh<S>,
    pub(crate) disk: Desk,
    pub(crate) shard: Shard,
    pub(crate) random: fastrand::Rng,
    /// By [`ConnectionId::index`].
    pub(crate) connections: Vec<Option<Box<Connection>>>,
    pub(crate) accepted: Vec<S>,
    pub(crate) adopted: Vec<S>,
    /// Connections with something to send, or to be closed.
    pub(crate) listed: Vec<ConnectionId>,
    /// Connections whose hold is over.
    pub(crate) runnable: VecDeque<ConnectionId>,
    /// Connections that have had their share of this turn.
    pub(crate) next_turn: Vec<ConnectionId>,
    /// Connections held because of a congested peer.
    pub(crate) stalled: Vec<ConnectionId>,
    /// Connections held by CLIENT PAUSE.
    pub(crate) paused: Vec<ConnectionId>,
    /// Clients that wait for keys.
    pub(crate) blocked_clients: u64,
    /// When the time of those is up that do not wait without end, in monotonic nanoseconds, and the connection.
    pub(crate) wait_deadlines: BTreeSet<(u64, u64)>,
    /// Who waits for keys of this shard.
    pub(crate) waiters: Waiters,
    /// Which keys of this shard are held, and who waits for that to end.
    pub(crate) held: Held,
    /// What waits for a value to be saved or kept, and is no command.
    pub(crate) unkept: Unkept,
    pub(crate) pause: Pause,
    /// The pause when `paused` was last looked at.
    pub(crate) pause_seen: Pause,
    pub(crate) monitors: Vec<ConnectionId>,
    pub(crate) orders: Vec<NetworkOrder>,
    /// This node's own part of commands for all nodes.
    pub(crate) own_notes: VecDeque<Note<S>>,
    /// What this node's own monitors are to be shown.
    pub(crate) own_lines: Vec<u8>,
    pub(crate) remote_sends: Vec<Option<RemoteSend>>,
    pub(crate) free_remote_sends: Vec<u32>,
    pub(crate) spare_decoder: Decoder,
    pub(crate) ahead: Ahead,
    pub(crate) buffers: Buffers,
    pub(crate) memory: MemoryWatch,
    pub(crate) defragmentation: Defragmentation,
    /// What the command that just ran on the shard began to stream.
    pub(crate) opened_stream: Option<u64>,
    pub(crate) reading: Reading,
    pub(crate) counters: Counters,
    pub(crate) rates: Rates,
    /// Writes and expiries that the published numbers of the databases know of.
    pub(crate) published_changes: Cell<u64>,
    pub(crate) active_expire: bool,
    pub(crate) next_housekeeping_ns: u64,
    pub(crate) next_sums_ns: u64,
    pub(crate) next_peak_ns: u64,
    pub(crate) next_look_at_clients_ns: u64,
    pub(crate) next_http_warning_ns: u64,
    pub(crate) next_pause_warning_ns: u64,
    /// `client-output-buffer-pause`, in bytes; as large as can be if there is none.
    pub(crate) output_pause_bytes: usize,
    /// The most that clients used of late, in bytes.
    pub(crate) clients_peak_bytes: u64,
    /// See [`Shared::purges`].
    pub(crate) purges_seen: usize,
    /// The search for expired keys was cut short.
    pub(crate) expire_more: bool,
    /// This node's part in loading, until all is loaded.
    pub(crate) loading: Option<Box<Loading>>,
    pub(crate) snapshot: Snapshot,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A node's core. Everything random in it follows from `seed`.
    pub fn new(clock: C, shared: Arc<Shared>, mesh: Mesh<S>, disk: Box<dyn Disk>, seed: u64) -> Core<S, C> {
        let config = shared.config();
        let databases = config.databases;
        let mut core = Core {
            unix_us: clock.unix_us(),
            now_ns: clock.monotonic_ns(),
            clock,
            me: mesh.me(),
            config_version: shared.config_version(),
            limits: Limits { bulk_max_len_bytes: 0, unauthenticated: false },
            config,
            shared,
            mesh,
            disk: Desk::new(disk),
            shard: Shard::new(databases, seed),
            random: fastrand::Rng::with_seed(seed.rotate_left(32)),
            connections: Vec::new(),
            accepted: Vec::new(),
            adopted: Vec::new(),
            listed: Vec::new(),
            runnable: VecDeque::new(),
            next_turn: Vec::new(),
            stalled: Vec::new(),
            paused: Vec::new(),
            blocked_clients: 0,
            wait_deadlines: BTreeSet::new(),
            waiters: Waiters::default(),
            held: Held::default(),
            unkept: Unkept::default(),
            pause: Pause::default(),
            pause_seen: Pause::default(),
            monitors: Vec::new(),
            orders: Vec::new(),
            own_notes: VecDeque::new(),
            own_lines: Vec::new(),
            remote_sends: Vec::new(),
            free_remote_sends: Vec::new(),
            spare_decoder: Decoder::new(),
            ahead: Ahead::default(),
            buffers: Buffers::default(),
            memory: MemoryWatch::default(),
            defragmentation: Defragmentation::default(),
            opened_stream: None,
            reading: Reading::default(),
            counters: Counters::default(),
            rates: Rates::default(),
            published_changes: Cell::new(0),
            active_expire: true,
            next_housekeeping_ns: 0,
            next_sums_ns: 0,
            next_peak_ns: 0,
            next_look_at_clients_ns: 0,
            next_http_warning_ns: 0,
            next_pause_warning_ns: 0,
            output_pause_bytes: usize::MAX,
            clients_peak_bytes: 0,
            purges_seen: 0,
            expire_more: false,
            loading: None,
            snapshot: Snapshot::default(),
        };
        let (slots, me) = (core.shared.slots.clone(), core.me);
        core.shard.set_owned_keys(Box::new(move |key| usize::from(slots.owner_of(key)) == me));
        core.take_over_config();
        core.shard.set_now_ms(core.now_ms());
        core.begin_loading();
        core
    }

    /// This turn's wall time, in Unix milliseconds.
    #[inline]
    pub(crate) fn now_ms(&self) -> i64 {
        self.unix_us.div_euclid(1000)
    }

    /// What this node publishes.
    #[inline]
    pub(crate) fn stats(&self) -> &NodeStats {
        &self.shared.stats[self.me]
    }

    /// Reads the clocks.
    pub(crate) fn tell_time(&mut self) {
        self.unix_us = self.clock.unix_us();
        self.now_ns = self.clock.monotonic_ns();
        self.shard.set_now_ms(self.now_ms());
    }

    /// Follows the shared configuration.
    pub(crate) fn follow_config(&mut self) {
        let version = self.shared.config_version();
        if version != self.config_version {
            self.config_version = version;
            self.config = self.shared.config();
            self.take_over_config();
        }
    }

    fn take_over_config(&mut self) {
        let string_max_len_bytes = self.config.proto_max_bulk_len.0;
        self.limits.bulk_max_len_bytes = i64::try_from(string_max_len_bytes).unwrap_or(i64::MAX);
        self.shard.set_settings(ShardSettings {
            string_max_len_bytes,
            eviction_policy: eviction_policy(self.config.max_memory_policy),
            eviction_samples: eviction_samples(&self.config),
            lfu_log_factor: self.config.lfu_log_factor,
            lfu_decay_time_min: self.config.lfu_decay_time_min,
            thresholds: thresholds(&self.config, self.shard.settings().thresholds.list_large_len_bytes),
            lazy_flush: self.config.lazy_free_lazy_user_flush,
            shares_integers: self.config.max_memory.0 == 0
                || !eviction_policy(self.config.max_memory_policy).remembers_uses(),
            compress_dumps: self.config.rdb_compression,
            // Not from the configuration.
            skip_checksums: self.shard.settings().skip_checksums,
            lazy_free: LazyFree {
                eviction: self.config.lazy_free_lazy_eviction,
                expire: self.config.lazy_free_lazy_expire,
                server_delete: self.config.lazy_free_lazy_server_del,
                user_delete: self.config.lazy_free_lazy_user_del,
            },
        });
        self.take_over_memory_config();
        self.take_over_output_pause();
    }

    /// Parcels of peers have not been taken in yet.
    pub fn has_mail(&self) -> bool {
        self.mesh.has_mail()
    }

    /// Nothing is under way: no call or reply waits to leave, no direct reply is out, no connection is to be gone
    /// on with or is kept only for what another node still does.
    pub fn is_quiet(&self) -> bool {
        !self.mesh.has_mail()
            && !self.owes_memory()
            && !self.mesh.is_restless()
            && self.disk.is_idle()
            && self.runnable.is_empty()
            && self.next_turn.is_empty()
            && self.stalled.is_empty()
            && self.own_notes.is_empty()
            && self.held.is_empty()
            && self.unkept.is_empty()
            && self.own_lines.is_empty()
            && self.is_snapshot_quiet()
            && self.orders.is_empty()
            && self.remote_sends.iter().all(Option::is_none)
            && self.connections.iter().flatten().all(|connection| {
                // A home learns of a direct reply that is done when it next wants the socket.
                let is_answered = connection.replies.is_settled() || connection.direct.is_some();
                !connection.gone && (is_answered && connection.hold.is_none() || connection.is_blocked())
            })
    }

    /// What is under way, a line for each connection: for whoever looks into a node that stands still.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "mail {}, restless {}, runnable {}, stalled {}, orders {}, remote sends {}, {:?}\n",
            self.mesh.has_mail(),
            self.mesh.is_restless(),
            self.runnable.len(),
            self.stalled.len(),
            self.orders.len(),
            self.remote_sends.iter().flatten().count(),
            self.disk,
        );
        for connection in self.connections.iter().flatten() {
            text += &format!(
                "{:?} {}: {:?}, {} replies waiting, settled {}, ready {} bytes, sending {} bytes, input {} bytes, \
                 direct {:?}, running {}, closing {}, gone {}, listed {}\n",
                connection.id,
                connection.endpoints.peer,
                connection.hold,
                connection.replies.waiting(),
                connection.replies.is_settled(),
                connection.replies.ready_len_bytes(),
                connection.sending_bytes,
                connection.input_bytes(),
                connection.direct,
                connection.running.is_some(),
                connection.close_after_reply,
                connection.gone,
                connection.is_listed,
            );
        }
        text
    }

    /// The node's disk.
    pub fn disk(&self) -> &Desk {
        &self.disk
    }

    /// Connections in the table.
    pub fn connections_len(&self) -> usize {
        self.connections.iter().flatten().count()
    }

    /// The node's shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Takes a connection out of the table to work on it.
    #[inline]
    pub(crate) fn take(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        let place = self.connections.get_mut(id.index as usize)?;
        if place.as_ref()?.id == id { place.take() } else { None }
    }

    /// Looks at a connection in the table.
    #[inline]
    pub(crate) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id.index as usize)?.as_deref_mut().filter(|connection| connection.id == id)
    }

    /// Puts a connection into the table, and into the list of those to send from if there is a reason.
    ///
    /// Whatever came for it while it was out of the table, a long reply that is the next one now goes on: whoever takes in a
    /// reply need not think of that.
    #[inline]
    pub(crate) fn put(&mut self, mut connection: Box<Connection>) {
        if !connection.streams.is_empty() {
            self.pump(&mut connection);
        }
        if !connection.is_listed && (connection.replies.ready_len_bytes() > 0 || connection.close_after_reply)
        {
            connection.is_listed = true;
            self.listed.push(connection.id);
        }
        let index = connection.id.index as usize;
        if index >= self.connections.len() {
            self.connections.resize_with(index + 1, || None);
        }
        debug_assert!(self.connections[index].is_none());
        self.connections[index] = Some(connection);
    }

    /// Ends a connection: now, or when another node has let go of its socket, or when what it began is done.
    pub(crate) fn close(&mut self, mut connection: Box<Connection>) {
        if !connection.gone && connection.replies.waiting() > 0 {
            self.forget_calls(connection.id);
        }
        self.abandon_wait(&mut connection);
        self.end_streams(&mut connection);
        if connection.hold == Some(Hold::Paused) {
            self.paused.retain(|id| *id != connection.id);
        }
        if matches!(connection.awaited(), Some(Running::Gathering(_) | Running::Blocked(_))) {
            // What it has taken from one shard must still reach another, and keys that it holds be let go of.
            connection.gone = true;
            self.put(connection);
            return;
        }
        if connection.direct.is_some() && !self.reclaim_socket(&mut connection) {
            connection.gone = true;
            self.put(connection);
            return;
        }
        if connection.client.monitor {
            self.monitors.retain(|id| *id != connection.id);
            self.shared.note_monitor(self.me, false);
        }
        self.shared.system.verbose(&|| {
            format!("Client closed connection id={} addr={}", connection.client.id, connection.endpoints.peer)
        });
        self.orders.push(NetworkOrder::Close(connection.id));
        self.stats().clients.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has nobody read for a connection that is closed, whatever of its calls has not been run. Writes take effect.
    fn forget_calls(&mut self, id: ConnectionId) {
        let connection = pack(id);
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.me) {
            self.mesh.outgoing(peer).forget_calls(connection);
            self.mesh.note(peer, Note::Gone(connection));
        }
    }
}

/// What the configuration says of small collections.
fn thresholds(config: &Config, list_large_len_bytes: u32) -> Thresholds {
    Thresholds {
        hash_max_listpack_entries: config.hash_max_listpack_entries,
        hash_max_listpack_value_bytes: config.hash_max_listpack_value_bytes.0,
        list_max_listpack_size: config.list_max_listpack_size,
        // Not from the configuration.
        list_large_len_bytes,
        set_max_intset_entries: config.set_max_intset_entries,
        set_max_listpack_entries: config.set_max_listpack_entries,
        set_max_listpack_value_bytes: config.set_max_listpack_value_bytes,
        zset_max_listpack_entries: config.zset_max_listpack_entries,
        zset_max_listpack_value_bytes: config.zset_max_listpack_value_bytes.0,
        hll_sparse_max_bytes: config.hll_sparse_max_bytes.0,
        // The shard has its own.
        seed: 0,
    }
}
