//! Replies, written in the protocol the client speaks.

use crate::number::{DoubleText, push_i64};

/// Which protocol a client speaks: `HELLO` chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Five types; everything else is told in terms of them.
    #[default]
    Resp2,
    /// Maps, sets, doubles, booleans, nulls, verbatim text, pushes.
    Resp3,
}

/// What ends a bulk string.
pub const LINE_END: &[u8] = b"\r\n";

/// Writes one reply at the end of a buffer.
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
    /// A long reply may be made later.
    may_stream: bool,
}

/// Where the header of an aggregate of yet unknown length belongs.
#[derive(Clone, Copy, Debug)]
#[must_use = "the header is missing until `Reply::close` writes it"]
pub struct Opened(usize);

impl<'a> Reply<'a> {
    /// A reply that goes to the end of `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Reply<'a> {
        Reply { out, protocol, may_stream: false }
    }

    /// A reply that may be made a piece at a time if it is long.
    #[inline]
    pub fn streamable(out: &'a mut Vec<u8>, protocol: Protocol) -> Reply<'a> {
        Reply { out, protocol, may_stream: true }
    }

    /// Whether a long reply may be made a piece at a time.
    #[inline]
    pub fn may_stream(&self) -> bool {
        self.may_stream
    }

    /// What the client speaks.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What is written from now on is in another protocol: HELLO answers in the one it switches to.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Bytes in the buffer so far, earlier replies included.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Takes back everything written since `position`.
    pub fn truncate(&mut self, position: usize) {
        self.out.truncate(position);
    }

    #[inline]
    fn header(&mut self, kind: u8, number: i64) {
        if let Ok(digit @ 0..=9) = u8::try_from(number) {
            self.out.extend_from_slice(&[kind, b'0' + digit, b'\r', b'\n']);
        } else {
            self.out.push(kind);
            push_i64(self.out, number);
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; it must not contain line ends.
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']));
        self.out.push(b'+');
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// An error, its code (`ERR`, `WRONGTYPE` ...) included. Line ends within become blanks.
    #[cold]
    pub fn error(&mut self, text: impl AsRef<[u8]>) {
        self.out.push(b'-');
        // Redis trims line ends at the end and blanks those within.
        let text = text.as_ref();
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        let text = &text[..end];
        self.out.extend(text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// The beginning of a bulk string of `len_bytes`. Its bytes and [`LINE_END`] are written by somebody else.
    pub fn bulk_header(&mut self, len_bytes: usize) {
        self.header(b'$', len_bytes as i64);
    }

    /// An integer as a bulk string.
    #[inline]
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A bulk string, or null.
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// No value, where a string would stand.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No value, where an array would stand.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// An array of `len` elements, which follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len as i64);
    }

    /// A map of `len` pairs, which follow; in RESP2 an array of keys and values in turn.
    pub fn map(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', 2 * len as i64),
            Protocol::Resp3 => self.header(b'%', len as i64),
        }
    }

    /// A set of `len` elements, which follow; in RESP2 an array.
    pub fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', len as i64),
            Protocol::Resp3 => self.header(b'~', len as i64),
        }
    }

    /// An out-of-band message of `len` elements, which follow; in RESP2 an array.
    pub fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', len as i64),
            Protocol::Resp3 => self.header(b'>', len as i64),
        }
    }

    /// A double; in RESP2 a bulk string.
    pub fn double(&mut self, value: f64) {
        let text = DoubleText::new(value);
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => {
                self.out.push(b',');
                self.out.extend_from_slice(text.as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A truth value; in RESP2 the integers 1 and 0.
    pub fn boolean(&mut self, value: bool) {
        match self.protocol {
            Protocol::Resp2 => self.integer(i64::from(value)),
            Protocol::Resp3 => self.out.extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" }),
        }
    }

    /// Text meant for a person; `format` is three characters, `txt` or `mkd`. In RESP2 a bulk string.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        debug_assert_eq!(format.len(), 3);
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.out.extend_from_slice(format.as_bytes());
                self.out.push(b':');
                self.out.extend_from_slice(text);
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Begins an aggregate whose length is known only at the end.
    pub fn open(&mut self) -> Opened {
        Opened(self.out.len())
    }

    /// Ends an array begun with [`Reply::open`].
    pub fn close_array(&mut self, opened: Opened, len: usize) {
        self.close(opened, |reply| reply.array(len));
    }

    /// Ends a map of `len` pairs begun with [`Reply::open`].
    pub fn close_map(&mut self, opened: Opened, len: usize) {
        self.close(opened, |reply| reply.map(len));
    }

    /// Ends a set begun with [`Reply::open`].
    pub fn close_set(&mut self, opened: Opened, len: usize) {
        self.close(opened, |reply| reply.set(len));
    }

    fn close(&mut self, opened: Opened, write: impl FnOnce(&mut Reply<'_>)) {
        let mut header = Vec::with_capacity(16);
        write(&mut Reply::new(&mut header, self.protocol));
        self.out.splice(opened.0..opened.0, header);
    }

    /// A reply, or elements of one, that is already written in the client's protocol.
    #[inline]
    pub fn raw(&mut self, encoded: &[u8]) {
        self.out.extend_from_slice(encoded);
    }
}
