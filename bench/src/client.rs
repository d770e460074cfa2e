//! A blocking RESP2 client for loads: commands are collected, sent together, and their replies read one by one.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The longest that a reply may take before the load gives up.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest line of a reply in bytes: an error message, say.
const LINE_MAX_LEN_BYTES: u64 = 64 * 1024;

/// Longest string of a reply in bytes. It bounds what a server can make us read.
const BULK_MAX_LEN_BYTES: u64 = 512 * 1024 * 1024;

/// What a server answered to one command, as far as a load wants to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A simple string, `OK` for example.
    Status,
    /// An error, with its text.
    Error(String),
    /// There is no such key.
    Nil,
    /// A string of so many bytes; they are not kept.
    Bulk(u64),
    /// An integer.
    Integer(i64),
}

/// Reads replies off a stream.
#[derive(Debug)]
pub struct Replies<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Replies<R> {
    /// Replies that arrive in `stream`.
    pub fn new(stream: R) -> Self {
        Self { reader: BufReader::with_capacity(256 * 1024, stream), line: Vec::new() }
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    ///
    /// Those of the stream, its end, and a reply that is none of [`Reply`]'s.
    pub fn next_reply(&mut self) -> io::Result<Reply> {
        self.line.clear();
        (&mut self.reader).take(LINE_MAX_LEN_BYTES).read_until(b'\n', &mut self.line)?;
        let line = self.line.strip_suffix(b"\r\n").ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        let Some((kind, rest)) = line.split_first() else { return Err(unexpected(line)) };
        match kind {
            b'+' => Ok(Reply::Status),
            b'-' => Ok(Reply::Error(String::from_utf8_lossy(rest).into_owned())),
            b':' => number(rest).map(Reply::Integer).ok_or_else(|| unexpected(line)),
            b'$' => match number(rest).ok_or_else(|| unexpected(line))? {
                -1 => Ok(Reply::Nil),
                len_bytes => {
                    let len_bytes = u64::try_from(len_bytes).map_err(|_| unexpected(line))?;
                    if len_bytes > BULK_MAX_LEN_BYTES {
                        return Err(unexpected(line));
                    }
                    self.skip(len_bytes + 2)?;
                    Ok(Reply::Bulk(len_bytes))
                }
            },
            _ => Err(unexpected(line)),
        }
    }

    fn skip(&mut self, mut len_bytes: u64) -> io::Result<()> {
        while len_bytes > 0 {
            let there = self.reader.fill_buf()?.len();
            if there == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let taken = u64::try_from(there).unwrap_or(u64::MAX).min(len_bytes);
            self.reader.consume(taken as usize);
            len_bytes -= taken;
        }
        Ok(())
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn unexpected(line: &[u8]) -> Error {
    let shown = &line[..line.len().min(80)];
    Error::new(ErrorKind::InvalidData, format!("unexpected reply: {}", shown.escape_ascii()))
}

/// A connection to a server on this machine.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    replies: Replies<TcpStream>,
    unsent: Vec<u8>,
}

impl Connection {
    /// Connects to `port` on loopback.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
        Ok(Self { replies: Replies::new(stream.try_clone()?), stream, unsent: Vec::new() })
    }

    /// Adds a command to those that [`Connection::send`] will send.
    pub fn push(&mut self, words: &[&[u8]]) {
        encode(words, &mut self.unsent);
    }

    /// Bytes that wait to be sent.
    pub fn unsent_len_bytes(&self) -> usize {
        self.unsent.len()
    }

    /// Sends what was pushed. The caller keeps the commands without a reply so few that neither side has to stop
    /// writing before the other reads.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.unsent)?;
        self.unsent.clear();
        Ok(())
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    ///
    /// Those of [`Replies::next_reply`].
    pub fn next_reply(&mut self) -> io::Result<Reply> {
        self.replies.next_reply()
    }
}

/// Appends a command as a RESP array of bulk strings.
pub fn encode(words: &[&[u8]], out: &mut Vec<u8>) {
    header(b'*', words.len(), out);
    for word in words {
        header(b'$', word.len(), out);
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

fn header(marker: u8, number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.push(marker);
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

/// Writes `prefix` and then `number` in decimal, padded with zeros, so that both fill `out`: the names that
/// redis-benchmark gives keys, `key:000000000042`. Digits that do not fit are left out.
pub fn write_name(prefix: &[u8], number: u64, out: &mut [u8]) {
    let prefix_len_bytes = prefix.len().min(out.len());
    out[..prefix_len_bytes].copy_from_slice(&prefix[..prefix_len_bytes]);
    let mut left = number;
    for digit in out[prefix_len_bytes..].iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_encoded_as_arrays_of_bulk_strings() {
        let mut out = Vec::new();
        encode(&[b"SET", b"key:1", b"a\r\nbcdefgh"], &mut out);
        assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$5\r\nkey:1\r\n$10\r\na\r\nbcdefgh\r\n");
    }

    #[test]
    fn replies_are_told_apart_and_strings_skipped() {
        let input: &[u8] = b"+OK\r\n$5\r\na\r\nb+\r\n$-1\r\n-OOM too much\r\n:-7\r\n$0\r\n\r\n";
        let mut replies = Replies::new(input);
        let expected = [
            Reply::Status,
            Reply::Bulk(5),
            Reply::Nil,
            Reply::Error("OOM too much".to_owned()),
            Reply::Integer(-7),
            Reply::Bulk(0),
        ];
        for reply in expected {
            assert_eq!(replies.next_reply().unwrap(), reply);
        }
        assert_eq!(replies.next_reply().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for input in [b"OK\r\n".as_slice(), b"\r\n", b"$x\r\n", b"$-2\r\n", b"$5\r\nab", b"*1\r\n", b"+O"] {
            assert!(Replies::new(input).next_reply().is_err(), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn names_are_padded_to_their_length() {
        let mut name = [0; 16];
        write_name(b"key:", 42, &mut name);
        assert_eq!(&name, b"key:000000000042");
    }
}
