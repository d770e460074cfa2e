//! The seam between a node and whatever carries its bytes.
//!
//! A [`Network`] belongs to one node and to one thread. It never calls back except from within
//! [`Network::poll`], so a node sees at most one event at a time and needs no lock. `drivers`
//! implements it with io_uring and with epoll, `sim` with queues in memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A connection of this node's driver. The generation makes a reused index a different connection,
/// so an identifier kept too long names nothing instead of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    /// Small and dense: the lowest free index is reused first, so tables can be indexed by it.
    pub index: u32,
    /// Grows each time the index is given out again.
    pub generation: u32,
}

impl ConnectionId {
    /// Its name in one number, as tickets have it.
    pub(crate) fn pack(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// Undoes [`ConnectionId::pack`].
    pub(crate) fn unpack(packed: u64) -> ConnectionId {
        ConnectionId { index: packed as u32, generation: (packed >> 32) as u32 }
    }
}

/// Names a connection to the drivers of *other* nodes, for a direct reply. Opaque above `drivers`.
///
/// Valid from [`Network::adopt`] until the home calls [`Network::close`]; a home with a direct reply
/// outstanding must not close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketHandle(pub u64);

/// How long one [`Network::poll`] may wait when nothing is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollWait {
    /// Submit, reap what is there, return.
    None,
    /// Sleep until something arrives, the waker is used, or this much time has passed.
    AtMost(Duration),
}

/// Who is at the two ends of a connection, as CLIENT LIST prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// `ip:port`, `[ip6]:port`, or `path:0` for a unix socket.
    pub peer: String,
    /// The same for the server's end.
    pub local: String,
    /// The number CLIENT LIST shows as `fd`.
    pub descriptor: i64,
    /// Came in by a unix socket.
    pub unix: bool,
}

/// Why a connection ended without the node asking for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The peer sent its end of stream.
    ByPeer,
    /// The socket failed: reset, timed out, unreachable.
    ByError(io::ErrorKind),
}

/// Rings another node's doorbell. Cheap to clone; may be used from any thread, at any time, also
/// after the node is gone (then it does nothing).
pub trait Wake: Send + Sync + 'static {
    /// Makes a current or the next sleeping `poll` of the node return.
    fn wake(&self);
}

/// What a driver tells its node, from within [`Network::poll`] only.
pub trait Events<S> {
    /// A listener took a connection. The node deals it: to itself with [`Network::adopt`], to a peer
    /// through the mesh, or to nobody with [`Network::refuse`].
    fn accepted(&mut self, socket: S);
    /// Bytes came in, in order. The slice lives as long as the call.
    fn received(&mut self, id: ConnectionId, bytes: &[u8]);
    /// The buffer given to [`Network::send`] has left whole (`Ok`), or the socket failed and takes no more (`Err`).
    /// What the peer sent before that is still told, and a `closed` comes behind it, unless that came before. The
    /// buffer comes back for reuse.
    fn sent(&mut self, id: ConnectionId, buffer: Vec<u8>, result: io::Result<()>);
    /// A part of a long buffer given to [`Network::send`] has left: the peer reads.
    fn sent_some(&mut self, id: ConnectionId);
    /// A direct reply of [`Network::send_remote`] is done: `written` bytes of `buffer` left. What did
    /// not leave is the node's to bring to the connection's home.
    fn remote_sent(&mut self, tag: u64, buffer: Vec<u8>, written: usize);
    /// The peer of a connection that is paused has sent its end, and may still read ([`Closed::ByPeer`]), or the socket
    /// failed. What it sent before may still lie in the socket: once the connection is resumed it is told, and then
    /// `closed`. Told at most once for each of the two.
    fn hung_up(&mut self, id: ConnectionId, why: Closed);
    /// The connection ended. No event names `id` afterwards, except the `sent` of a buffer still out.
    /// The node answers with [`Network::close`] when it is done with the identifier.
    fn closed(&mut self, id: ConnectionId, why: Closed);
}

/// One node's network.
pub trait Network {
    /// A socket between nodes: accepted by one, adopted by another.
    type Socket: Send + 'static;

    /// The doorbell of this driver, for the other nodes.
    fn waker(&self) -> Arc<dyn Wake>;

    /// One tick: submits everything queued since the last, waits as told, and hands each completion to
    /// `events`. On the ring driver this is one `io_uring_enter`.
    ///
    /// May return early with nothing told: while the driver shares its thread with background tasks, sleeping
    /// is done outside of this call, and announced to the node by who does it.
    ///
    /// # Errors
    /// Only what leaves the driver unusable; it is not polled again then, and the server ends. Interrupted waits are
    /// not errors.
    fn poll<E: Events<Self::Socket>>(&mut self, wait: PollWait, events: &mut E) -> io::Result<()>;

    /// Takes a socket in and starts receiving from it.
    ///
    /// # Errors
    /// If the socket died meanwhile or the driver is out of room; the socket is closed then.
    fn adopt(&mut self, socket: Self::Socket) -> io::Result<ConnectionId>;

    /// Sends a last message, as far as it goes without waiting, and closes the socket.
    fn refuse(&mut self, socket: Self::Socket, message: &'static [u8]);

    /// Sends `buffer` whole, however many pieces that takes. At most one send per connection may be
    /// outstanding: wait for its `sent` before the next.
    fn send(&mut self, id: ConnectionId, buffer: Vec<u8>);

    /// The same for a buffer whose `sent` is nobody's concern: it may be told as late as after the wait of the next
    /// poll, which saves that poll from being woken by it.
    fn send_quietly(&mut self, id: ConnectionId, buffer: Vec<u8>) {
        self.send(id, buffer);
    }

    /// Writes to a connection that lives on another node, without waiting: what the socket does not
    /// take at once is reported unwritten. `tag` comes back with `remote_sent`.
    fn send_remote(&mut self, socket: SocketHandle, tag: u64, buffer: Vec<u8>);

    /// Names the connection for `send_remote` on other nodes.
    fn handle(&self, id: ConnectionId) -> SocketHandle;

    /// Stops delivering `received` for the connection until resumed, so that the kernel's window closes
    /// on a sender whose bytes cannot be taken. What was already read is still delivered, and `hung_up` tells when the
    /// peer goes.
    fn pause_receive(&mut self, id: ConnectionId);

    /// Undoes `pause_receive`.
    fn resume_receive(&mut self, id: ConnectionId);

    /// Ends a connection at once; an outstanding send is cancelled and its buffer given back or freed. No
    /// event names `id` afterwards, except that `sent`.
    fn close(&mut self, id: ConnectionId);

    /// Who is connected. Asks the system, so it is for CLIENT LIST and the log, not for every command.
    fn endpoints(&self, id: ConnectionId) -> Endpoints;

    /// Whether the last `poll`, told to wait, left the wait for after it because other work shares the thread. The node
    /// then still counts as asleep until its next turn.
    fn sleeps_later(&self) -> bool {
        false
    }

    /// Stops accepting: shutdown has begun.
    fn stop_listening(&mut self);

    /// Counters of the driver that INFO shows, as (field name, value).
    fn counters(&self) -> Vec<(&'static str, u64)>;
}
