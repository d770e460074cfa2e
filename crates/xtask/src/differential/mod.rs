//! `cargo xtask differential`: random commands to Tessera and to a server of Redis's behaviour, replies equal to the
//! byte but for what [`equality`] and [`known`] name.
//!
//! Several connections take turns: one sends a pipeline to both servers and reads all replies before another sends,
//! so that the order of what happens to the data is known.

mod accounts;
mod chance;
mod comparison;
pub mod connection;
mod engine;
mod equality;
mod generate;
mod in_process;
mod known;
mod shown;
mod steps;
mod templates;
mod transactions;
mod words;

use clap::{Args, ValueEnum};
use comparison::Comparison;
use generate::Generator;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use steps::Steps;
use tessera_golden::{Endpoint, Server};

use crate::programs;

/// How long strings may become in both servers: a few commands would make them as long as that.
const STRING_MAX_LEN_BYTES: u64 = 1024 * 1024;
/// The families of commands that need no connection.
const ENGINE_FAMILIES: &[&str] = &[
    "strings",
    "bitmaps",
    "keys",
    "lists",
    "hashes",
    "sets",
    "sorted_sets",
    "hyperloglogs",
    "geo",
    "sorting",
];
/// Those that need one.
const SERVER_FAMILIES: &[&str] = &["big", "session"];

/// A driver of Tessera's network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    /// io_uring.
    Uring,
    /// epoll.
    Epoll,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Driver::Uring => "uring",
            Driver::Epoll => "epoll",
        })
    }
}

/// What to compare.
#[derive(Args)]
pub struct Options {
    /// Tessera's binary; the one of target/release, or else of target/debug, if not given.
    #[arg(long, value_name = "PATH")]
    tessera: Option<PathBuf>,
    /// The binary of the server to compare with.
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    redis: PathBuf,
    /// What the random commands follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Commands to compare for each number of shards and each driver.
    #[arg(long, default_value_t = 100_000)]
    count: u64,
    /// Numbers of shards.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 5])]
    shards: Vec<u16>,
    /// Drivers.
    #[arg(long, value_delimiter = ',', default_values_t = [Driver::Uring, Driver::Epoll])]
    drivers: Vec<Driver>,
    /// Versions of the protocol that clients speak and switch between.
    #[arg(long, value_delimiter = ',', default_values_t = [2, 3], value_parser = clap::value_parser!(u8).range(2..=3))]
    protocols: Vec<u8>,
    /// The longest pipeline, in commands.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pipeline: u32,
    /// How many connections take turns.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// How many commands before a difference are shown.
    #[arg(long, default_value_t = 20)]
    before: usize,
    /// Compare the commands without server, shards and drivers, and what replaying their effects leads to.
    #[arg(long)]
    in_process: bool,
    /// A parameter of the configuration that both sides have otherwise than by default:
    /// `--set hll-sparse-max-bytes=100`. With `--in-process` only thresholds of collections.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// The families of commands; all that can be compared in this way if not given.
    #[arg(long, value_delimiter = ',')]
    families: Vec<String>,
}

impl Options {
    fn families(&self) -> Vec<&str> {
        if !self.families.is_empty() {
            return self.families.iter().map(String::as_str).collect();
        }
        let others = if self.in_process { &[] } else { SERVER_FAMILIES };
        [ENGINE_FAMILIES, others].concat()
    }
}

/// Compares.
///
/// # Errors
/// What kept it from being done. A difference is printed and told by the exit code.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let mut redis_options = [("save", ""), ("appendonly", "no")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    redis_options.extend(options.parameters.iter().cloned());
    if options.in_process {
        let redis = Server::start(&options.redis, &redis_options)?;
        let is_equal = in_process::run(
            address(&redis)?,
            options.seed,
            options.count,
            &options.families(),
            &options.parameters,
        )?;
        return Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let tessera = programs::tessera(options.tessera.as_deref())?;
    for shards in &options.shards {
        for driver in &options.drivers {
            let redis = Server::start(&options.redis, &redis_options)?;
            if !compare(options, &tessera, address(&redis)?, *shards, *driver)? {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One comparison; false if something differs, which is printed.
fn compare(
    options: &Options,
    tessera: &Path,
    redis: SocketAddr,
    shards: u16,
    driver: Driver,
) -> io::Result<bool> {
    let tessera_options = [("shards", shards.to_string()), ("io-driver", driver.to_string())];
    let mut tessera_options = tessera_options.map(|(name, value)| (name.to_owned(), value)).to_vec();
    tessera_options.extend(options.parameters.iter().cloned());
    let server = Server::start(tessera, &tessera_options)?;
    let generator = Generator::new(options.seed, &options.families(), now_ms());
    let steps = Steps::new(generator, options.pipeline, options.protocols.clone());
    let started = Instant::now();
    let mut comparison =
        Comparison::new([redis, address(&server)?], options.connections, options.before, steps)?;
    let equal = comparison.run(options.count)?;
    let protocols: Vec<String> = options.protocols.iter().map(u8::to_string).collect();
    println!(
        "seed {}, {shards} shards, {driver}, protocols {}: {} commands compared in {:.0} s, {}; {}",
        options.seed,
        protocols.join(","),
        comparison.compared(),
        started.elapsed().as_secs_f64(),
        if equal { "no difference" } else { "DIFFERENT" },
        comparison.known_seen(),
    );
    if !equal {
        println!(
            "again: cargo xtask differential --tessera {} --redis {} --seed {} --count {} --shards {shards} \
             --drivers {driver} --protocols {} --pipeline {} --connections {}",
            tessera.display(),
            options.redis.display(),
            options.seed,
            options.count,
            protocols.join(","),
            options.pipeline,
            options.connections,
        );
    }
    Ok(equal)
}

fn address(server: &Server) -> io::Result<SocketAddr> {
    match server.endpoint() {
        Endpoint::Tcp(address) => Ok(address),
        Endpoint::Unix(_) => Err(io::Error::other("a server without an address")),
    }
}

/// A name and a value.
fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is missing its =")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Unix milliseconds.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
