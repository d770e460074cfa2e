//! A node: its core and its network, one turn after the other.

use crate::clock::Clock;
use crate::core::Core;
use crate::disk::Disk;
use crate::home::NetworkOrder;
use crate::home::connection::Connection;
use crate::home::holds::{Gate, Hold};
use crate::mesh::Mesh;
use crate::network::{Closed, ConnectionId, Events, Network, PollWait};
use crate::notes::{ConnectionNote, Note};
use crate::owner::remote_sends::RemoteOrder;
use crate::shared::Shared;
use crate::snapshot::status::EndOrder;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tessera_keyspace::Effects;

/// How long a node with something stuck sleeps at most, in nanoseconds: nobody rings when a channel has room again.
const STUCK_SLEEP_NS: u64 = 100_000;
/// What is ready of a pipeline that goes on in the next turn leaves when it is so long, in bytes.
const PIECE_LEN_BYTES: usize = 64 * 1024;
/// How long the end waits for replies to leave, in nanoseconds.
const FAREWELL_NS: u64 = 200_000_000;

const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";
const PROTECTED: &[u8] =
    b"-DENIED This server is in protected mode: no password is set, and only clients on its own \
    machine are served. To serve others, set a password with requirepass, or switch protected-mode off.\r\n";

/// One core's share of the server.
pub struct Node<N: Network, C> {
    network: N,
    core: Core<N::Socket, C>,
    /// Why the network cannot be used any more. The server ends then, and what is to be saved is saved before.
    failure: Option<io::Error>,
    /// When the server's end began, in monotonic nanoseconds.
    ending_since_ns: Option<u64>,
    /// When something last happened, in monotonic nanoseconds.
    last_event_ns: u64,
}

/// The core as the network sees it during a poll.
struct Inbox<'a, S, C> {
    core: &'a mut Core<S, C>,
    /// The first event of this poll has been seen.
    awake: bool,
}

impl<N: Network, C: Clock> Node<N, C> {
    /// A node. Everything random in it follows from `seed`.
    pub fn new(
        network: N,
        disk: Box<dyn Disk>,
        clock: C,
        shared: Arc<Shared>,
        mesh: Mesh<Note<N::Socket>>,
        seed: u64,
    ) -> Node<N, C> {
        mesh.bell().connect(network.waker());
        let core = Core::new(clock, shared, mesh, disk, seed);
        Node { network, core, failure: None, ending_since_ns: None, last_event_ns: 0 }
    }

    /// One turn: takes in what has come, does it, sends what follows, and sleeps if there is nothing. Breaks at the
    /// server's end.
    pub fn turn(&mut self) -> ControlFlow<io::Result<()>> {
        let wait = self.lie_down();
        self.work(wait)
    }

    /// The second part of a turn, after [`Node::lie_down`] said how long it may wait.
    pub fn work(&mut self, wait: PollWait) -> ControlFlow<io::Result<()>> {
        self.core.owner.memory.begin_turn();
        self.core.home.release(Gate::Turn);
        self.core.retry_stalled();
        if self.failure.is_none() {
            self.poll(wait);
        }
        let core = &mut self.core;
        core.tell_time();
        let before_ns = core.time.now_ns;
        core.follow_config();
        core.stop_if_told();
        core.disk.collect();
        core.take_mail();
        core.load();
        core.let_held_go();
        core.resume_all();
        if self.failure.is_none() {
            self.welcome();
        }
        let (core, network) = (&mut self.core, &self.network);
        core.keep_house(|| network.counters());
        core.keep_snapshot();
        core.keep_for_readers();
        core.close_readers();
        self.core.resume_all();
        self.core.hand_out_keys();
        self.core.publish();
        self.core.mesh.flush();
        if self.failure.is_none() {
            self.send_all();
            self.carry_out_orders();
        }
        self.core.server.counters.turns += 1;
        self.core.server.counters.busy_ns += self.core.time.clock.monotonic_ns() - before_ns;
        self.end_if_told()
    }

    fn poll(&mut self, wait: PollWait) {
        let mut inbox = Inbox { core: &mut self.core, awake: false };
        let polled = self.network.poll(wait, &mut inbox);
        if wait != PollWait::None && !self.network.sleeps_later() {
            self.core.mesh.bell().doorbell().get_up();
        }
        if let Err(error) = polled {
            let line = format!(
                "The network of shard {} failed ({error}). Its clients cannot be served any more: the server ends",
                self.core.server.me
            );
            self.core.server.shared.system.log(line.as_bytes());
            // Whatever comes of the snapshot.
            self.core.server.shared.ask_to_end(EndOrder { save: None, force: true });
            self.failure = Some(error);
        }
    }

    /// The first part of a turn: how long it may wait for events. If it may, peers ring from now on.
    pub fn lie_down(&mut self) -> PollWait {
        let core = &mut self.core;
        // A sleep that the driver put off is over now.
        core.mesh.bell().doorbell().get_up();
        // Without a network nothing could end a wait.
        if self.failure.is_some()
            || !core.home.holds.runnable.is_empty()
            || core.home.holds.waiting(Gate::Turn) > 0
            || core.owner.shard.has_garbage()
            || core.owes_memory()
            || core.has_loading_work()
            || core.has_snapshot_work()
            || core.has_settled()
            || core.owner.has_to_keep()
            || !core.home.to_close.is_empty()
            || core.owner.held.has_work()
            || core.owner.shard.waited_keys().has_ready()
            || core.mesh.has_runnable()
            || core.may_retry_stalled()
        {
            return PollWait::None;
        }
        let spin_ns = u64::from(core.server.config.spin_us) * 1000;
        if spin_ns > 0 && core.time.now_ns < self.last_event_ns + spin_ns {
            return PollWait::None;
        }
        let mut sleep_ns = core.until_housekeeping_ns();
        if core.mesh.waits_for_peers()
            || core.home.holds.waiting(Gate::Peer) > 0
            || core.server.shared.is_shutting_down()
        {
            sleep_ns = sleep_ns.min(STUCK_SLEEP_NS);
        }
        core.mesh.bell().doorbell().lie_down();
        if core.mesh.has_mail() || core.owes_memory() || sleep_ns == 0 {
            core.mesh.bell().doorbell().get_up();
            return PollWait::None;
        }
        PollWait::AtMost(Duration::from_nanos(sleep_ns))
    }

    /// A wait that the network's poll has put off (see [`Network::sleeps_later`]) is to begin now, and would take
    /// `planned` at most: how long it may take after what the turn did since, or `None` if there is something to do. If
    /// it may, peers ring from now on, until [`Node::get_up`] or the next turn.
    pub fn sleep_later(&mut self, planned: Duration) -> Option<Duration> {
        match self.lie_down() {
            PollWait::None => None,
            PollWait::AtMost(wait) => Some(wait.min(planned)),
        }
    }

    /// The sleep that [`Node::sleep_later`] allowed is over: peers need not ring.
    pub fn get_up(&mut self) {
        self.core.mesh.bell().doorbell().get_up();
    }

    /// Deals accepted sockets to the nodes with the fewest clients, and takes in those dealt to this one.
    fn welcome(&mut self) {
        for socket in std::mem::take(&mut self.core.home.accepted) {
            let shared = &self.core.server.shared;
            if shared.clients() >= self.core.server.config.max_clients {
                self.core.server.counters.rejected_connections += 1;
                self.network.refuse(socket, TOO_MANY_CLIENTS);
                continue;
            }
            let clients = |node: &usize| shared.stats[*node].clients.load(Ordering::Relaxed);
            let fewest = (0..shared.stats.len()).min_by_key(clients).unwrap_or(self.core.server.me);
            // A tie stays here.
            let node =
                if clients(&fewest) == clients(&self.core.server.me) { self.core.server.me } else { fewest };
            shared.stats[node].clients.fetch_add(1, Ordering::Relaxed);
            if node == self.core.server.me {
                self.core.home.adopted.push(socket);
            } else {
                self.core.mesh.note(node, ConnectionNote::Adopt(socket));
            }
        }
        for socket in std::mem::take(&mut self.core.home.adopted) {
            self.adopt(socket);
        }
    }

    fn adopt(&mut self, socket: N::Socket) {
        let Ok(id) = self.network.adopt(socket) else {
            self.core.stats().clients.fetch_sub(1, Ordering::Relaxed);
            return;
        };
        self.core.server.counters.connections += 1;
        let endpoints = self.network.endpoints(id);
        self.core.server.shared.system.verbose(&|| format!("Accepted {}", endpoints.peer));
        let client = self.core.new_client(&endpoints);
        let stranger = !client.is_local
            && self.core.server.config.protected_mode
            && self.core.server.config.require_pass.is_none();
        let mut connection = Box::new(Connection::new(id, client, endpoints));
        connection.handle = Some(self.network.handle(id));
        if stranger {
            connection.replies.push(PROTECTED);
            connection.close_after_reply = true;
        }
        self.core.put(connection);
    }

    /// Sends what is ready, and closes what is done.
    fn send_all(&mut self) {
        for id in std::mem::take(&mut self.core.home.listed) {
            let Some(connection) = self.core.connection(id) else { continue };
            connection.is_listed = false;
            if connection.gone || connection.sending_bytes > 0 || connection.direct.is_some() {
                // Comes back into the list when that is over.
                let output_bytes = connection.counted_output_bytes();
                if !connection.gone && self.core.is_over_hard_limit(output_bytes) {
                    self.core.close_for_output(id);
                }
                continue;
            }
            if connection.send_failed {
                drop(connection.replies.take_ready());
            }
            // More of a pipeline that goes on in the next turn leaves in one piece.
            if connection.hold == Some(Hold::Turn) && connection.replies.ready_len_bytes() < PIECE_LEN_BYTES {
                connection.is_listed = true;
                self.core.home.listed.push(id);
                continue;
            }
            if connection.replies.ready_len_bytes() > 0 {
                let buffer = connection.replies.take_ready();
                connection.sending_bytes = buffer.len();
                let output_bytes = connection.counted_output_bytes();
                let is_waited_for = connection.close_after_reply
                    || matches!(connection.hold, Some(Hold::SlowReader | Hold::Transfer))
                    || !connection.streams.is_empty();
                // Only who waits for the end of a send has to hear of it at once.
                if is_waited_for {
                    self.network.send(id, buffer);
                } else {
                    self.network.send_quietly(id, buffer);
                }
                if self.core.is_over_hard_limit(output_bytes) {
                    self.core.close_for_output(id);
                }
            } else if connection.close_after_reply
                && connection.replies.is_settled()
                && let Some(connection) = self.core.take(id)
            {
                self.core.close(connection);
            }
        }
    }

    fn carry_out_orders(&mut self) {
        for order in std::mem::take(&mut self.core.home.orders) {
            match order {
                NetworkOrder::PauseReceive(id) => self.network.pause_receive(id),
                NetworkOrder::ResumeReceive(id) => self.network.resume_receive(id),
                NetworkOrder::Close(id) => self.network.close(id),
            }
        }
        for RemoteOrder { socket, tag, bytes } in self.core.owner.remote_sends.orders.drain(..) {
            self.network.send_remote(socket, tag, bytes);
        }
    }

    /// The end: no new clients, what is ready leaves, then everything closes.
    fn end_if_told(&mut self) -> ControlFlow<io::Result<()>> {
        if !self.core.server.shared.is_shutting_down() {
            return ControlFlow::Continue(());
        }
        let now_ns = self.core.time.now_ns;
        let since_ns = *self.ending_since_ns.get_or_insert_with(|| {
            self.network.stop_listening();
            now_ns
        });
        self.core.reclaim_all_sockets();
        let busy = self.core.home.is_writing() || !self.core.owner.remote_sends.is_empty();
        if (busy || now_ns == since_ns) && now_ns - since_ns < FAREWELL_NS {
            return ControlFlow::Continue(());
        }
        for connection in std::mem::take(&mut self.core.home.connections).into_iter().flatten() {
            // A socket that another node has not given back closes with the process.
            if connection.direct.is_none() {
                self.network.close(connection.id);
            }
        }
        ControlFlow::Break(self.failure.take().map_or(Ok(()), Err))
    }

    /// See [`Core::effects_mut`].
    pub fn effects_mut(&mut self) -> &mut Effects {
        self.core.effects_mut()
    }

    /// The node's core, for checks from outside.
    pub fn core(&self) -> &Core<N::Socket, C> {
        &self.core
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Goes on with the connections whose hold is over.
    fn resume_all(&mut self) {
        // Those that become runnable meanwhile have their turn in the next one.
        for _ in 0..self.home.holds.runnable.len() {
            if let Some(id) = self.home.holds.runnable.pop_front() {
                self.resume(id);
            }
        }
    }

    /// Whether the first of those that were held because of a congested peer may try again.
    fn may_retry_stalled(&mut self) -> bool {
        let Some(first) = self.home.holds.first(Gate::Peer) else { return false };
        self.mesh.look_at_peers();
        match self.connection(first).and_then(|connection| connection.hold) {
            Some(Hold::Peer(peer)) => !self.mesh.is_congested(peer),
            _ => true,
        }
    }

    /// Lets connections try again that were held because of a congested peer, before others send it more.
    fn retry_stalled(&mut self) {
        if self.home.holds.waiting(Gate::Peer) == 0 {
            return;
        }
        self.mesh.look_at_peers();
        self.tell_time();
        let mut waiting = Vec::new();
        for id in self.home.holds.take(Gate::Peer) {
            match self.connection(id).and_then(|connection| connection.hold) {
                Some(Hold::Peer(peer)) if self.mesh.is_congested(peer) => waiting.push(id),
                Some(Hold::Peer(_)) => self.resume(id),
                _ => {}
            }
        }
        // Who has had a turn is behind those who have not.
        self.home.holds.put_back(Gate::Peer, waiting);
    }
}

impl<S: Send + 'static, C: Clock> Inbox<'_, S, C> {
    /// Reads the clocks when the first event comes: the wait is over.
    #[inline]
    fn wake_up(&mut self) {
        if !self.awake {
            self.awake = true;
            self.core.tell_time();
        }
    }
}

impl<S: Send + 'static, C: Clock> Events<S> for Inbox<'_, S, C> {
    fn accepted(&mut self, socket: S) {
        self.core.home.accepted.push(socket);
    }

    fn received(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.wake_up();
        self.core.receive(id, bytes);
    }

    fn sent(&mut self, id: ConnectionId, buffer: Vec<u8>, result: io::Result<()>) {
        let core = &mut *self.core;
        core.server.counters.writes += 1;
        let output_pause_bytes = core.home.output_pause_bytes;
        let now_ms = core.now_ms();
        if let Some(connection) = core.connection(id) {
            connection.sending_bytes = 0;
            connection.client.last_interaction_at_ms = now_ms;
            let is_ready = connection.replies.ready_len_bytes() > 0 || connection.close_after_reply;
            let lists = is_ready && !connection.is_listed;
            connection.is_listed |= lists;
            let resumes = connection.hold == Some(Hold::SlowReader)
                && connection.output_bytes() < output_pause_bytes / 2;
            let streams = !connection.streams.is_empty();
            if lists {
                core.home.listed.push(id);
            }
            if resumes {
                core.home.holds.runnable.push_back(id);
            }
            if streams {
                core.pump_by_id(id);
            }
        }
        if result.is_ok() {
            core.server.counters.output_bytes += buffer.len() as u64;
        } else if let Some(mut connection) = core.take(id) {
            core.stop_sending(&mut connection);
            core.put(connection);
        }
        core.server.buffers.give_back(buffer);
    }

    fn sent_some(&mut self, id: ConnectionId) {
        self.wake_up();
        self.core.note_activity(id);
    }

    fn remote_sent(&mut self, tag: u64, buffer: Vec<u8>, written: usize) {
        self.core.remote_reply_sent(tag, buffer, written);
    }

    fn hung_up(&mut self, id: ConnectionId, why: Closed) {
        self.wake_up();
        self.core.hang_up(id, why);
    }

    fn closed(&mut self, id: ConnectionId, why: Closed) {
        self.wake_up();
        self.core.end_of_input(id, why);
    }
}
