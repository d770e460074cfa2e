//! One client connection to the server under test.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::frame::{self, Frame};

/// Where the server under test listens.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_read_timeout(Some(timeout)),
            Self::Unix(stream) => stream.set_read_timeout(Some(timeout)),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

/// What waiting for a reply came to.
#[derive(Debug)]
pub enum Received {
    /// A whole reply.
    Frame(Frame),
    /// The server closed the connection.
    Closed,
    /// Nothing, or not a whole reply, within the time allowed.
    Nothing,
    /// Bytes that are not RESP.
    Malformed(String),
}

/// A connection with what was read from it and not yet taken.
pub struct Connection {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to `endpoint`.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn open(endpoint: &Endpoint) -> io::Result<Self> {
        let stream = match endpoint {
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect_timeout(address, Duration::from_secs(5))?;
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(Duration::from_secs(5)))?;
                Stream::Tcp(stream)
            }
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(Duration::from_secs(5)))?;
                Stream::Unix(stream)
            }
        };
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends `bytes` as they are.
    ///
    /// # Errors
    /// Those of writing.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Sends a command as an array of bulk strings.
    ///
    /// # Errors
    /// Those of writing.
    pub fn send_command(&mut self, words: &[Vec<u8>]) -> io::Result<()> {
        let mut wire = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            wire.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            wire.extend_from_slice(word);
            wire.extend_from_slice(b"\r\n");
        }
        self.send(&wire)
    }

    /// Waits at most `timeout` for the next reply.
    pub fn receive(&mut self, timeout: Duration) -> Received {
        let deadline = Instant::now() + timeout;
        loop {
            match frame::read(&self.buffer) {
                Ok(Some((frame, len_bytes))) => {
                    self.buffer.drain(..len_bytes);
                    return Received::Frame(frame);
                }
                Ok(None) => {}
                Err(reason) => return Received::Malformed(reason),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(left).is_err() {
                return Received::Nothing;
            }
            let mut chunk = vec![0; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Received::Closed,
                Ok(len_bytes) => self.buffer.extend_from_slice(&chunk[..len_bytes]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Received::Nothing;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A reset is how a close looks when the server had not read all that was sent.
                Err(_) => return Received::Closed,
            }
        }
    }
}
