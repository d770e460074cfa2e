//! Replays a recorded trace against a server: GET each key, and SET those that were not there:
//! `trace-replay --port N FILE`.
//!
//! The trace is a file of key numbers, 32 bits each, little-endian. It is replayed over one connection in windows: the
//! GETs of a window are sent together, and the SETs of what they missed go with the next window. Everything but the
//! server's answers follows from the trace. Prints one line of JSON.
#![forbid(unsafe_code)]

use std::io::{self, Error, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use fastrand::Rng;
use tessera_bench::client::{Connection, Reply, write_name};

/// Length of each key in bytes.
const KEY_LEN_BYTES: usize = 16;

/// Replays a trace of GETs, with a SET for every miss, against a server of this machine.
#[derive(Parser)]
#[command(name = "trace-replay")]
struct Options {
    /// Where the server listens, on loopback.
    #[arg(long)]
    port: u16,
    /// Key numbers, 32 bits each, little-endian.
    trace: PathBuf,
    /// GETs sent together.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    window: u16,
    /// Shortest value in bytes.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    value_min_len_bytes: u16,
    /// Longest value in bytes. Each key has a length of its own between the two.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    value_max_len_bytes: u16,
    /// Give every key an expiry of its own, between one and ten times so many seconds.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    ttl_s: Option<u32>,
    /// GETs per second; without it, as fast as the server answers.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate_per_s: Option<u32>,
}

/// What came of a replay.
#[derive(Debug, Default)]
struct Counts {
    gets: u64,
    hits: u64,
    /// The same for the second half of the trace, when the server is full.
    late_gets: u64,
    late_hits: u64,
    sets: u64,
    out_of_memory: u64,
}

/// What a key holds: its length and its bytes follow from its number.
struct Values {
    min_len_bytes: usize,
    max_len_bytes: usize,
    bytes: Vec<u8>,
}

impl Values {
    fn new(options: &Options) -> Values {
        let min_len_bytes = usize::from(options.value_min_len_bytes);
        let max_len_bytes = usize::from(options.value_max_len_bytes).max(min_len_bytes);
        let mut bytes = vec![0; 64 * 1024 + max_len_bytes];
        Rng::with_seed(1).fill(&mut bytes);
        // No digit, so that no value is stored as an integer.
        bytes.iter_mut().for_each(|byte| *byte |= 0x80);
        Values { min_len_bytes, max_len_bytes, bytes }
    }

    fn of(&self, number: u32) -> &[u8] {
        let mut random = Rng::with_seed(u64::from(number));
        let len_bytes = random.usize(self.min_len_bytes..=self.max_len_bytes);
        let start = random.usize(..=self.bytes.len() - len_bytes);
        &self.bytes[start..start + len_bytes]
    }
}

fn name(number: u32) -> [u8; KEY_LEN_BYTES] {
    let mut key = [0; KEY_LEN_BYTES];
    write_name(b"key:", u64::from(number), &mut key);
    key
}

/// How long key `number` lives in seconds.
fn ttl_s(number: u32, shortest_s: u32) -> u64 {
    let shortest_s = u64::from(shortest_s);
    // Another seed than for its value: long values must not live longer.
    Rng::with_seed(!u64::from(number)).u64(shortest_s..=10 * shortest_s)
}

fn replay(options: &Options, trace: &[u32]) -> io::Result<Counts> {
    let values = Values::new(options);
    let mut connection = Connection::open(options.port)?;
    let mut counts = Counts::default();
    let mut missed: Vec<u32> = Vec::new();
    let started = Instant::now();
    // One window more, without GETs, for what the last one missed.
    for window in trace.chunks(usize::from(options.window)).chain([[].as_slice()]) {
        if let Some(rate_per_s) = options.rate_per_s {
            let due = Duration::from_secs_f64(counts.gets as f64 / f64::from(rate_per_s));
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        for &number in &missed {
            let (key, value) = (name(number), values.of(number));
            match options.ttl_s {
                None => connection.push(&[b"SET", &key, value]),
                Some(shortest_s) => {
                    let ttl_s = ttl_s(number, shortest_s).to_string();
                    connection.push(&[b"SET", &key, value, b"EX", ttl_s.as_bytes()]);
                }
            }
        }
        for &number in window {
            connection.push(&[b"GET", &name(number)]);
        }
        connection.send()?;
        for _ in 0..missed.len() {
            counts.sets += 1;
            match connection.next_reply()? {
                Reply::Status => {}
                Reply::Error(text) if text.starts_with("OOM ") => counts.out_of_memory += 1,
                other => return Err(Error::other(format!("reply to SET: {other:?}"))),
            }
        }
        missed.clear();
        for &number in window {
            let is_late = counts.gets >= trace.len() as u64 / 2;
            let is_hit = match connection.next_reply()? {
                Reply::Bulk(len_bytes) if len_bytes == values.of(number).len() as u64 => true,
                Reply::Nil => false,
                other => return Err(Error::other(format!("reply to GET of key {number}: {other:?}"))),
            };
            counts.gets += 1;
            counts.hits += u64::from(is_hit);
            counts.late_gets += u64::from(is_late);
            counts.late_hits += u64::from(is_late && is_hit);
            if !is_hit && !missed.contains(&number) {
                missed.push(number);
            }
        }
    }
    Ok(counts)
}

fn run() -> io::Result<()> {
    let options = Options::parse();
    let bytes = std::fs::read(&options.trace)?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if numbers.is_empty() || !rest.is_empty() {
        return Err(Error::other(format!("{}: no trace", options.trace.display())));
    }
    let trace: Vec<u32> = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
    let started = Instant::now();
    let counts = replay(&options, &trace)?;
    writeln!(
        io::stdout(),
        "{{\"gets\": {}, \"hits\": {}, \"late_gets\": {}, \"late_hits\": {}, \"sets\": {}, \"out_of_memory\": {}, \
         \"wall_s\": {:.3}}}",
        counts.gets,
        counts.hits,
        counts.late_gets,
        counts.late_hits,
        counts.sets,
        counts.out_of_memory,
        started.elapsed().as_secs_f64(),
    )
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace-replay: {error}");
            ExitCode::FAILURE
        }
    }
}
