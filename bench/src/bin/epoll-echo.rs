//! The floor of a server on epoll: one thread, level-triggered, read, answer, write, per ready connection.
//!
//! Stores nothing; see the crate's documentation for what it answers. `epoll-echo --port N`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::ExitCode;

use tessera_bench::{answer_piece, start};

/// Readiness events taken by one `epoll_wait`.
const EVENTS: usize = 1024;

/// Bytes of one read.
const READ_LEN_BYTES: usize = 16 * 1024;

/// The token of the listening socket; connections use their index.
const LISTENER: u64 = u64::MAX;

/// An epoll instance.
struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    fn new() -> io::Result<Self> {
        // SAFETY: no pointer is passed.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above made this descriptor, and nothing else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    fn control(&self, operation: i32, fd: RawFd, interest: i32, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: token };
        // SAFETY: `event` lives through the call, and the kernel copies it.
        match unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), operation, fd, &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Sleeps until something is ready; fills `tokens`.
    fn wait(&self, tokens: &mut Vec<u64>) -> io::Result<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        // SAFETY: `events` has room for the EVENTS entries that the kernel may write.
        let ready = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events.as_mut_ptr(), EVENTS as i32, -1) };
        let ready = usize::try_from(ready).map_err(|_| io::Error::last_os_error())?;
        tokens.clear();
        tokens.extend(events[..ready].iter().map(|event| event.u64));
        Ok(())
    }
}

/// One client.
struct Connection {
    stream: TcpStream,
    partial: Vec<u8>,
    replies: Vec<u8>,
    wants_write: bool,
}

impl Connection {
    /// Reads once, answers, writes what fits. `Ok(false)` when the client is gone.
    fn serve(&mut self, input: &mut [u8]) -> io::Result<bool> {
        // While the client does not read its replies, nothing more is read from it.
        if !self.wants_write {
            match self.stream.read(input) {
                Ok(0) => return Ok(false),
                Ok(len_bytes) => {
                    answer_piece(&input[..len_bytes], &mut self.partial, &mut self.replies)
                        .map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        if !self.replies.is_empty() {
            match self.stream.write(&self.replies) {
                Ok(written) if written == self.replies.len() => self.replies.clear(),
                Ok(written) => drop(self.replies.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn accept_all(
    listener: &TcpListener,
    epoll: &Epoll,
    connections: &mut Vec<Option<Connection>>,
) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let index = connections.iter().position(Option::is_none).unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        epoll.control(libc::EPOLL_CTL_ADD, stream.as_raw_fd(), libc::EPOLLIN, index as u64)?;
        let (partial, replies) = (Vec::new(), Vec::new());
        connections[index] = Some(Connection { stream, partial, replies, wants_write: false });
    }
}

fn serve_forever(listener: &TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new()?;
    epoll.control(libc::EPOLL_CTL_ADD, listener.as_raw_fd(), libc::EPOLLIN, LISTENER)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut tokens = Vec::with_capacity(EVENTS);
    let mut input = vec![0; READ_LEN_BYTES];
    loop {
        match epoll.wait(&mut tokens) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome?,
        }
        for &token in &tokens {
            if token == LISTENER {
                accept_all(listener, &epoll, &mut connections)?;
                continue;
            }
            let slot = &mut connections[token as usize];
            let Some(connection) = slot else { continue };
            if !connection.serve(&mut input).unwrap_or(false) {
                // Closing the descriptor takes it out of the epoll set.
                *slot = None;
                continue;
            }
            let wants_write = !connection.replies.is_empty();
            if wants_write != connection.wants_write {
                let interest = if wants_write { libc::EPOLLOUT } else { libc::EPOLLIN };
                epoll.control(libc::EPOLL_CTL_MOD, connection.stream.as_raw_fd(), interest, token)?;
                connection.wants_write = wants_write;
            }
        }
    }
}

fn main() -> ExitCode {
    match start().and_then(|listener| serve_forever(&listener).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("epoll-echo: {message}");
            ExitCode::FAILURE
        }
    }
}
