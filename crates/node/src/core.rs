//! A node without its network: connections, shard, mesh, and what is to be done next.

use crate::clock::{Clock, Time};
use crate::desk::Desk;
use crate::disk::Disk;
use crate::home::connection::Connection;
use crate::home::holds::{Gate, Hold};
use crate::home::{Home, NetworkOrder};
use crate::loading::Loading;
use crate::mesh::Mesh;
use crate::network::ConnectionId;
use crate::notes::{ConnectionNote, Note};
use crate::owner::Owner;
use crate::owner::settings::shard_settings;
use crate::server::Server;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::stats::NodeStats;
use std::sync::Arc;
use tessera_keyspace::{Effects, Shard};

/// A node without its network: the rooms of the two halves, and what serves both.
pub struct Core<S, C> {
    pub(crate) time: Time<C>,
    pub(crate) server: Server,
    pub(crate) home: Home<S>,
    pub(crate) owner: Owner,
    pub(crate) mesh: Mesh<Note<S>>,
    pub(crate) disk: Desk,
    /// This node's part in loading, until all is loaded.
    pub(crate) loading: Option<Box<Loading>>,
    pub(crate) snapshot: Snapshot,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A node's core. Everything random in it follows from `seed`.
    pub fn new(
        clock: C,
        shared: Arc<Shared>,
        mesh: Mesh<Note<S>>,
        disk: Box<dyn Disk>,
        seed: u64,
    ) -> Core<S, C> {
        let databases = shared.config().databases;
        let mut core = Core {
            time: Time::new(clock),
            server: Server::new(mesh.me(), shared),
            home: Home::default(),
            owner: Owner::new(databases, seed),
            mesh,
            disk: Desk::new(disk),
            loading: None,
            snapshot: Snapshot::default(),
        };
        let (slots, me) = (core.server.shared.slots.clone(), core.server.me);
        core.owner.shard.set_owned_keys(Box::new(move |key| usize::from(slots.owner_of(key)) == me));
        core.take_over_config();
        core.owner.shard.set_now_ms(core.now_ms());
        core.begin_loading();
        core
    }

    /// This turn's wall time, in Unix milliseconds.
    #[inline]
    pub(crate) fn now_ms(&self) -> i64 {
        self.time.unix_ms()
    }

    /// What this node publishes.
    #[inline]
    pub(crate) fn stats(&self) -> &NodeStats {
        self.server.stats()
    }

    /// Reads the clocks.
    pub(crate) fn tell_time(&mut self) {
        self.time.tell();
        self.owner.shard.set_now_ms(self.now_ms());
        self.owner.held.begin_turn(self.time.now_ns);
    }

    /// Follows the shared configuration.
    pub(crate) fn follow_config(&mut self) {
        let version = self.server.shared.config_version();
        if version != self.server.config_version {
            self.server.config_version = version;
            self.server.config = self.server.shared.config();
            self.take_over_config();
        }
    }

    fn take_over_config(&mut self) {
        let bulk_max_len_bytes = self.server.config.proto_max_bulk_len.0;
        self.home.limits.bulk_max_len_bytes = i64::try_from(bulk_max_len_bytes).unwrap_or(i64::MAX);
        let settings = shard_settings(&self.server.config, &self.owner.shard.settings());
        self.owner.shard.set_settings(settings);
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
            && self.home.holds.runnable.is_empty()
            && self.home.holds.waiting(Gate::Turn) == 0
            && self.home.holds.waiting(Gate::Peer) == 0
            && self.home.own_notes.is_empty()
            && self.owner.held.is_empty()
            && self.owner.unkept.is_empty()
            && self.home.own_lines.is_empty()
            && self.is_snapshot_quiet()
            && self.home.orders.is_empty()
            && self.owner.remote_sends.is_empty()
            && self.home.connections.iter().flatten().all(|connection| {
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
            self.home.holds.runnable.len(),
            self.home.holds.waiting(Gate::Peer),
            self.home.orders.len(),
            self.owner.remote_sends.len(),
            self.disk,
        );
        for connection in self.home.connections.iter().flatten() {
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
        self.home.connections.iter().flatten().count()
    }

    /// What the writes of the node's shard come down to, in order, from when somebody says that they are to be
    /// recorded.
    pub fn effects_mut(&mut self) -> &mut Effects {
        self.owner.shard.effects_mut()
    }

    /// The node's shard.
    pub fn shard(&self) -> &Shard {
        &self.owner.shard
    }

    /// Takes a connection out of the table to work on it.
    #[inline]
    pub(crate) fn take(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        let place = self.home.connections.get_mut(id.index as usize)?;
        if place.as_ref()?.id == id { place.take() } else { None }
    }

    /// Looks at a connection in the table.
    #[inline]
    pub(crate) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.home.connection(id)
    }

    /// Puts a connection into the table, and into the list of those to send from if there is a reason.
    ///
    /// Whatever came for it while it was out of the table, a long reply that is the next one now goes on: whoever takes
    /// in a reply need not think of that.
    #[inline]
    pub(crate) fn put(&mut self, mut connection: Box<Connection>) {
        if !connection.streams.is_empty() {
            self.pump(&mut connection);
        }
        if !connection.is_listed && (connection.replies.ready_len_bytes() > 0 || connection.close_after_reply)
        {
            connection.is_listed = true;
            self.home.listed.push(connection.id);
        }
        let index = connection.id.index as usize;
        if index >= self.home.connections.len() {
            self.home.connections.resize_with(index + 1, || None);
        }
        debug_assert!(self.home.connections[index].is_none());
        self.home.connections[index] = Some(connection);
    }

    /// Ends a connection: now, or when another node has let go of its socket, or when what it began is done.
    pub(crate) fn close(&mut self, mut connection: Box<Connection>) {
        if !connection.gone && connection.replies.waiting() > 0 {
            self.forget_calls(connection.id);
        }
        self.abandon_wait(&mut connection);
        self.end_streams(&mut connection);
        if connection.hold == Some(Hold::Paused) {
            self.home.holds.forget(connection.id, Hold::Paused);
        }
        if connection.is_known_to_owners() {
            // What it has taken from one shard must still reach another, and keys that it holds be let go of.
            connection.gone = true;
            self.put(connection);
            return;
        }
        self.drop_transaction(&mut connection);
        if connection.direct.is_some() && !self.reclaim_socket(&mut connection) {
            connection.gone = true;
            self.put(connection);
            return;
        }
        if connection.client.monitor {
            self.home.monitors.retain(|id| *id != connection.id);
            self.server.shared.note_monitor(self.server.me, false);
        }
        self.server.shared.system.verbose(&|| {
            format!("Client closed connection id={} addr={}", connection.client.id, connection.endpoints.peer)
        });
        self.home.orders.push(NetworkOrder::Close(connection.id));
        self.stats().clients.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has nobody read for a connection that is closed, whatever of its calls has not been run. Writes take effect.
    fn forget_calls(&mut self, id: ConnectionId) {
        let connection = id.pack();
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.outgoing(peer).forget_calls(connection);
            self.mesh.note(peer, ConnectionNote::Gone(connection));
        }
    }
}
