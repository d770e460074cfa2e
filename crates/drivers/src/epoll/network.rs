//! The driver: readiness turned into the events of a node.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};
use tessera_node::network::{Closed, ConnectionId, Endpoints, Events, Network, PollWait, SocketHandle, Wake};

use super::connection::{Connection, Outgoing};
use crate::listen::{Listener, ListenerNews};
use crate::shed::Shedder;
use crate::slab::Slab;
use crate::socket::{Socket, endpoints};
use crate::waker::Waker;

/// Bytes of the one buffer that all connections are read into.
const READ_LEN_BYTES: usize = 64 * 1024;

/// Events taken per poll.
const EVENTS_PER_POLL: usize = 512;

/// Connections accepted per listener and poll, so that a flood of them leaves room for the rest.
const ACCEPTS_PER_POLL: usize = 64;

/// How many connections a node can have: indexes above stand for other descriptors.
const CONNECTIONS_MAX: u32 = 1 << 24;

/// The waker, in the place of a connection's index.
const WAKER: u32 = u32::MAX;

/// Listeners, in the place of a connection's index: the generation is the listener's number.
const LISTENER: u32 = u32::MAX - 1;

/// One node's network on epoll.
pub struct EpollNetwork {
    epoll: OwnedFd,
    connections: Slab<Connection>,
    listeners: Vec<Accepting>,
    /// The number of the next listener.
    next_listener: u32,
    news: ListenerNews,
    is_listening: bool,
    resting: bool,
    waker: Waker,
    shedder: Shedder,
    read_buffer: Vec<u8>,
    ready: Vec<Event>,
    finished: VecDeque<Finished>,
    counters: Counters,
}

#[derive(Debug)]
struct Accepting {
    /// Names it in events, which may be at hand when it has been replaced.
    number: u32,
    listener: Listener,
    rest_until: Option<Instant>,
}

/// A send whose outcome the node has not been told.
#[derive(Debug)]
enum Finished {
    Local { id: ConnectionId, buffer: Vec<u8>, result: Result<(), Errno>, quiet: bool },
    Remote { tag: u64, buffer: Vec<u8>, written: usize },
}

#[derive(Debug, Default)]
struct Counters {
    waits: u64,
    reads: u64,
    writes: u64,
    short_sends: u64,
}

fn data(id: ConnectionId) -> EventData {
    EventData::new_u64((u64::from(id.index) << 32) | u64::from(id.generation))
}

impl fmt::Debug for EpollNetwork {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EpollNetwork")
            .field("connections", &self.connections.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl EpollNetwork {
    /// Sets up epoll and starts accepting from `listeners`.
    ///
    /// # Errors
    /// When the process or the system is out of descriptors or memory.
    pub fn new(listeners: Vec<Listener>, waker: Waker) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let data_of_waker = data(ConnectionId { index: WAKER, generation: 0 });
        epoll::add(&epoll, &waker, data_of_waker, EventFlags::IN)?;
        let mut network = Self {
            epoll,
            connections: Slab::new(CONNECTIONS_MAX),
            listeners: Vec::new(),
            next_listener: 0,
            news: ListenerNews::default(),
            is_listening: true,
            resting: false,
            waker,
            shedder: Shedder::new(),
            read_buffer: Vec::with_capacity(READ_LEN_BYTES),
            ready: Vec::with_capacity(EVENTS_PER_POLL),
            finished: VecDeque::new(),
            counters: Counters::default(),
        };
        network.add_listeners(listeners)?;
        Ok(network)
    }

    /// Has the driver take other TCP listeners from `news` when there are some.
    #[must_use]
    pub fn following(mut self, news: ListenerNews) -> Self {
        self.news = news;
        self
    }

    fn add_listeners(&mut self, listeners: Vec<Listener>) -> io::Result<()> {
        for listener in listeners {
            let flags = rustix::fs::fcntl_getfl(&listener)?;
            rustix::fs::fcntl_setfl(&listener, flags | OFlags::NONBLOCK)?;
            let number = self.next_listener;
            self.next_listener = number.wrapping_add(1);
            self.listeners.push(Accepting { number, listener, rest_until: None });
            self.watch_listener(self.listeners.len() - 1)?;
        }
        Ok(())
    }

    /// Accepts from other TCP listeners if there are some. A listener that is closed is no longer watched.
    fn follow_news(&mut self) -> io::Result<()> {
        let Some(listeners) = self.news.take().filter(|_| self.is_listening) else { return Ok(()) };
        self.listeners.retain(|accepting| !accepting.listener.is_tcp());
        self.add_listeners(listeners)
    }

    fn watch_listener(&mut self, index: usize) -> io::Result<()> {
        let Some(accepting) = self.listeners.get(index) else { return Ok(()) };
        let data = data(ConnectionId { index: LISTENER, generation: accepting.number });
        Ok(epoll::add(&self.epoll, &accepting.listener, data, EventFlags::IN)?)
    }

    /// Brings what epoll watches in line with what the connection needs.
    fn watch(epoll: BorrowedFd<'_>, id: ConnectionId, connection: &mut Connection) -> io::Result<()> {
        let interest = connection.interest();
        let descriptor = &connection.descriptor;
        match (connection.watched, interest) {
            (old, new) if old == new => {}
            (None, Some(new)) => epoll::add(epoll, descriptor, data(id), new)?,
            (Some(_), Some(new)) => epoll::modify(epoll, descriptor, data(id), new)?,
            (Some(_), None) => epoll::delete(epoll, descriptor)?,
            (None, None) => {}
        }
        connection.watched = interest;
        Ok(())
    }

    /// Watches the connection anew; one that cannot be watched would hang, so it is ended.
    fn watch_or_end(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if Self::watch(self.epoll.as_fd(), id, connection).is_err() {
            // The next read or write finds the end of the socket.
            let _ = rustix::net::shutdown(&connection.descriptor, rustix::net::Shutdown::Both);
        }
    }

    /// Writes what the socket takes. `None` while something is left for later.
    fn write(&mut self, id: ConnectionId) -> Option<(Vec<u8>, Result<(), Errno>)> {
        let connection = self.connections.get_mut(id)?;
        let outgoing = connection.outgoing.as_mut()?;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let result = loop {
            let rest = outgoing.buffer.get(outgoing.done..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            self.counters.writes += 1;
            match rustix::net::send(&connection.descriptor, rest, flags) {
                Ok(0) => break Err(Errno::PIPE),
                Ok(written) => {
                    outgoing.done += written;
                    outgoing.has_moved = true;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) => {
                    self.counters.short_sends += 1;
                    return None;
                }
                Err(errno) => break Err(errno),
            }
        };
        connection.outgoing.take().map(|outgoing| (outgoing.buffer, result))
    }

    /// Tells the node of the sends that are over. Answers whether there was one that it may have to act on.
    fn report_finished<E: Events<Socket>>(&mut self, events: &mut E) -> bool {
        let mut concerns_somebody = false;
        while let Some(finished) = self.finished.pop_front() {
            match finished {
                Finished::Remote { tag, buffer, written } => {
                    concerns_somebody = true;
                    events.remote_sent(tag, buffer, written);
                }
                Finished::Local { id, buffer, result, quiet } => {
                    concerns_somebody |= !quiet || result.is_err();
                    self.report_sent(id, buffer, result, events);
                }
            }
        }
        concerns_somebody
    }

    /// Sends as much as goes at once. A quiet send that all goes does not keep the next poll from waiting.
    fn begin_send(&mut self, id: ConnectionId, buffer: Vec<u8>, quiet: bool) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        debug_assert!(connection.outgoing.is_none() && !connection.unreported, "one send at a time");
        if connection.outgoing.is_some() {
            return;
        }
        connection.outgoing = Some(Outgoing { buffer, done: 0, has_moved: false });
        match self.write(id) {
            Some((buffer, result)) => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.unreported = true;
                }
                self.finished.push_back(Finished::Local { id, buffer, result, quiet });
            }
            None => self.watch_or_end(id),
        }
    }

    fn report_sent<E: Events<Socket>>(
        &mut self,
        id: ConnectionId,
        buffer: Vec<u8>,
        result: Result<(), Errno>,
        events: &mut E,
    ) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.unreported = false;
        }
        let error = result.err().map(io::Error::from);
        if let Some(error) = &error
            && let Some(connection) = self.connections.get_mut(id)
        {
            // What the peer sent before is still read, and behind it the end of the socket.
            connection.send_failed = Some(error.kind());
            let _ = rustix::net::shutdown(&connection.descriptor, rustix::net::Shutdown::Both);
        }
        events.sent(id, buffer, error.map_or(Ok(()), Err));
    }

    /// Reports the end of a connection, once, and stops watching it.
    fn end<E: Events<Socket>>(&mut self, id: ConnectionId, why: Closed, events: &mut E) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if mem::replace(&mut connection.ended, true) {
            return;
        }
        let _ = Self::watch(self.epoll.as_fd(), id, connection);
        events.closed(id, connection.send_failed.map_or(why, Closed::ByError));
    }

    /// The peer of a paused connection has gone.
    fn hang_up<E: Events<Socket>>(&mut self, id: ConnectionId, is_broken: bool, events: &mut E) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.receive_enabled || connection.ended {
            return;
        }
        let noticed = if is_broken { &mut connection.failure_noticed } else { &mut connection.end_noticed };
        if mem::replace(noticed, true) {
            return;
        }
        let why = match is_broken {
            false => Closed::ByPeer,
            true => Closed::ByError(connection.send_failed.unwrap_or(io::ErrorKind::ConnectionReset)),
        };
        self.watch_or_end(id);
        events.hung_up(id, why);
    }

    fn connection_ready<E: Events<Socket>>(&mut self, id: ConnectionId, flags: EventFlags, events: &mut E) {
        // An error or a hang-up shows in whichever of the two is wanted.
        let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        if broken || flags.contains(EventFlags::OUT) {
            if let Some((buffer, result)) = self.write(id) {
                self.watch_or_end(id);
                self.report_sent(id, buffer, result, events);
            } else if self.connections.get_mut(id).is_some_and(Connection::take_has_moved) {
                events.sent_some(id);
            }
        }
        if broken || flags.contains(EventFlags::IN) {
            self.read(id, events);
        }
        if broken || flags.contains(EventFlags::RDHUP) {
            self.hang_up(id, broken, events);
        }
    }

    fn read<E: Events<Socket>>(&mut self, id: ConnectionId, events: &mut E) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if !connection.receive_enabled || connection.ended {
            return;
        }
        self.counters.reads += 1;
        self.read_buffer.clear();
        let buffer = spare_capacity(&mut self.read_buffer);
        match rustix::net::recv(&connection.descriptor, buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => self.end(id, Closed::ByPeer, events),
            Ok(_) => events.received(id, &self.read_buffer),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => self.end(id, Closed::ByError(io::Error::from(errno).kind()), events),
        }
    }

    fn listener_ready<E: Events<Socket>>(&mut self, number: u32, events: &mut E) {
        let Some(accepting) = self.listeners.iter_mut().find(|accepting| accepting.number == number) else {
            return;
        };
        for _ in 0..ACCEPTS_PER_POLL {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            match rustix::net::accept_with(&accepting.listener, flags) {
                Ok(descriptor) => events.accepted(Socket { descriptor }),
                Err(Errno::AGAIN) => return,
                Err(errno) => {
                    accepting.rest_until = self.shedder.accept_failed(accepting.listener.as_fd(), errno);
                    if accepting.rest_until.is_some() {
                        let _ = epoll::delete(&self.epoll, &accepting.listener);
                        self.resting = true;
                        return;
                    }
                }
            }
        }
    }

    /// Watches listeners again that have rested. Answers when the next one will have.
    fn end_rests(&mut self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for index in 0..self.listeners.len() {
            let Some(until) = self.listeners[index].rest_until else { continue };
            if Instant::now() >= until && self.watch_listener(index).is_ok() {
                self.listeners[index].rest_until = None;
            } else {
                next = Some(next.map_or(until, |next| next.min(until)));
            }
        }
        self.resting = next.is_some();
        next
    }

    fn wait(&mut self, wait: Duration) -> io::Result<()> {
        // Whole milliseconds, rounded up: to wake up early would be to spin.
        let wait_ms = i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let wait_ms = wait_ms.min(i64::from(i32::MAX));
        let timeout = Timespec { tv_sec: wait_ms / 1000, tv_nsec: (wait_ms % 1000) * 1_000_000 };
        self.ready.clear();
        self.counters.waits += 1;
        match epoll::wait(&self.epoll, spare_capacity(&mut self.ready), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Network for EpollNetwork {
    type Socket = Socket;

    fn waker(&self) -> Arc<dyn Wake> {
        Arc::new(self.waker.clone())
    }

    fn poll<E: Events<Socket>>(&mut self, wait: PollWait, events: &mut E) -> io::Result<()> {
        self.follow_news()?;
        let mut wait = match wait {
            PollWait::None => Duration::ZERO,
            PollWait::AtMost(wait) => wait,
        };
        if self.resting
            && let Some(next) = self.end_rests()
        {
            wait = wait.min(next.saturating_duration_since(Instant::now()));
        }
        if self.report_finished(events) {
            wait = Duration::ZERO;
        }
        self.wait(wait)?;
        let mut ready = mem::take(&mut self.ready);
        for event in ready.drain(..) {
            let (flags, data) = (event.flags, event.data.u64());
            #[expect(clippy::cast_possible_truncation, reason = "takes the halves of the word apart")]
            let id = ConnectionId { index: (data >> 32) as u32, generation: data as u32 };
            match id.index {
                WAKER => self.waker.reset(),
                LISTENER => self.listener_ready(id.generation, events),
                _ => self.connection_ready(id, flags, events),
            }
        }
        self.ready = ready;
        Ok(())
    }

    fn adopt(&mut self, socket: Socket) -> io::Result<ConnectionId> {
        let id = self
            .connections
            .insert(Connection::new(socket.descriptor))
            .map_err(|_| io::Error::other("too many connections on one node"))?;
        if let Some(connection) = self.connections.get_mut(id)
            && let Err(error) = Self::watch(self.epoll.as_fd(), id, connection)
        {
            self.connections.remove(id);
            return Err(error);
        }
        Ok(id)
    }

    fn refuse(&mut self, socket: Socket, message: &'static [u8]) {
        socket.refuse(message);
    }

    fn send(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.begin_send(id, buffer, false);
    }

    fn send_quietly(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.begin_send(id, buffer, true);
    }

    fn send_remote(&mut self, socket: SocketHandle, tag: u64, buffer: Vec<u8>) {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = i32::try_from(socket.0).map_or(0, |descriptor| {
            // SAFETY: by the contract of `SocketHandle` the home keeps the descriptor open until it has
            // learnt of this reply's end, which is after this call.
            let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
            self.counters.writes += 1;
            rustix::net::send(descriptor, &buffer, flags).unwrap_or(0)
        });
        self.finished.push_back(Finished::Remote { tag, buffer, written });
    }

    fn handle(&self, id: ConnectionId) -> SocketHandle {
        let descriptor = self.connections.get(id).map(|connection| connection.descriptor.as_raw_fd());
        SocketHandle(descriptor.and_then(|descriptor| u64::try_from(descriptor).ok()).unwrap_or(u64::MAX))
    }

    fn pause_receive(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.receive_enabled = false;
            self.watch_or_end(id);
        }
    }

    fn resume_receive(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.receive_enabled = true;
            self.watch_or_end(id);
        }
    }

    fn close(&mut self, id: ConnectionId) {
        // Closing the descriptor also ends its being watched. Nothing else names it: sends are calls.
        if let Some(connection) = self.connections.remove(id)
            && let Some(Outgoing { buffer, .. }) = connection.outgoing
        {
            self.finished.push_back(Finished::Local {
                id,
                buffer,
                result: Err(Errno::CANCELED),
                quiet: false,
            });
        }
    }

    fn endpoints(&self, id: ConnectionId) -> Endpoints {
        self.connections
            .get(id)
            .map(|connection| endpoints(connection.descriptor.as_fd()))
            .unwrap_or_default()
    }

    fn stop_listening(&mut self) {
        self.is_listening = false;
        self.listeners.clear();
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("connections", self.connections.len() as u64),
            ("epoll_waits", self.counters.waits),
            ("epoll_reads", self.counters.reads),
            ("epoll_writes", self.counters.writes),
            ("short_sends", self.counters.short_sends),
            ("accept_errors", self.shedder.errors),
            ("accepts_shed", self.shedder.shed),
        ]
    }
}
