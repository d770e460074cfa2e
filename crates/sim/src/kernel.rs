//! The sockets between virtual clients and virtual nodes, and the contract of the seam.
//!
//! Every call of a node is checked against what [`tessera_node::network`] says; a breach panics. Writes go the way
//! they go with a real kernel: queued by the call, submitted with the next poll, carried out at some moment after
//! that, told by some poll after that. In between, everybody else goes on.

use crate::weather::{Weather, happens};
use std::collections::VecDeque;
use std::io;
use tessera_node::network::{Closed, ConnectionId};

/// A socket's number. Never used again.
pub type SocketNumber = usize;

/// A send of the socket's home.
struct HomeSend {
    id: ConnectionId,
    buffer: Vec<u8>,
    written: usize,
    submitted: bool,
    /// Nobody waits for its end.
    quiet: bool,
}

/// A direct reply that another node asked to write.
struct RemoteSend {
    node: usize,
    tag: u64,
    buffer: Vec<u8>,
    submitted: bool,
}

#[derive(Default)]
struct Socket {
    /// The node that adopted it, and its name there, until closed there.
    home: Option<(usize, ConnectionId)>,
    /// Sent by the client and not delivered.
    inbound: VecDeque<u8>,
    /// The client is gone, and how.
    end: Option<Closed>,
    /// The node was told so.
    end_told: bool,
    /// The node was told so while it had paused reception.
    hang_up_told: Option<Closed>,
    /// Bytes that the node received.
    delivered_len_bytes: usize,
    /// It ended in order, but does not read what is still sent to it.
    is_deaf: bool,
    /// Written by nodes and not read.
    outbound: VecDeque<u8>,
    receive_paused: bool,
    /// A receive may have been under way when it was paused.
    receive_under_way: bool,
    home_send: Option<HomeSend>,
    /// Given to `send`, and its `sent` not told yet.
    sending: bool,
    remote_send: Option<RemoteSend>,
    /// Given to `send_remote`, and its `remote_sent` not told yet.
    remote_sending: bool,
    closed_by_server: bool,
}

impl Socket {
    /// Writes fail.
    fn is_reset(&self) -> bool {
        self.is_deaf || self.is_broken()
    }

    fn is_broken(&self) -> bool {
        matches!(self.end, Some(Closed::ByError(_)))
    }

    /// What the node is to be told of a client that went while reception was paused.
    fn hang_up(&self) -> Option<Closed> {
        let is_told = self.hang_up_told == self.end || matches!(self.hang_up_told, Some(Closed::ByError(_)));
        let may_tell = self.home.is_some() && self.receive_paused && !self.end_told && !is_told;
        self.end.filter(|_| may_tell)
    }

    fn deliverable(&self) -> bool {
        let something = !self.inbound.is_empty() || self.end.is_some();
        self.home.is_some() && something && !self.end_told && (!self.receive_paused || self.receive_under_way)
    }
}

/// What a poll tells its node.
pub enum Event {
    /// See [`tessera_node::network::Events`].
    Accepted(SocketNumber),
    /// Likewise.
    Received(ConnectionId, Vec<u8>),
    /// Likewise.
    Sent(ConnectionId, Vec<u8>, io::Result<()>),
    /// Likewise.
    RemoteSent(u64, Vec<u8>, usize),
    /// Likewise.
    HungUp(ConnectionId, Closed),
    /// Likewise.
    SentSome(ConnectionId),
    /// Likewise.
    Closed(ConnectionId, Closed),
}

/// A write that is done and not told.
enum Done {
    Sent { socket: SocketNumber, id: ConnectionId, buffer: Vec<u8>, result: io::Result<()>, quiet: bool },
    RemoteSent(SocketNumber, u64, Vec<u8>, usize),
    SentSome(ConnectionId),
}

/// An index of a node's connection table.
struct Place {
    generation: u32,
    socket: Option<SocketNumber>,
}

#[derive(Default)]
struct Port {
    backlog: VecDeque<SocketNumber>,
    places: Vec<Place>,
    done: Vec<Done>,
    stopped: bool,
    /// The next poll fails.
    fails: bool,
    /// A poll has failed.
    has_failed: bool,
}

/// How often things happened that a run is to provoke, for its summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sights {
    /// Polls of all nodes.
    pub polls: u64,
    /// Bytes received by nodes.
    pub received_bytes: u64,
    /// Direct replies written whole.
    pub direct_whole: u64,
    /// Direct replies of which a rest went back home, or all.
    pub direct_short: u64,
    /// Clients that went away with a direct reply under way.
    pub end_in_direct: u64,
    /// Clients that went away with a send under way.
    pub end_in_send: u64,
    /// Receptions paused.
    pub pauses: u64,
    /// Blocks of memory that defragmentation moved, where somebody looked.
    pub moved_blocks: u64,
}

/// All sockets.
pub struct Kernel {
    sockets: Vec<Socket>,
    ports: Vec<Port>,
    weather: Weather,
    random: fastrand::Rng,
    sights: Sights,
}

impl Kernel {
    /// For so many nodes.
    pub fn new(nodes: usize, weather: Weather, seed: u64) -> Kernel {
        Kernel {
            sockets: Vec::new(),
            ports: (0..nodes).map(|_| Port::default()).collect(),
            weather,
            random: fastrand::Rng::with_seed(seed),
            sights: Sights::default(),
        }
    }

    /// What was seen so far.
    pub fn sights(&self) -> Sights {
        self.sights
    }

    // The clients' side.

    /// A new connection, which `node`'s listener will take.
    pub fn connect(&mut self, node: usize) -> SocketNumber {
        self.sockets.push(Socket::default());
        self.ports[node].backlog.push_back(self.sockets.len() - 1);
        self.sockets.len() - 1
    }

    /// The client sends.
    pub fn write(&mut self, socket: SocketNumber, bytes: &[u8]) {
        let socket = &mut self.sockets[socket];
        if !socket.closed_by_server && socket.end.is_none() {
            socket.inbound.extend(bytes);
        }
    }

    /// The client reads up to `max_len_bytes`.
    pub fn read(&mut self, socket: SocketNumber, max_len_bytes: usize) -> Vec<u8> {
        let outbound = &mut self.sockets[socket].outbound;
        let len = outbound.len().min(max_len_bytes);
        outbound.drain(..len).collect()
    }

    /// Bytes that the client could read.
    pub fn readable_len_bytes(&self, socket: SocketNumber) -> usize {
        self.sockets[socket].outbound.len()
    }

    /// Bytes of the client that were not delivered yet.
    pub fn undelivered_len_bytes(&self, socket: SocketNumber) -> usize {
        self.sockets[socket].inbound.len()
    }

    /// Bytes of the client that its node has received.
    pub fn delivered_len_bytes(&self, socket: SocketNumber) -> usize {
        self.sockets[socket].delivered_len_bytes
    }

    /// A direct reply is being written to the client.
    pub fn is_replied_directly(&self, socket: SocketNumber) -> bool {
        self.sockets[socket].remote_sending
    }

    /// The server has closed the connection, and everything before that was read.
    pub fn is_at_end(&self, socket: SocketNumber) -> bool {
        self.sockets[socket].closed_by_server && self.sockets[socket].outbound.is_empty()
    }

    /// The client goes away: orderly, or at once and with an error.
    pub fn end(&mut self, number: SocketNumber, orderly: bool) {
        let socket = &mut self.sockets[number];
        if socket.end.is_some() || socket.closed_by_server {
            return;
        }
        self.sights.end_in_direct += u64::from(socket.remote_sending);
        self.sights.end_in_send += u64::from(socket.sending);
        // Nobody is there any more to read what is still sent: a real kernel answers that with a reset.
        socket.is_deaf = orderly;
        socket.end = Some(if orderly {
            Closed::ByPeer
        } else {
            socket.inbound.clear();
            socket.outbound.clear();
            Closed::ByError(io::ErrorKind::ConnectionReset)
        });
    }

    /// The client sends no more, but goes on reading.
    pub fn half_close(&mut self, number: SocketNumber) {
        let socket = &mut self.sockets[number];
        if socket.end.is_none() && !socket.closed_by_server {
            socket.end = Some(Closed::ByPeer);
        }
    }

    // The kernel itself.

    /// Carries out writes that are submitted, some or all. True if anything was done.
    pub fn progress(&mut self) -> bool {
        let mut any = false;
        for number in 0..self.sockets.len() {
            if self.sockets[number].remote_send.as_ref().is_some_and(|send| send.submitted)
                && !happens(&mut self.random, self.weather.slow_kernel)
            {
                self.write_remote(number);
                any = true;
            }
            if self.sockets[number].home_send.as_ref().is_some_and(|send| send.submitted)
                && !happens(&mut self.random, self.weather.slow_kernel)
            {
                any |= self.write_home(number);
            }
        }
        any
    }

    /// Writes are waiting that could be carried out.
    pub fn is_busy(&self) -> bool {
        self.sockets.iter().any(|socket| {
            let room = socket.outbound.len() < self.weather.window_len_bytes || socket.is_reset();
            socket.remote_send.as_ref().is_some_and(|send| send.submitted)
                || (room && socket.home_send.as_ref().is_some_and(|send| send.submitted))
        })
    }

    /// How much a write takes, given what there is room for.
    fn taken(&mut self, room: usize) -> usize {
        if happens(&mut self.random, self.weather.short_write) { self.random.usize(..=room) } else { room }
    }

    fn write_remote(&mut self, number: SocketNumber) {
        let Some(send) = self.sockets[number].remote_send.take() else { return };
        let socket = &self.sockets[number];
        let room = self.weather.window_len_bytes.saturating_sub(socket.outbound.len()).min(send.buffer.len());
        let ended = socket.end.is_some();
        let written = if ended && self.random.bool() { 0 } else { self.taken(room) };
        let socket = &mut self.sockets[number];
        if !socket.is_reset() {
            socket.outbound.extend(&send.buffer[..written]);
        }
        if written == send.buffer.len() {
            self.sights.direct_whole += 1;
        } else {
            self.sights.direct_short += 1;
        }
        self.ports[send.node].done.push(Done::RemoteSent(number, send.tag, send.buffer, written));
    }

    fn write_home(&mut self, number: SocketNumber) -> bool {
        let Some(mut send) = self.sockets[number].home_send.take() else { return false };
        let socket = &self.sockets[number];
        if socket.is_reset() {
            let error = Err(io::ErrorKind::ConnectionReset.into());
            return self.home_write_done(number, send, error);
        }
        let room = self.weather.window_len_bytes.saturating_sub(socket.outbound.len());
        let written = self.taken(room.min(send.buffer.len() - send.written));
        self.sockets[number].outbound.extend(&send.buffer[send.written..][..written]);
        send.written += written;
        if written > 0
            && send.written < send.buffer.len()
            && let Some((node, id)) = self.sockets[number].home
        {
            // That bytes have left is told once, however often they have by the time it is heard.
            let done = &mut self.ports[node].done;
            if !done.iter().any(|done| matches!(done, Done::SentSome(told) if *told == id)) {
                done.push(Done::SentSome(id));
            }
        }
        if send.written == send.buffer.len() {
            return self.home_write_done(number, send, Ok(()));
        }
        self.sockets[number].home_send = Some(send);
        written > 0
    }

    fn home_write_done(&mut self, number: SocketNumber, send: HomeSend, result: io::Result<()>) -> bool {
        if let Some((node, _)) = self.sockets[number].home {
            let HomeSend { id, buffer, quiet, .. } = send;
            self.ports[node].done.push(Done::Sent { socket: number, id, buffer, result, quiet });
        }
        true
    }

    // The nodes' side.

    /// Whatever `node` has asked for since its last poll is now the kernel's.
    pub fn submit(&mut self, node: usize) {
        for socket in &mut self.sockets {
            if let Some(send) = &mut socket.home_send
                && socket.home.is_some_and(|(home, _)| home == node)
            {
                send.submitted = true;
            }
            if let Some(send) = &mut socket.remote_send
                && send.node == node
            {
                send.submitted = true;
            }
        }
    }

    /// A poll of `node` would tell something.
    pub fn has_events(&self, node: usize) -> bool {
        let port = &self.ports[node];
        port.done.iter().any(|done| !matches!(done, Done::Sent { quiet: true, .. }))
            || (!port.backlog.is_empty() && !port.stopped)
            || port
                .places
                .iter()
                .flat_map(|place| place.socket)
                .any(|number| self.sockets[number].deliverable() || self.sockets[number].hang_up().is_some())
    }

    /// What a poll of `node` tells, in a random order where no order is promised.
    pub fn reap(&mut self, node: usize) -> Vec<Event> {
        let mut events = Vec::new();
        self.sights.polls += 1;
        while !self.ports[node].stopped && !self.ports[node].backlog.is_empty() && !self.withholds() {
            events.extend(self.ports[node].backlog.pop_front().map(Event::Accepted));
        }
        let mut sources: Vec<SocketNumber> =
            self.ports[node].places.iter().filter_map(|place| place.socket).collect();
        // Some come up twice: several receives of one poll.
        let again: Vec<SocketNumber> = sources.iter().copied().filter(|_| self.random.bool()).collect();
        sources.extend(again);
        self.random.shuffle(&mut sources);
        for number in sources {
            if !self.withholds() {
                self.receive(number, &mut events);
            }
            if self.random.u8(..4) == 0 {
                self.tell_done(node, &mut events);
            }
        }
        while !self.ports[node].done.is_empty() && !self.withholds() {
            self.tell_done(node, &mut events);
        }
        events
    }

    fn withholds(&mut self) -> bool {
        happens(&mut self.random, self.weather.withhold)
    }

    fn receive(&mut self, number: SocketNumber, events: &mut Vec<Event>) {
        if !self.sockets[number].deliverable() {
            let socket = &mut self.sockets[number];
            if let (Some(why), Some((_, id))) = (socket.hang_up(), socket.home) {
                socket.hang_up_told = Some(why);
                events.push(Event::HungUp(id, why));
            }
            return;
        }
        let cuts = happens(&mut self.random, self.weather.cut_receive);
        let socket = &mut self.sockets[number];
        let Some((_, id)) = socket.home else { return };
        socket.receive_under_way = false;
        if socket.inbound.is_empty() {
            if let Some(why) = socket.end {
                socket.end_told = true;
                events.push(Event::Closed(id, why));
            }
            return;
        }
        let whole = socket.inbound.len().min(self.weather.receive_max_len_bytes);
        let len = if cuts { self.random.usize(1..=whole) } else { whole };
        self.sights.received_bytes += len as u64;
        socket.delivered_len_bytes += len;
        events.push(Event::Received(id, socket.inbound.drain(..len).collect()));
    }

    fn tell_done(&mut self, node: usize, events: &mut Vec<Event>) {
        let done = &mut self.ports[node].done;
        if done.is_empty() {
            return;
        }
        match done.swap_remove(self.random.usize(..done.len())) {
            Done::Sent { socket, id, buffer, result, .. } => {
                self.sockets[socket].sending = false;
                events.push(Event::Sent(id, buffer, result));
            }
            Done::SentSome(id) => events.push(Event::SentSome(id)),
            Done::RemoteSent(number, tag, buffer, written) => {
                self.sockets[number].remote_sending = false;
                events.push(Event::RemoteSent(tag, buffer, written));
            }
        }
    }

    fn socket_of(&self, node: usize, id: ConnectionId, call: &str) -> SocketNumber {
        self.ports[node]
            .places
            .get(id.index as usize)
            .filter(|place| place.generation == id.generation)
            .and_then(|place| place.socket)
            .unwrap_or_else(|| {
                panic!("contract: node {node} calls {call} for {id:?}, which it does not have")
            })
    }

    /// See [`tessera_node::network::Network::adopt`].
    pub fn adopt(&mut self, node: usize, number: SocketNumber) -> io::Result<ConnectionId> {
        assert!(self.sockets[number].home.is_none(), "contract: socket {number} is adopted twice");
        if self.sockets[number].is_broken() && self.random.bool() {
            self.sockets[number].closed_by_server = true;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let places = &mut self.ports[node].places;
        let index = places.iter().position(|place| place.socket.is_none()).unwrap_or_else(|| {
            places.push(Place { generation: 0, socket: None });
            places.len() - 1
        });
        places[index].socket = Some(number);
        places[index].generation += 1;
        let id = ConnectionId { index: index as u32, generation: places[index].generation };
        self.sockets[number].home = Some((node, id));
        Ok(id)
    }

    /// See [`tessera_node::network::Network::refuse`].
    pub fn refuse(&mut self, number: SocketNumber, message: &[u8]) {
        let socket = &mut self.sockets[number];
        assert!(socket.home.is_none(), "contract: an adopted socket is refused");
        socket.outbound.extend(message);
        socket.closed_by_server = true;
    }

    /// See [`tessera_node::network::Network::send`] and `send_quietly`.
    pub fn send(&mut self, node: usize, id: ConnectionId, buffer: Vec<u8>, quiet: bool) {
        let number = self.socket_of(node, id, "send");
        let socket = &mut self.sockets[number];
        assert!(!buffer.is_empty(), "contract: an empty send");
        assert!(!socket.sending, "contract: a second send on {id:?} of node {node} while one is out");
        assert!(
            !socket.remote_sending,
            "contract: a send on {id:?} of node {node} while a direct reply is out"
        );
        assert!(
            !(socket.end_told && socket.is_broken()),
            "contract: a send on {id:?} of node {node}, which was told that it failed"
        );
        socket.sending = true;
        socket.home_send = Some(HomeSend { id, buffer, written: 0, submitted: false, quiet });
    }

    /// See [`tessera_node::network::Network::send_remote`].
    pub fn send_remote(&mut self, node: usize, number: SocketNumber, tag: u64, buffer: Vec<u8>) {
        let socket = &mut self.sockets[number];
        assert!(
            socket.home.is_some_and(|(home, _)| home != node),
            "contract: a direct reply to a closed socket"
        );
        assert!(!socket.sending, "contract: a direct reply while a send of the home is out");
        assert!(!socket.remote_sending, "contract: two direct replies to one socket");
        socket.remote_sending = true;
        socket.remote_send = Some(RemoteSend { node, tag, buffer, submitted: false });
        if happens(&mut self.random, self.weather.immediate_remote) {
            self.write_remote(number);
        }
    }

    /// See [`tessera_node::network::Network::handle`].
    pub fn handle(&self, node: usize, id: ConnectionId) -> SocketNumber {
        self.socket_of(node, id, "handle")
    }

    /// See [`tessera_node::network::Network::pause_receive`] and `resume_receive`.
    pub fn pause_receive(&mut self, node: usize, id: ConnectionId, pauses: bool) {
        let number = self.socket_of(node, id, if pauses { "pause_receive" } else { "resume_receive" });
        let under_way = pauses && self.random.u8(..4) == 0;
        let socket = &mut self.sockets[number];
        assert!(socket.receive_paused != pauses, "contract: reception of {id:?} paused or resumed twice");
        socket.receive_paused = pauses;
        socket.receive_under_way = under_way;
        self.sights.pauses += u64::from(pauses);
    }

    /// See [`tessera_node::network::Network::close`].
    pub fn close(&mut self, node: usize, id: ConnectionId) {
        let number = self.socket_of(node, id, "close");
        let gives_back = self.random.bool();
        let socket = &mut self.sockets[number];
        assert!(!socket.remote_sending, "contract: node {node} closes {id:?} while a direct reply is out");
        socket.closed_by_server = true;
        socket.home = None;
        if let Some(send) = socket.home_send.take()
            && gives_back
        {
            let HomeSend { id, buffer, quiet, .. } = send;
            let result = Err(io::ErrorKind::Interrupted.into());
            self.ports[node].done.push(Done::Sent { socket: number, id, buffer, result, quiet });
        }
        self.ports[node].places[id.index as usize].socket = None;
    }

    /// See [`tessera_node::network::Network::stop_listening`].
    pub fn stop_listening(&mut self, node: usize) {
        self.ports[node].stopped = true;
    }

    /// The next poll of `node` fails for good.
    pub fn fail(&mut self, node: usize) {
        self.ports[node].fails = true;
    }

    /// What a poll of `node` comes to.
    ///
    /// # Errors
    /// Once, if it is to fail.
    pub fn poll(&mut self, node: usize) -> io::Result<()> {
        let port = &mut self.ports[node];
        assert!(!port.has_failed, "contract: node {node} polls a network that has failed");
        port.has_failed = port.fails;
        if port.fails { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
    }

    /// A poll of `node` has failed.
    pub fn has_failed(&self, node: usize) -> bool {
        self.ports[node].has_failed
    }

    // For the checks at the end.

    /// Sockets that a node still has.
    pub fn adopted_len(&self) -> usize {
        self.sockets.iter().filter(|socket| socket.home.is_some()).count()
    }

    /// Nothing waits between nodes and sockets.
    pub fn is_quiet(&self) -> bool {
        self.ports.iter().all(|port| port.done.is_empty() && port.backlog.is_empty())
            && self.sockets.iter().all(|socket| {
                socket.home_send.is_none()
                    && socket.remote_send.is_none()
                    && !socket.deliverable()
                    && socket.hang_up().is_none()
            })
    }
}
