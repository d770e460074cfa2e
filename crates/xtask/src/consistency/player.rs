//! One client: a connection that is used until it is closed, by whomever.

use crate::differential::connection::encode;
use fastrand::Rng;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tessera_consistency::Transaction;
use tessera_consistency::resp::parse;
use tessera_consistency::work::{Job, Words, Workload};

/// Nothing takes that long; whoever waits longer waits for something that was lost.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// Of so many jobs a client leaves in the middle of one.
const JOBS_PER_LEAVING: u32 = 25;
/// A client that leaves does so after at most this long, in microseconds.
const LEAVES_AFTER_MAX_US: u64 = 400;

/// What a client was told.
#[derive(Default)]
pub struct Told {
    /// In any order.
    pub transactions: Vec<Transaction>,
    /// How long the longest took.
    pub longest: Duration,
}

/// See the module.
pub struct Player {
    address: SocketAddr,
    number: usize,
    stream: TcpStream,
    received: Vec<u8>,
    random: Rng,
    /// When all clients began.
    began: Instant,
}

fn encoded(words: &Words) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(words, &mut bytes);
    bytes
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Player {
    /// A client that has connected.
    ///
    /// # Errors
    /// If it could not.
    pub fn new(address: SocketAddr, number: usize, seed: u64, began: Instant) -> Result<Player, String> {
        let stream = connect(address).map_err(|error| error.to_string())?;
        let random = Rng::with_seed(seed ^ (number as u64) << 40);
        Ok(Player { address, number, stream, received: Vec::new(), random, began })
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Takes another connection.
    ///
    /// # Errors
    /// If there is none to be had.
    pub fn reconnect(&mut self) -> Result<(), String> {
        self.received.clear();
        self.stream = connect(self.address).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Does so many jobs.
    ///
    /// # Errors
    /// Replies that are none to such commands, or that do not come.
    pub fn play(mut self, work: &Mutex<Workload>, jobs: usize) -> Result<Told, String> {
        let mut told = Told::default();
        for _ in 0..jobs {
            let job = work.lock().map_err(|_| "the workload is gone".to_owned())?.draw();
            let began = self.now();
            let leaves = self.random.u32(..JOBS_PER_LEAVING) == 0;
            match self.say(&job, leaves).and_then(|()| self.hear(job.commands().len())) {
                Ok(replies) => {
                    let ended = self.now();
                    told.longest = told.longest.max(Duration::from_nanos(ended - began));
                    told.transactions.extend(job.done(self.number, (began, ended), &replies)?);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(format!("no answer within {REPLY_TIMEOUT:?}"));
                }
                // It has left, or its connection was closed.
                Err(_) => {
                    told.transactions.push(job.perhaps_done(self.number, began));
                    self.reconnect()?;
                }
            }
        }
        Ok(told)
    }

    /// Does one job, which is answered.
    ///
    /// # Errors
    /// If it is not, or wrongly.
    pub fn ask(&mut self, job: &Job) -> Result<Vec<Transaction>, String> {
        let began = self.now();
        self.say(job, false).map_err(|error| error.to_string())?;
        let replies = self.hear(job.commands().len()).map_err(|error| error.to_string())?;
        job.done(self.number, (began, self.now()), &replies)
    }

    /// Sends one command and returns its reply.
    ///
    /// # Errors
    /// If the connection ends, or no reply comes.
    pub fn say_and_hear(&mut self, words: &Words) -> io::Result<Vec<u8>> {
        self.stream.write_all(&encoded(words))?;
        Ok(self.hear(1)?.swap_remove(0))
    }

    /// Sends one command and leaves at some moment, and connects again.
    ///
    /// # Errors
    /// If there is no connection to be had.
    pub fn say_and_leave(&mut self, words: &Words) -> Result<(), String> {
        // Whether it has been sent does not matter.
        let _ = self.stream.write_all(&encoded(words));
        std::thread::sleep(Duration::from_micros(self.random.u64(..LEAVES_AFTER_MAX_US)));
        self.reconnect()
    }

    /// Sends a job; leaves in the middle of it, if asked to.
    fn say(&mut self, job: &Job, leaves: bool) -> io::Result<()> {
        let bytes: Vec<u8> = job.commands().iter().flat_map(encoded).collect();
        if !leaves {
            return self.stream.write_all(&bytes);
        }
        let sent = if self.random.bool() { bytes.len() } else { self.random.usize(..bytes.len()) };
        self.stream.write_all(&bytes[..sent])?;
        std::thread::sleep(Duration::from_micros(self.random.u64(..LEAVES_AFTER_MAX_US)));
        // With unread replies that is a reset, without an orderly end.
        self.stream.shutdown(std::net::Shutdown::Both)?;
        Err(io::Error::other("it has left"))
    }

    fn hear(&mut self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut replies = Vec::with_capacity(count);
        let mut buffer = [0; 16 * 1024];
        loop {
            let mut at = 0;
            while replies.len() < count
                && let Some((_, len)) = parse(&self.received[at..])
            {
                replies.push(self.received[at..at + len].to_vec());
                at += len;
            }
            self.received.drain(..at);
            if replies.len() == count {
                return Ok(replies);
            }
            let len = self.stream.read(&mut buffer)?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&buffer[..len]);
        }
    }
}
