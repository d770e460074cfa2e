//! A client's end of a connection.

use crate::kernel::{Kernel, SocketNumber};
use crate::weather::{Weather, happens};
use std::collections::VecDeque;
use tessera_resp::scan::reply_len_bytes;

/// A client writes ahead until this many bytes of its own are not delivered.
const UNDELIVERED_MAX_LEN_BYTES: usize = 256 * 1024;

/// A connected client.
pub struct Client {
    /// Its connection.
    pub socket: SocketNumber,
    unsent: VecDeque<u8>,
    received: Vec<u8>,
    /// Replies that came and were not looked at.
    pub replies: VecDeque<Vec<u8>>,
    /// It has asked to be disconnected, and waits for that.
    pub is_leaving: bool,
    lazy_until_step: u64,
    random: fastrand::Rng,
}

impl Client {
    /// A client on `socket`.
    pub fn new(socket: SocketNumber, seed: u64) -> Client {
        Client {
            socket,
            unsent: VecDeque::new(),
            received: Vec::new(),
            replies: VecDeque::new(),
            is_leaving: false,
            lazy_until_step: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Queues a command.
    pub fn say(&mut self, words: &[Vec<u8>]) {
        self.unsent.extend(encode(words, self.random.u8(..20) == 0));
    }

    /// Queues bytes, whatever they are.
    pub fn babble(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// Bytes that are not written yet.
    pub fn unsent_len_bytes(&self) -> usize {
        self.unsent.len()
    }

    /// Bytes of an unfinished reply.
    pub fn unfinished(&self) -> &[u8] {
        &self.received
    }

    /// Writes and reads, as its mood and the weather have it. True if anything came or went.
    pub fn act(&mut self, kernel: &mut Kernel, weather: &Weather, step: u64) -> bool {
        let mut any = false;
        if !self.unsent.is_empty() && kernel.undelivered_len_bytes(self.socket) < UNDELIVERED_MAX_LEN_BYTES {
            let whole = self.unsent.len();
            let cuts = happens(&mut self.random, weather.cut_receive);
            let len = if cuts { self.random.usize(1..=whole) } else { whole };
            let bytes: Vec<u8> = self.unsent.drain(..len).collect();
            kernel.write(self.socket, &bytes);
            any = true;
        }
        if step < self.lazy_until_step {
            return any;
        }
        if happens(&mut self.random, weather.lazy_reader) {
            self.lazy_until_step = step + self.random.u64(..weather.lazy_steps);
            return any;
        }
        let readable = kernel.readable_len_bytes(self.socket);
        if readable > 0 {
            let cuts = happens(&mut self.random, weather.cut_receive);
            let max = if cuts { self.random.usize(1..=readable) } else { readable };
            self.received.extend(kernel.read(self.socket, max));
            self.take_replies();
            any = true;
        }
        any
    }

    fn take_replies(&mut self) {
        let mut at = 0;
        while let Some(len) = reply_len_bytes(&self.received[at..]) {
            self.replies.push_back(self.received[at..at + len].to_vec());
            at += len;
        }
        self.received.drain(..at);
        if let Some(first) = self.received.first() {
            assert!(
                b"+-:$*_,#(!=%~>".contains(first),
                "what a client reads is no reply: {}",
                self.received.escape_ascii()
            );
        }
    }
}

/// A command as a client sends it; in a line of its own if asked for and possible.
pub fn encode(words: &[Vec<u8>], inline: bool) -> Vec<u8> {
    let plain = |word: &Vec<u8>| !word.is_empty() && word.iter().all(u8::is_ascii_alphanumeric);
    if inline && words.iter().all(plain) && words.iter().map(Vec::len).sum::<usize>() < 1000 {
        return [words.join(&b' '), b"\r\n".to_vec()].concat();
    }
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.len()).bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}
