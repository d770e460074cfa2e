//! A connection to a running server.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use tessera_resp::scan::reply_len_bytes;

/// Sends commands and reads replies as they are.
pub struct Server {
    stream: TcpStream,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    /// Bytes of `incoming` already handed out.
    consumed: usize,
}

impl Server {
    /// Connects to `host:port`.
    pub fn connect(address: &str) -> Result<Server> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Server { stream, outgoing: Vec::new(), incoming: Vec::new(), consumed: 0 })
    }

    /// Adds a command to those that the next read will send.
    pub fn push<W: AsRef<[u8]>>(&mut self, words: &[W]) {
        self.outgoing.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            let word = word.as_ref();
            self.outgoing.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.outgoing.extend_from_slice(word);
            self.outgoing.extend_from_slice(b"\r\n");
        }
    }

    /// The next reply, to the byte.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        if !self.outgoing.is_empty() {
            self.stream.write_all(&self.outgoing)?;
            self.outgoing.clear();
        }
        loop {
            if let Some(len) = reply_len_bytes(&self.incoming[self.consumed..]) {
                let reply = self.incoming[self.consumed..][..len].to_vec();
                self.consumed += len;
                return Ok(reply);
            }
            self.incoming.drain(..self.consumed);
            self.consumed = 0;
            let mut chunk = [0; 65536];
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            self.incoming.extend_from_slice(&chunk[..count]);
        }
    }

    /// Sends one command and reads its reply.
    pub fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<Vec<u8>> {
        self.push(words);
        self.read()
    }
}
