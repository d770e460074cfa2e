//! The driver: operations queued by the node, completions handed to it.
//!
//! A quiet send does not wait for room in the socket (`MSG_DONTWAIT`), counts as failed unless all of it left
//! (`MSG_WAITALL`), and completes silently if it did not fail (`IOSQE_CQE_SKIP_SUCCESS`). The kernel carries it out
//! while it takes it from the submission queue, so once the queue is empty and the completions at hand are reaped,
//! every quiet send that was not reported as failed has left whole. That way its completion does not end the wait for
//! the next request, which it would otherwise do at once: half of all system calls.

mod completions;

use std::io;
use std::marker::PhantomData;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, Fd};
use io_uring::{cqueue, opcode, squeue};
use rustix::fs::OFlags;
use tessera_node::network::{ConnectionId, Endpoints, Events, Network, PollWait, SocketHandle, Wake};

use super::buffers::{BufferRing, GROUP};
use super::connection::{Connection, Outgoing};
use super::ring::{Mode, Ring, RingWait};
use super::sleeper::Sleeper;
use super::tag::{CONNECTIONS_MAX, Operation};
use crate::listen::{Listener, ListenerNews};
use crate::shed::Shedder;
use crate::slab::Slab;
use crate::socket::{Socket, endpoints};
use crate::waker::Waker;

/// The most that one send carries, in bytes. Longer buffers leave in several, so that it shows whether the peer reads:
/// the kernel tells nothing of a send before all of it has left.
const SEND_MAX_LEN_BYTES: usize = 256 * 1024;

/// The most that one direct reply carries: the length of a send is a signed 32-bit number in its completion.
const REMOTE_SEND_MAX_LEN_BYTES: usize = 1 << 30;

/// Longer buffers are not sent quietly, in bytes.
const QUIET_MAX_LEN_BYTES: usize = 64 * 1024;

/// Numbers of listeners begin again here: long before, those with low numbers have gone.
const LISTENERS_MAX: u32 = 1 << 16;

/// How often the end of a driver waits for operations to be over before it gives up on the memory that
/// they may still use.
const DRAIN_ROUNDS: usize = 100;

/// Sizes of a ring driver.
#[derive(Clone, Copy, Debug)]
pub struct UringOptions {
    /// Places in the submission queue, a power of two. The completion queue has four times as many.
    pub entries: u32,
    /// Buffers that receives share, a power of two of at most 32768.
    pub buffers: u16,
    /// Bytes in each of them. Address space; memory only once used.
    pub buffer_len_bytes: u32,
    /// The mode to try first; worse ones follow if the kernel refuses.
    pub best_mode: Mode,
}

impl Default for UringOptions {
    fn default() -> Self {
        Self { entries: 1024, buffers: 256, buffer_len_bytes: 16 * 1024, best_mode: Mode::DeferTaskrun }
    }
}

/// One node's network on io_uring. Lives on the thread that made it.
#[derive(Debug)]
pub struct UringNetwork {
    // Dropped in this order: the ring before the memory it uses.
    ring: Ring,
    buffers: BufferRing,
    connections: Slab<Connection>,
    remotes: Remotes,
    /// Connections whose quiet send is in the submission queue.
    quiet: Vec<ConnectionId>,
    listeners: Vec<Accepting>,
    /// The number of the next listener.
    next_listener: u32,
    news: ListenerNews,
    listening: bool,
    waker: Waker,
    sleeper: Sleeper,
    /// The sleeper's descriptor is registered with the ring, and signals are on.
    signalling: Option<bool>,
    shedder: Shedder,
    reaped: Vec<cqueue::Entry>,
    /// A buffer-selecting receive found no buffer free.
    buffers_exhausted: u64,
    short_sends: u64,
    one_thread: PhantomData<*const ()>,
}

#[derive(Debug)]
struct Accepting {
    /// Names it in completions, which may come when it has been replaced.
    number: u32,
    listener: Listener,
    armed: bool,
    rest_until: Option<Instant>,
}

/// Direct replies in flight, under reusable indexes.
#[derive(Debug, Default)]
struct Remotes {
    entries: Vec<Option<(u64, Vec<u8>)>>,
    free: Vec<u32>,
}

impl Remotes {
    fn insert(&mut self, tag: u64, buffer: Vec<u8>) -> u32 {
        if let Some(index) = self.free.pop() {
            self.entries[index as usize] = Some((tag, buffer));
            return index;
        }
        self.entries.push(Some((tag, buffer)));
        u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
    }

    fn remove(&mut self, index: u32) -> Option<(u64, Vec<u8>)> {
        let taken = self.entries.get_mut(index as usize)?.take();
        if taken.is_some() {
            self.free.push(index);
        }
        taken
    }
}

/// All of a ring driver that the system may refuse, and no listeners yet.
#[derive(Debug)]
pub struct UringParts {
    // Dropped in this order: the ring before the memory it uses.
    ring: Ring,
    buffers: BufferRing,
    entries: u32,
}

impl UringParts {
    /// Sets up a ring. On the thread that will use it.
    ///
    /// # Errors
    /// What [`probe`](crate::probe) would have found missing, or a lack of descriptors or memory.
    pub fn new(options: UringOptions) -> io::Result<Self> {
        let ring = Ring::new(options.entries, options.best_mode)?;
        let buffers = BufferRing::register(ring.inner(), options.buffers, options.buffer_len_bytes)?;
        Ok(Self { ring, buffers, entries: options.entries })
    }
}

impl UringNetwork {
    /// Sets up a ring and starts accepting from `listeners`. On the thread that will use it.
    ///
    /// # Errors
    /// See [`UringParts::new`].
    pub fn new(
        options: UringOptions,
        listeners: Vec<Listener>,
        waker: Waker,
        sleeper: Sleeper,
    ) -> io::Result<Self> {
        Self::with(UringParts::new(options)?, listeners, waker, sleeper)
    }

    /// Starts accepting from `listeners`.
    ///
    /// # Errors
    /// If a listener cannot be used.
    pub fn with(
        parts: UringParts,
        listeners: Vec<Listener>,
        waker: Waker,
        sleeper: Sleeper,
    ) -> io::Result<Self> {
        let UringParts { ring, buffers, entries } = parts;
        let mut network = Self {
            ring,
            buffers,
            connections: Slab::new(CONNECTIONS_MAX),
            remotes: Remotes::default(),
            quiet: Vec::new(),
            listeners: Vec::new(),
            next_listener: 0,
            news: ListenerNews::default(),
            listening: true,
            waker,
            sleeper,
            signalling: None,
            shedder: Shedder::new(),
            reaped: Vec::with_capacity(entries as usize),
            buffers_exhausted: 0,
            short_sends: 0,
            one_thread: PhantomData,
        };
        network.sleeper.attach(&network.waker);
        network.watch_waker();
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
            // A listener in non-blocking mode would fail instead of waiting in the ring.
            let flags = rustix::fs::fcntl_getfl(&listener)?;
            rustix::fs::fcntl_setfl(&listener, flags - OFlags::NONBLOCK)?;
            let number = self.next_listener;
            self.next_listener = number.wrapping_add(1) % LISTENERS_MAX;
            self.listeners.push(Accepting { number, listener, armed: false, rest_until: None });
        }
        self.accept_again();
        Ok(())
    }

    /// Accepts from other TCP listeners if there are some.
    fn follow_news(&mut self) -> io::Result<()> {
        let Some(listeners) = self.news.take().filter(|_| self.listening) else { return Ok(()) };
        let (kept, old) = mem::take(&mut self.listeners)
            .into_iter()
            .partition(|accepting: &Accepting| !accepting.listener.is_tcp());
        self.listeners = kept;
        self.cancel_accepting(&old);
        self.add_listeners(listeners)
    }

    fn cancel_accepting(&mut self, listeners: &[Accepting]) {
        for accepting in listeners.iter().filter(|accepting| accepting.armed) {
            let operation = Operation::Accept(accepting.number);
            let entry = opcode::AsyncCancel2::new(CancelBuilder::user_data(operation.pack()));
            // SAFETY: points to no memory.
            unsafe { self.ring.push(entry.build().user_data(Operation::Ignored.pack())) };
        }
    }

    /// How the kernel runs this ring.
    pub fn mode(&self) -> Mode {
        self.ring.mode()
    }

    fn watch_waker(&mut self) {
        // Multishot polls report every write to an eventfd, read or not, so the bell is never reset.
        let entry = opcode::PollAdd::new(Fd(self.waker.as_fd().as_raw_fd()), libc::POLLIN as u32).multi(true);
        // SAFETY: points to no memory.
        unsafe { self.ring.push(entry.build().user_data(Operation::Wake.pack())) };
    }

    /// Arms the listeners that are not resting. Answers when the next one will have rested enough.
    fn accept_again(&mut self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for accepting in &mut self.listeners {
            if accepting.armed {
                continue;
            }
            if let Some(until) = accepting.rest_until {
                if Instant::now() < until {
                    next = Some(next.map_or(until, |next| next.min(until)));
                    continue;
                }
                accepting.rest_until = None;
            }
            accepting.armed = true;
            let operation = Operation::Accept(accepting.number);
            let entry = opcode::AcceptMulti::new(Fd(accepting.listener.as_fd().as_raw_fd()))
                .flags(libc::SOCK_CLOEXEC);
            // SAFETY: points to no memory.
            unsafe { self.ring.push(entry.build().user_data(operation.pack())) };
        }
        next
    }

    fn receive(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.receiving = true;
        let entry = opcode::RecvMulti::new(Fd(connection.descriptor.as_raw_fd()), GROUP);
        // SAFETY: points to no memory: the kernel takes buffers of the group, which outlives the ring.
        unsafe { self.ring.push(entry.build().user_data(Operation::Receive(id).pack())) };
    }

    /// Has the end of a paused connection's peer told. Edge by edge: the kernel reports the end of the other side in
    /// any case, so a poll for a single event would find nothing else once that has come.
    fn watch(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.watching = true;
        let flags = (libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR) as u32;
        let entry = opcode::PollAdd::new(Fd(connection.descriptor.as_raw_fd()), flags).multi(true);
        // SAFETY: points to no memory.
        unsafe { self.ring.push(entry.build().user_data(Operation::HangUp(id).pack())) };
    }

    fn cancel(&mut self, id: ConnectionId, operation: Operation) {
        let entry = opcode::AsyncCancel2::new(CancelBuilder::user_data(operation.pack()));
        // SAFETY: points to no memory.
        unsafe { self.ring.push(entry.build().user_data(Operation::Cancel(id).pack())) };
    }

    fn begin_send(&mut self, id: ConnectionId, buffer: Vec<u8>, silent: bool) {
        self.queued();
        let Some(connection) = self.connections.get_mut(id) else { return };
        debug_assert!(connection.outgoing.is_none(), "one send at a time");
        if connection.outgoing.is_some() || connection.closing {
            return;
        }
        connection.outgoing = Some(Outgoing { buffer, done: 0, silent });
        if silent {
            self.quiet.push(id);
        }
        self.continue_send(id);
    }

    /// Sends what has not left yet of the connection's buffer.
    fn continue_send(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let Some(outgoing) = &connection.outgoing else { return };
        let rest = outgoing.buffer.get(outgoing.done..).unwrap_or_default();
        let rest = &rest[..rest.len().min(SEND_MAX_LEN_BYTES)];
        // With WAITALL the kernel itself goes on after a short send, in most cases.
        let mut entry = send_entry(connection.descriptor.as_raw_fd(), rest, libc::MSG_WAITALL);
        if outgoing.silent {
            entry =
                send_entry(connection.descriptor.as_raw_fd(), rest, libc::MSG_WAITALL | libc::MSG_DONTWAIT)
                    .flags(squeue::Flags::SKIP_SUCCESS);
        }
        // SAFETY: the bytes belong to `outgoing`, which nobody touches or drops before this operation
        // completes: `close` leaves it alone, and the end of the driver waits or leaks. A silent send is over, as far
        // as it goes, when the kernel has taken it from the submission queue.
        unsafe { self.ring.push(entry.user_data(Operation::Send(id).pack())) };
    }

    /// Lets a closing connection go once no operation names its descriptor.
    fn finish_close(&mut self, id: ConnectionId) {
        if self.connections.get(id).is_none_or(|connection| connection.busy()) {
            return;
        }
        if let Some(connection) = self.connections.remove(id) {
            let entry = opcode::Close::new(Fd(connection.descriptor.into_raw_fd()));
            // SAFETY: points to no memory; the descriptor has no owner left but this operation.
            unsafe { self.ring.push(entry.build().user_data(Operation::Ignored.pack())) };
        }
    }

    /// An operation waits to be submitted, so there must be another poll before anybody sleeps.
    fn queued(&self) {
        self.sleeper.postpone(None);
    }

    /// How the ring waits, given what the node asks for. Leaves sleeping to the executor while background
    /// tasks share the thread.
    fn plan_wait(&mut self, wait: PollWait) -> RingWait {
        let rested =
            if self.listeners.iter().all(|accepting| accepting.armed) { None } else { self.accept_again() };
        let mut wait = match wait {
            PollWait::None | PollWait::AtMost(Duration::ZERO) => {
                self.sleeper.postpone(None);
                return RingWait::No;
            }
            PollWait::AtMost(wait) => wait,
        };
        if self.sleeper.take_nudge() {
            self.sleeper.postpone(None);
            return RingWait::No;
        }
        if let Some(rested) = rested {
            wait = wait.min(rested.saturating_duration_since(Instant::now()));
        }
        if self.sleeper.has_background() {
            self.sleeper.postpone(Some(wait));
            return RingWait::Drain;
        }
        self.sleeper.postpone(None);
        RingWait::AtMost(wait)
    }

    /// Keeps the ring's signals in step with whether an executor may be waiting for them.
    fn keep_signals(&mut self) -> io::Result<()> {
        let wanted = self.sleeper.has_background();
        match self.signalling {
            None if !wanted => return Ok(()),
            None => self.ring.register_eventfd(self.sleeper.as_fd())?,
            Some(on) if on == wanted => return Ok(()),
            Some(_) => self.ring.signal_eventfd(wanted),
        }
        self.signalling = Some(wanted);
        Ok(())
    }
}

/// A send of `bytes`. Whoever pushes it answers for their lifetime.
fn send_entry(descriptor: RawFd, bytes: &[u8], flags: i32) -> io_uring::squeue::Entry {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    opcode::Send::new(Fd(descriptor), bytes.as_ptr(), len).flags(flags | libc::MSG_NOSIGNAL).build()
}

impl Network for UringNetwork {
    type Socket = Socket;

    fn waker(&self) -> Arc<dyn Wake> {
        Arc::new(self.waker.clone())
    }

    fn poll<E: Events<Socket>>(&mut self, wait: PollWait, events: &mut E) -> io::Result<()> {
        self.follow_news()?;
        self.keep_signals()?;
        let wait = self.plan_wait(wait);
        self.ring.enter(wait)?;
        let mut reaped = mem::take(&mut self.reaped);
        self.ring.reap(&mut reaped);
        if !reaped.is_empty() {
            // There was something to do, so nobody shall sleep before the node has looked again.
            self.sleeper.postpone(None);
        }
        let sends_are_done = !self.quiet.is_empty();
        self.finish_quiet(&reaped, events);
        for entry in reaped.drain(..) {
            let is_send = matches!(Operation::unpack(entry.user_data()), Operation::Send(_));
            if !(sends_are_done && is_send) {
                self.complete(&entry, events);
            }
        }
        self.reaped = reaped;
        Ok(())
    }

    fn adopt(&mut self, socket: Socket) -> io::Result<ConnectionId> {
        self.queued();
        let id = self
            .connections
            .insert(Connection::new(socket.descriptor))
            .map_err(|_| io::Error::other("too many connections on one node"))?;
        self.receive(id);
        Ok(id)
    }

    fn refuse(&mut self, socket: Socket, message: &'static [u8]) {
        socket.refuse(message);
    }

    fn send(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.begin_send(id, buffer, false);
    }

    fn send_quietly(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        // Longer ones hardly fit into a socket at once.
        let silent = buffer.len() <= QUIET_MAX_LEN_BYTES;
        self.begin_send(id, buffer, silent);
    }

    fn send_remote(&mut self, socket: SocketHandle, tag: u64, buffer: Vec<u8>) {
        self.queued();
        let index = self.remotes.insert(tag, buffer);
        let Some(Some((_, buffer))) = self.remotes.entries.get(index as usize) else { return };
        let bytes = &buffer[..buffer.len().min(REMOTE_SEND_MAX_LEN_BYTES)];
        let entry = send_entry(RawFd::try_from(socket.0).unwrap_or(-1), bytes, libc::MSG_DONTWAIT);
        // SAFETY: the bytes belong to the entry in `remotes`, which stays until this completes.
        unsafe { self.ring.push(entry.user_data(Operation::Remote(index).pack())) };
    }

    fn handle(&self, id: ConnectionId) -> SocketHandle {
        let descriptor = self.connections.get(id).map(|connection| connection.descriptor.as_raw_fd());
        SocketHandle(descriptor.and_then(|descriptor| u64::try_from(descriptor).ok()).unwrap_or(u64::MAX))
    }

    fn pause_receive(&mut self, id: ConnectionId) {
        self.queued();
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.receive_enabled = false;
        let needs_watch = connection.needs_watch();
        if connection.receiving && !connection.cancelling {
            connection.cancelling = true;
            self.cancel(id, Operation::Receive(id));
        }
        if needs_watch {
            self.watch(id);
        }
    }

    fn resume_receive(&mut self, id: ConnectionId) {
        self.queued();
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.receive_enabled = !connection.ended && !connection.closing;
        // If the old receive is still being cancelled, its last completion starts the new one.
        if connection.needs_receive() {
            self.receive(id);
        }
    }

    fn close(&mut self, id: ConnectionId) {
        self.queued();
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.closing {
            return;
        }
        connection.closing = true;
        connection.receive_enabled = false;
        let cancel_receive = connection.receiving && !connection.cancelling;
        let (cancel_send, cancel_watch) = (connection.outgoing.is_some(), connection.watching);
        connection.cancelling = connection.receiving;
        if cancel_receive {
            self.cancel(id, Operation::Receive(id));
        }
        if cancel_send {
            self.cancel(id, Operation::Send(id));
        }
        if cancel_watch {
            self.cancel(id, Operation::HangUp(id));
        }
        self.finish_close(id);
    }

    fn endpoints(&self, id: ConnectionId) -> Endpoints {
        self.connections
            .get(id)
            .map(|connection| endpoints(connection.descriptor.as_fd()))
            .unwrap_or_default()
    }

    fn sleeps_later(&self) -> bool {
        self.sleeper.has_postponed()
    }

    fn stop_listening(&mut self) {
        self.listening = false;
        let listeners = mem::take(&mut self.listeners);
        self.cancel_accepting(&listeners);
        // Now rather than with the next poll: the port shall be free when this returns.
        let _ = self.ring.enter(RingWait::No);
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let ring = self.ring.counters();
        vec![
            ("connections", self.connections.len() as u64),
            ("ring_mode", self.ring.mode() as u64),
            ("ring_enters", ring.enters),
            ("ring_early_submits", ring.early_submits),
            ("ring_submitted", ring.submitted),
            ("ring_completed", ring.completed),
            ("ring_overflows", ring.overflows),
            ("ring_shortages", ring.shortages),
            ("receive_buffers_exhausted", self.buffers_exhausted),
            ("short_sends", self.short_sends),
            ("accept_errors", self.shedder.errors),
            ("accepts_shed", self.shedder.shed),
        ]
    }
}

impl Drop for UringNetwork {
    /// Ends all operations before the memory that they use goes away. If the kernel does not let go in
    /// time, the memory is leaked: it must not be given to anybody else.
    fn drop(&mut self) {
        let entry = opcode::AsyncCancel2::new(CancelBuilder::any().all());
        // SAFETY: points to no memory.
        unsafe { self.ring.push(entry.build().user_data(Operation::Ignored.pack())) };
        let mut rounds = 0;
        while self.ring.in_flight() > 0 && rounds < DRAIN_ROUNDS {
            rounds += 1;
            if self.ring.enter(RingWait::AtMost(Duration::from_millis(10))).is_err() {
                break;
            }
            self.ring.reap(&mut self.reaped);
            for entry in &self.reaped {
                if let Operation::Send(id) = Operation::unpack(entry.user_data()) {
                    // It was not silent after all.
                    self.quiet.retain(|quiet| *quiet != id);
                }
            }
            if self.ring.is_all_submitted() {
                for _ in self.quiet.drain(..) {
                    self.ring.note_silent_completion();
                }
            }
            for entry in self.reaped.drain(..) {
                let accept = matches!(Operation::unpack(entry.user_data()), Operation::Accept(_));
                if accept && entry.result() >= 0 {
                    drop(Socket::from_completion(entry.result()));
                }
            }
        }
        if self.ring.in_flight() == 0 {
            self.buffers.unregister(self.ring.inner());
        } else {
            self.buffers.leak();
            mem::forget(mem::take(&mut self.remotes));
            mem::forget(mem::replace(&mut self.connections, Slab::new(0)));
        }
    }
}
