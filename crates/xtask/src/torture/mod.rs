//! `cargo xtask torture`: no command is lost or answered twice while clients of all kinds come and go.

mod nuisance;
mod worker;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use fastrand::Rng;
use tessera_golden::{Endpoint, Server};
use worker::Worker;

use crate::programs;

/// Threads that share the clients.
const THREADS: u64 = 4;
/// After the end, memory must have come back to this much above what it was, in MiB: allocators keep some.
const KEPT_MAX_MIB: u64 = 128;
/// How long it may take for that.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);

/// How to torture.
#[derive(Args)]
pub struct Options {
    /// Tessera's binary; the one of target/release, or else of target/debug, if not given.
    #[arg(long, value_name = "PATH")]
    tessera: Option<PathBuf>,
    /// For how long.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Number of shards.
    #[arg(long, default_value_t = 8)]
    shards: u16,
    /// The network driver: auto, uring or epoll.
    #[arg(long, default_value = "auto")]
    driver: String,
    /// Clients that check every reply.
    #[arg(long, default_value_t = 200)]
    connections: u64,
    /// Connections that are opened and closed again and again, all at once.
    #[arg(long, default_value_t = 5000)]
    crowd: usize,
    /// What is random follows from this, but for what the scheduler does.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What all threads know.
struct Shared {
    address: SocketAddr,
    ends_at: Instant,
    failed: AtomicBool,
    failures: Mutex<Vec<String>>,
    checked: AtomicU64,
    lives: AtomicU64,
    visits: AtomicU64,
    crowds: AtomicU64,
}

impl Shared {
    fn goes_on(&self) -> bool {
        Instant::now() < self.ends_at && !self.failed.load(Ordering::Relaxed)
    }

    fn note(&self, who: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.failed.store(true, Ordering::Relaxed);
            if let Ok(mut failures) = self.failures.lock() {
                failures.push(format!("{who}: {error}"));
            }
        }
    }
}

/// Tortures.
///
/// # Errors
/// What kept it from being done. Failures are printed and told by the exit code.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let program = programs::tessera(options.tessera.as_deref())?;
    // All of them at once, and some that come and go.
    let clients_max = options.connections + options.crowd as u64 + 1000;
    let settings = [
        ("shards", options.shards.to_string()),
        ("io-driver", options.driver.clone()),
        ("maxclients", clients_max.to_string()),
        // Some read nothing, and memory is to stay bounded.
        ("client-output-buffer-pause", "64mb".to_owned()),
    ];
    let mut server = Server::start(&program, &settings.map(|(name, value)| (name.to_owned(), value)))?;
    let Endpoint::Tcp(address) = server.endpoint() else { return Err(io::Error::other("no address")) };
    nuisance::prepare(address)?;
    let before_mib = resident_mib(&server)?;
    let shared = Shared {
        address,
        ends_at: Instant::now() + Duration::from_secs(options.seconds),
        failed: AtomicBool::new(false),
        failures: Mutex::new(Vec::new()),
        checked: AtomicU64::new(0),
        lives: AtomicU64::new(0),
        visits: AtomicU64::new(0),
        crowds: AtomicU64::new(0),
    };
    let mut peak_mib = before_mib;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let count = options.connections / THREADS + u64::from(thread < options.connections % THREADS);
            let seed = options.seed.wrapping_mul(THREADS).wrapping_add(thread);
            let shared = &shared;
            scope.spawn(move || shared.note("checking client", work(shared, thread, count, seed)));
        }
        scope.spawn(|| shared.note("nuisance", annoy(&shared, options.seed)));
        scope.spawn(|| shared.note("crowd", gather(&shared, options.crowd)));
        while shared.goes_on() {
            std::thread::sleep(Duration::from_millis(200));
            peak_mib = peak_mib.max(resident_mib(&server).unwrap_or(0));
        }
    });
    let failures = shared.failures.into_inner().unwrap_or_default();
    let after_mib = settled_mib(&server, before_mib + KEPT_MAX_MIB)?;
    println!(
        "{} shards, {}: {} replies right, {} checking clients came and went, {} nuisances, {} crowds of {}; \
         resident {before_mib} MiB before, {peak_mib} at most, {after_mib} after",
        options.shards,
        options.driver,
        shared.checked.into_inner(),
        shared.lives.into_inner(),
        shared.visits.into_inner(),
        shared.crowds.into_inner(),
        options.crowd,
    );
    let mut is_ok = failures.is_empty();
    failures.iter().for_each(|failure| println!("{failure}"));
    if after_mib > before_mib + KEPT_MAX_MIB {
        println!("memory does not come back");
        is_ok = false;
    }
    if let Some(end) = server.ended()? {
        println!("the server ended: {end}");
        is_ok = false;
    }
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Some of the checking clients.
fn work(shared: &Shared, thread: u64, count: u64, seed: u64) -> io::Result<()> {
    let mut random = Rng::with_seed(seed);
    let mut born = 0;
    let mut new_worker = || {
        born += 1;
        Worker::new(shared.address, format!("{thread}-{born}"), random.u64(..))
    };
    let mut workers = (0..count).map(|_| new_worker()).collect::<io::Result<Vec<_>>>()?;
    while shared.goes_on() {
        // All pipelines are under way before any reply is read.
        for worker in &mut workers {
            worker.send()?;
        }
        for worker in &mut workers {
            worker.receive()?;
            shared.checked.fetch_add(std::mem::take(&mut worker.checked), Ordering::Relaxed);
            if worker.has_enough() {
                shared.lives.fetch_add(1, Ordering::Relaxed);
                let old = std::mem::replace(worker, new_worker()?);
                shared.checked.fetch_add(old.leave()?, Ordering::Relaxed);
            }
        }
    }
    for worker in workers {
        shared.checked.fetch_add(worker.leave()?, Ordering::Relaxed);
    }
    Ok(())
}

fn annoy(shared: &Shared, seed: u64) -> io::Result<()> {
    let mut random = Rng::with_seed(seed ^ 0x6e75_6973);
    let mut kept: Vec<TcpStream> = Vec::new();
    while shared.goes_on() {
        nuisance::visit(shared.address, &mut random, &mut kept)?;
        shared.visits.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn gather(shared: &Shared, count: usize) -> io::Result<()> {
    while shared.goes_on() && count > 0 {
        nuisance::crowd(shared.address, count)?;
        shared.crowds.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_secs(2));
    }
    Ok(())
}

/// Resident memory of the server.
fn resident_mib(server: &Server) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kib.unwrap_or(0) / 1024)
}

/// Resident memory once it is no more than `most_mib`, or has had the time to become so.
fn settled_mib(server: &Server, most_mib: u64) -> io::Result<u64> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let now_mib = resident_mib(server)?;
        if now_mib <= most_mib || Instant::now() > deadline {
            return Ok(now_mib);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
