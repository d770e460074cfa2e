//! Connections to the two servers.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::Duration;
use tessera_resp::scan::reply_len_bytes;

/// How long a reply may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// What sockets surely take in although nobody reads, in bytes.
const UNREAD_LEN_BYTES: usize = 32 * 1024;

/// A command as RESP.
pub fn encode<W: AsRef<[u8]>>(words: &[W], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        let word = word.as_ref();
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// A command as a line.
pub fn encode_inline(words: &[Vec<u8>], out: &mut Vec<u8>) {
    for word in words {
        out.push(b'"');
        for byte in word {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                b' '..=b'~' => out.push(*byte),
                _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            }
        }
        out.extend_from_slice(b"\" ");
    }
    out.extend_from_slice(b"\r\n");
}

/// Sends bytes and reads replies as they are.
pub struct Connection {
    stream: TcpStream,
    incoming: Vec<u8>,
    /// Bytes of `incoming` already handed out.
    consumed: usize,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream, incoming: Vec::new(), consumed: 0 })
    }

    /// Sends bytes, in the background if the server might want its replies to be read meanwhile.
    ///
    /// `split` sends those from there on a little later, so that they are read apart.
    pub fn send(&self, bytes: &[u8], split: Option<usize>) -> Result<()> {
        if bytes.len() < UNREAD_LEN_BYTES {
            return write(&self.stream, bytes, split);
        }
        let (stream, bytes) = (self.stream.try_clone()?, bytes.to_vec());
        // A failure shows in the replies that do not come.
        std::thread::spawn(move || write(&stream, &bytes, split));
        Ok(())
    }

    /// Makes sure that the next reply is there, and returns where.
    pub fn receive(&mut self) -> Result<Range<usize>> {
        loop {
            if let Some(len) = reply_len_bytes(&self.incoming[self.consumed..]) {
                let reply = self.consumed..self.consumed + len;
                self.consumed = reply.end;
                return Ok(reply);
            }
            self.incoming.drain(..self.consumed);
            self.consumed = 0;
            if self.read_some()? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
        }
    }

    fn read_some(&mut self) -> Result<usize> {
        let len = self.incoming.len();
        self.incoming.resize(len + 64 * 1024, 0);
        let count = self.stream.read(&mut self.incoming[len..]);
        self.incoming.truncate(len + count.as_ref().unwrap_or(&0));
        count
    }

    /// The bytes of a reply, until the next call of [`Connection::receive`].
    pub fn bytes(&self, reply: Range<usize>) -> &[u8] {
        &self.incoming[reply]
    }

    /// The next reply.
    pub fn read(&mut self) -> Result<&[u8]> {
        let reply = self.receive()?;
        Ok(self.bytes(reply))
    }

    /// Sends one command and reads its reply.
    pub fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Result<&[u8]> {
        let mut bytes = Vec::new();
        encode(words, &mut bytes);
        self.send(&bytes, None)?;
        self.read()
    }

    /// Sends the last bytes and returns all that the server answers until it closes.
    pub fn finish(mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(bytes)?;
        self.stream.shutdown(Shutdown::Write)?;
        while self.read_some()? > 0 {}
        Ok(self.incoming)
    }
}

fn write(mut stream: &TcpStream, bytes: &[u8], split: Option<usize>) -> Result<()> {
    let (first, second) = bytes.split_at(split.unwrap_or(bytes.len()));
    stream.write_all(first)?;
    if !second.is_empty() {
        std::thread::sleep(Duration::from_millis(1));
        stream.write_all(second)?;
    }
    Ok(())
}
