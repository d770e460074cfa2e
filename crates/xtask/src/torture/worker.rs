//! Clients whose every reply is known before it comes.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use fastrand::Rng;

/// How long a reply may take. A machine that is short of cores lets some wait for long.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many keys of each kind a client has: enough to have some on every shard.
const KEYS: usize = 16;
/// The most commands in a pipeline.
const PIPELINE_MAX_LEN: usize = 64;
/// A client leaves, and another comes, once in this many pipelines.
const PIPELINES_PER_LIFE: usize = 2000;

/// A client, what its keys hold, and what is still to be answered.
pub struct Worker {
    stream: TcpStream,
    name: String,
    random: Rng,
    counters: [i64; KEYS],
    texts: Vec<Option<Vec<u8>>>,
    outgoing: Vec<u8>,
    /// What will come, in order.
    expected: VecDeque<Vec<u8>>,
    incoming: Vec<u8>,
    /// Replies that came and were right.
    pub checked: u64,
}

impl Worker {
    /// Connects. `name` begins its keys, so nobody else may have it.
    ///
    /// # Errors
    /// Those of connecting.
    pub fn new(address: SocketAddr, name: String, seed: u64) -> io::Result<Worker> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Worker {
            stream,
            name,
            random: Rng::with_seed(seed),
            counters: [0; KEYS],
            texts: vec![None; KEYS],
            outgoing: Vec::new(),
            expected: VecDeque::new(),
            incoming: Vec::new(),
            checked: 0,
        })
    }

    /// Whether this client should leave now.
    pub fn has_enough(&mut self) -> bool {
        self.random.usize(..PIPELINES_PER_LIFE) == 0
    }

    /// Sends a pipeline, perhaps cut somewhere.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send(&mut self) -> io::Result<()> {
        for _ in 0..self.random.usize(1..=PIPELINE_MAX_LEN) {
            self.add_command();
        }
        let mut bytes = std::mem::take(&mut self.outgoing);
        if self.random.u8(..16) == 0 {
            // The rest goes with the next pipeline, or before the replies are read.
            self.outgoing = bytes.split_off(self.random.usize(..bytes.len()));
        }
        self.stream.write_all(&bytes)
    }

    /// Reads the replies to all that was sent and compares them.
    ///
    /// # Errors
    /// Those of the socket, and a reply that is not what it should be.
    pub fn receive(&mut self) -> io::Result<()> {
        if !self.outgoing.is_empty() {
            let rest = std::mem::take(&mut self.outgoing);
            self.stream.write_all(&rest)?;
        }
        while let Some(expected) = self.expected.pop_front() {
            while self.incoming.len() < expected.len() {
                let mut chunk = [0; 16 * 1024];
                let len = self.stream.read(&mut chunk)?;
                if len == 0 {
                    return Err(self.wrong(&expected, "and the server closed the connection"));
                }
                self.incoming.extend_from_slice(&chunk[..len]);
            }
            if !self.incoming.starts_with(&expected) {
                return Err(self.wrong(&expected, "is wrong"));
            }
            self.incoming.drain(..expected.len());
            self.checked += 1;
        }
        if self.incoming.is_empty() { Ok(()) } else { Err(self.wrong(b"nothing", "is one too many")) }
    }

    /// Asks for everything once more, removes it, and leaves.
    ///
    /// # Errors
    /// See [`Worker::receive`].
    pub fn leave(mut self) -> io::Result<u64> {
        self.receive()?;
        for index in 0..KEYS {
            self.get_text(index);
            let (key, value) = (self.counter(index), self.counters[index]);
            let shown = if value == 0 { "$-1\r\n".into() } else { bulk(value.to_string().as_bytes()) };
            self.add(&[b"GET", key.as_bytes()], shown);
        }
        let names: Vec<String> =
            (0..KEYS).flat_map(|index| [self.counter(index), self.text(index)]).collect();
        let words: Vec<&[u8]> =
            [b"UNLINK".as_slice()].into_iter().chain(names.iter().map(String::as_bytes)).collect();
        let held =
            self.counters.iter().filter(|value| **value != 0).count() + self.texts.iter().flatten().count();
        self.add(&words, format!(":{held}\r\n").into_bytes());
        self.receive()?;
        Ok(self.checked)
    }

    fn wrong(&self, expected: &[u8], what: &str) -> io::Error {
        let got = &self.incoming[..self.incoming.len().min(200)];
        let expected = &expected[..expected.len().min(200)];
        io::Error::other(format!(
            "client {} after {} right replies: \"{}\" {what}; expected \"{}\"",
            self.name,
            self.checked,
            got.escape_ascii(),
            expected.escape_ascii()
        ))
    }

    fn counter(&self, index: usize) -> String {
        format!("{}:counter:{index}", self.name)
    }

    fn text(&self, index: usize) -> String {
        format!("{}:text:{index}", self.name)
    }

    fn add(&mut self, words: &[&[u8]], reply: Vec<u8>) {
        self.outgoing.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        words.iter().for_each(|word| self.outgoing.extend(bulk(word)));
        self.expected.push_back(reply);
    }

    fn get_text(&mut self, index: usize) {
        let reply = self.texts[index].as_deref().map_or(b"$-1\r\n".to_vec(), bulk);
        self.add(&[b"GET", self.text(index).as_bytes()], reply);
    }

    fn new_value(&mut self) -> Vec<u8> {
        let len = match self.random.u8(..) {
            0 => self.random.usize(..40_000),
            _ => self.random.usize(..100),
        };
        let byte = self.random.u8(..);
        vec![byte; len]
    }

    fn add_command(&mut self) {
        let index = self.random.usize(..KEYS);
        match self.random.u8(..32) {
            0..12 => {
                self.counters[index] += 1;
                let reply = format!(":{}\r\n", self.counters[index]).into_bytes();
                self.add(&[b"INCR", self.counter(index).as_bytes()], reply);
            }
            12..18 => {
                let value = self.new_value();
                self.add(&[b"SET", self.text(index).as_bytes(), &value], b"+OK\r\n".to_vec());
                self.texts[index] = Some(value);
            }
            18..24 => self.get_text(index),
            24 => {
                let held = self.texts[index].take().is_some();
                self.add(&[b"DEL", self.text(index).as_bytes()], format!(":{}\r\n", u8::from(held)).into());
            }
            25 => self.add_mget(),
            26 => self.add_mset(),
            27 => self.add_rename(index),
            28 => {
                let value = self.new_value();
                self.add(&[b"ECHO", &value], bulk(&value));
            }
            29 => self.add(&[b"PING"], b"+PONG\r\n".to_vec()),
            30 => self.add(&[b"GET"], b"-ERR wrong number of arguments for 'get' command\r\n".to_vec()),
            _ => {
                let names: Vec<String> = (0..KEYS).map(|index| self.text(index)).collect();
                let words: Vec<&[u8]> =
                    [b"EXISTS".as_slice()].into_iter().chain(names.iter().map(String::as_bytes)).collect();
                let held = self.texts.iter().flatten().count();
                self.add(&words, format!(":{held}\r\n").into_bytes());
            }
        }
    }

    fn add_mget(&mut self) {
        let indexes: Vec<usize> = (0..self.random.usize(1..8)).map(|_| self.random.usize(..KEYS)).collect();
        let names: Vec<String> = indexes.iter().map(|index| self.text(*index)).collect();
        let mut words: Vec<&[u8]> = vec![b"MGET"];
        words.extend(names.iter().map(String::as_bytes));
        let mut reply = format!("*{}\r\n", indexes.len()).into_bytes();
        for index in &indexes {
            reply.extend(self.texts[*index].as_deref().map_or(b"$-1\r\n".to_vec(), bulk));
        }
        self.add(&words, reply);
    }

    fn add_mset(&mut self) {
        let (first, second) = (self.random.usize(..KEYS), self.random.usize(..KEYS));
        let (one, two) = (self.new_value(), self.new_value());
        let names = [self.text(first), self.text(second)];
        self.add(&[b"MSET", names[0].as_bytes(), &one, names[1].as_bytes(), &two], b"+OK\r\n".to_vec());
        self.texts[first] = Some(one);
        self.texts[second] = Some(two);
    }

    fn add_rename(&mut self, from: usize) {
        let to = self.random.usize(..KEYS);
        let reply: &[u8] = if self.texts[from].is_some() { b"+OK\r\n" } else { b"-ERR no such key\r\n" };
        self.add(&[b"RENAME", self.text(from).as_bytes(), self.text(to).as_bytes()], reply.to_vec());
        if let Some(value) = self.texts[from].take() {
            self.texts[to] = Some(value);
        }
    }
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
