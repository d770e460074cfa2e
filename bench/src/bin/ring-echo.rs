//! The floor of a server on io_uring: one thread, one ring, one `io_uring_enter` per tick.
//!
//! Multishot accept, multishot recv into a ring of provided buffers, one send in flight per connection: the
//! shape of Tessera's data plane without a store behind it. Stores nothing; see the crate's documentation for
//! what it answers. `ring-echo --port N`.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::{IoUring, cqueue, opcode, squeue, types};
use tessera_bench::{answer_piece, start};

/// Submission queue entries; the completion queue has four times as many.
const ENTRIES: u32 = 4096;

/// Provided buffers; a power of two.
const BUFFERS: u16 = 1024;

/// Bytes of one provided buffer.
const BUFFER_LEN_BYTES: usize = 16 * 1024;

/// The group that the provided buffers form.
const GROUP: u16 = 0;

/// A client that leaves more replies than this unread is dropped.
const MAX_REPLIES_LEN_BYTES: usize = 64 << 20;

/// What a completion belongs to: the low two bits of its user data, above them the connection's index.
const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;

/// The ring of receive buffers shared with the kernel. Lives as long as the process.
struct ProvidedBuffers {
    /// `BUFFERS` descriptors; the kernel reads the ones before the tail.
    ring: *mut types::BufRingEntry,
    /// `BUFFERS` times `BUFFER_LEN_BYTES`.
    memory: *mut u8,
    tail: u16,
}

impl ProvidedBuffers {
    fn register(uring: &IoUring) -> io::Result<Self> {
        let ring = map_pages(usize::from(BUFFERS) * size_of::<types::BufRingEntry>())?.cast();
        let memory = map_pages(usize::from(BUFFERS) * BUFFER_LEN_BYTES)?;
        // SAFETY: `ring` is page-aligned, has room for BUFFERS entries and is never unmapped.
        unsafe { uring.submitter().register_buf_ring_with_flags(ring as u64, BUFFERS, GROUP, 0)? };
        let mut buffers = Self { ring, memory, tail: 0 };
        for buffer in 0..BUFFERS {
            buffers.give_back(buffer);
        }
        buffers.publish();
        Ok(buffers)
    }

    /// The first `len_bytes` of a buffer that a completion handed over and that was not given back yet.
    fn filled(&self, buffer: u16, len_bytes: usize) -> &[u8] {
        assert!(buffer < BUFFERS && len_bytes <= BUFFER_LEN_BYTES);
        // SAFETY: inside the mapping by the assertion; the kernel does not write to a buffer between its
        // completion and its return, and the borrow of `self` keeps `give_back` from being called meanwhile.
        unsafe {
            std::slice::from_raw_parts(self.memory.add(usize::from(buffer) * BUFFER_LEN_BYTES), len_bytes)
        }
    }

    /// Puts a buffer behind the tail; the kernel sees it at the next [`publish`](Self::publish).
    fn give_back(&mut self, buffer: u16) {
        let index = usize::from(self.tail & (BUFFERS - 1));
        // SAFETY: `index` is below BUFFERS, so the entry lies in the mapping. The kernel does not read an
        // entry at or behind the tail. Entry 0's reserved field, which is the tail, is not touched.
        let entry = unsafe { &mut *self.ring.add(index) };
        // SAFETY: `buffer` came from the kernel or from `register`, so it is below BUFFERS.
        entry.set_addr(unsafe { self.memory.add(usize::from(buffer) * BUFFER_LEN_BYTES) } as u64);
        entry.set_len(BUFFER_LEN_BYTES as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Shows the kernel all buffers given back so far.
    fn publish(&self) {
        // SAFETY: `ring` is the address of the first entry; its tail field is aligned, mapped for ever, and
        // shared with the kernel, hence the atomic. Release orders the entries before the tail.
        unsafe {
            let tail = types::BufRingEntry::tail(self.ring).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

/// Zeroed, page-aligned memory that is never unmapped.
fn map_pages(len_bytes: usize) -> io::Result<*mut u8> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: asks for fresh memory anywhere; no existing mapping is touched.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), len_bytes, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address.cast()) }
}

/// One client.
struct Connection {
    stream: TcpStream,
    partial: Vec<u8>,
    /// Replies not yet handed to the kernel.
    replies: Vec<u8>,
    /// Replies in flight from `sent` on; neither moved nor freed before the completion arrives.
    sending: Vec<u8>,
    sent: usize,
    receive_armed: bool,
    send_in_flight: bool,
    broken: bool,
}

impl Connection {
    /// True once the kernel holds nothing of this connection any more.
    fn is_over(&self) -> bool {
        self.broken && !self.receive_armed && !self.send_in_flight
    }

    fn break_off(&mut self) {
        self.broken = true;
        // Ends the multishot receive, whose last completion then lets the slot go. An error means that the
        // peer has gone already, which ends it too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

struct Server {
    uring: IoUring,
    buffers: ProvidedBuffers,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    /// Free indices of `connections`.
    vacant: Vec<usize>,
    /// Connections that got replies in this tick.
    answered: Vec<usize>,
}

impl Server {
    fn new(listener: TcpListener) -> io::Result<Self> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(ENTRIES * 4)
            .build(ENTRIES)?;
        let buffers = ProvidedBuffers::register(&uring)?;
        let (connections, vacant, answered) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { uring, buffers, listener, connections, vacant, answered })
    }

    /// Queues an entry for the next `io_uring_enter`.
    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: receives name no memory, and what a send names is `Connection::sending`, which stays
            // until its completion; the descriptors are open because a slot is freed only when over.
            if unsafe { self.uring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.uring.submit()?;
        }
    }

    fn arm_accept(&mut self) -> io::Result<()> {
        let listener = types::Fd(self.listener.as_raw_fd());
        self.push(&opcode::AcceptMulti::new(listener).build().user_data(ACCEPT))
    }

    fn arm_receive(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else { return Ok(()) };
        connection.receive_armed = true;
        let fd = types::Fd(connection.stream.as_raw_fd());
        self.push(&opcode::RecvMulti::new(fd, GROUP).build().user_data((index as u64) << 2 | RECEIVE))
    }

    /// Queues a send of all waiting replies, unless one is in flight.
    fn send(&mut self, index: usize) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else { return Ok(()) };
        if connection.send_in_flight || connection.broken {
            return Ok(());
        }
        if connection.sent == connection.sending.len() {
            connection.sending.clear();
            connection.sent = 0;
            std::mem::swap(&mut connection.sending, &mut connection.replies);
        }
        let rest = &connection.sending[connection.sent..];
        if rest.is_empty() {
            return Ok(());
        }
        connection.send_in_flight = true;
        let fd = types::Fd(connection.stream.as_raw_fd());
        let entry = opcode::Send::new(fd, rest.as_ptr(), rest.len() as u32).flags(libc::MSG_NOSIGNAL);
        self.push(&entry.build().user_data((index as u64) << 2 | SEND))
    }

    fn on_accept(&mut self, completion: &cqueue::Entry) -> io::Result<()> {
        if completion.result() >= 0 {
            // SAFETY: the kernel made this descriptor for the completion, and nothing else owns it.
            let stream = unsafe { TcpStream::from_raw_fd(completion.result()) };
            stream.set_nodelay(true)?;
            let connection = Connection {
                stream,
                partial: Vec::new(),
                replies: Vec::new(),
                sending: Vec::new(),
                sent: 0,
                receive_armed: false,
                send_in_flight: false,
                broken: false,
            };
            let index = self.vacant.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.connections[index] = Some(connection);
            self.arm_receive(index)?;
        }
        if cqueue::more(completion.flags()) { Ok(()) } else { self.arm_accept() }
    }

    fn on_receive(&mut self, index: usize, completion: &cqueue::Entry) -> io::Result<()> {
        let Some(connection) = self.connections[index].as_mut() else { return Ok(()) };
        connection.receive_armed = cqueue::more(completion.flags());
        let out_of_buffers = completion.result() == -libc::ENOBUFS;
        if let Some(buffer) = cqueue::buffer_select(completion.flags()) {
            let len_bytes = usize::try_from(completion.result()).unwrap_or(0);
            let piece = self.buffers.filled(buffer, len_bytes);
            let understood = answer_piece(piece, &mut connection.partial, &mut connection.replies).is_ok();
            self.buffers.give_back(buffer);
            if !understood || connection.replies.len() > MAX_REPLIES_LEN_BYTES {
                connection.break_off();
            }
            self.answered.push(index);
        }
        if completion.result() <= 0 && !out_of_buffers {
            connection.break_off();
        }
        if !connection.receive_armed && !connection.broken { self.arm_receive(index) } else { Ok(()) }
    }

    fn on_send(&mut self, index: usize, completion: &cqueue::Entry) {
        let Some(connection) = self.connections[index].as_mut() else { return };
        connection.send_in_flight = false;
        match usize::try_from(completion.result()) {
            Ok(sent) => connection.sent += sent,
            Err(_) => connection.break_off(),
        }
        // More may wait: what a short send left, or replies made while it was in flight.
        if connection.sent < connection.sending.len() || !connection.replies.is_empty() {
            self.answered.push(index);
        }
    }

    fn serve_forever(&mut self) -> io::Result<()> {
        self.arm_accept()?;
        let mut completions: Vec<cqueue::Entry> = Vec::new();
        loop {
            match self.uring.submit_and_wait(1) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome?,
            };
            completions.extend(self.uring.completion());
            for completion in completions.drain(..) {
                let index = (completion.user_data() >> 2) as usize;
                match completion.user_data() & 3 {
                    ACCEPT => {
                        self.on_accept(&completion)?;
                        continue;
                    }
                    RECEIVE => self.on_receive(index, &completion)?,
                    _ => self.on_send(index, &completion),
                }
                if self.connections[index].as_ref().is_some_and(Connection::is_over) {
                    self.connections[index] = None;
                    self.vacant.push(index);
                }
            }
            self.buffers.publish();
            while let Some(index) = self.answered.pop() {
                self.send(index)?;
            }
        }
    }
}

fn main() -> ExitCode {
    let serve = |listener| Server::new(listener)?.serve_forever();
    match start().and_then(|listener| serve(listener).map_err(|error: io::Error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ring-echo: {message}");
            ExitCode::FAILURE
        }
    }
}
