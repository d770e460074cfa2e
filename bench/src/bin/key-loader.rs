//! Sets keys on a server, as fast as it takes them from one connection: `key-loader --port N --keys N ...`.
//!
//! Keys are named as redis-benchmark names them: `key:` and the number, with zeros up to the length asked for. Values
//! are random bytes from a seed.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use fastrand::Rng;
use tessera_bench::client::{Connection, Reply, write_name};

/// Commands are sent in windows of about this length in bytes: enough to keep the server busy, not so much that what it
/// takes for its input buffers shows beside the keys.
const WINDOW_LEN_BYTES: usize = 32 * 1024;

/// Commands in a window at most.
const WINDOW_COMMANDS: u64 = 500;

/// Windows sent before the replies to the first of them are read.
const WINDOWS_IN_FLIGHT: usize = 2;

/// Sets keys on a server of this machine.
#[derive(Parser)]
#[command(name = "key-loader")]
struct Options {
    /// Where the server listens, on loopback.
    #[arg(long)]
    port: u16,
    /// How many keys to set.
    #[arg(long)]
    keys: u64,
    /// The number of the first key.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Length of each key in bytes.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(16..=1024))]
    key_len_bytes: u16,
    /// Length of each value in bytes.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    value_len_bytes: u32,
    /// Keys expire after so many seconds; without it they stay.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    ttl_s: Option<u32>,
    /// Where the random values come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn load(options: &Options) -> std::io::Result<()> {
    let mut random = Rng::with_seed(options.seed ^ options.first);
    let mut connection = Connection::open(options.port)?;
    let mut key = vec![0; usize::from(options.key_len_bytes)];
    let mut value = vec![0; options.value_len_bytes as usize];
    let expiry = options.ttl_s.map(|ttl_s| ttl_s.to_string());
    let end = options.first.saturating_add(options.keys);
    let mut next = options.first;
    let mut windows = std::collections::VecDeque::with_capacity(WINDOWS_IN_FLIGHT);
    loop {
        let start = next;
        while next < end && next - start < WINDOW_COMMANDS && connection.unsent_len_bytes() < WINDOW_LEN_BYTES
        {
            write_name(b"key:", next, &mut key);
            random.fill(&mut value);
            // No digit and no sign: short values must not be stored as integers.
            value[0] |= 0x80;
            match &expiry {
                None => connection.push(&[b"SET", &key, &value]),
                Some(ttl_s) => connection.push(&[b"SET", &key, &value, b"EX", ttl_s.as_bytes()]),
            }
            next += 1;
        }
        if next > start {
            connection.send()?;
            windows.push_back(next - start);
        }
        if windows.len() == WINDOWS_IN_FLIGHT || next == end {
            let Some(replies) = windows.pop_front() else { return Ok(()) };
            for _ in 0..replies {
                match connection.next_reply()? {
                    Reply::Status => {}
                    other => return Err(std::io::Error::other(format!("reply to SET: {other:?}"))),
                }
            }
        }
    }
}

fn main() -> ExitCode {
    match load(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("key-loader: {error}");
            ExitCode::FAILURE
        }
    }
}
