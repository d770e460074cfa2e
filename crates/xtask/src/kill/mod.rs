//! `cargo xtask kill`: a server that dies while it writes a snapshot has a whole one when it starts again.

mod client;
mod server;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use client::Client;
use server::Server;
use writer::Writer;

use crate::programs;

const SHARDS: [u16; 5] = [1, 2, 3, 5, 8];
const DRIVERS: [&str; 2] = ["uring", "epoll"];

/// How to kill.
#[derive(Args)]
pub struct Options {
    /// Tessera's binary; the one of target/release, or else of target/debug, if not given.
    #[arg(long, value_name = "PATH")]
    tessera: Option<PathBuf>,
    /// How often.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// Clients that write.
    #[arg(long, default_value_t = 4)]
    writers: usize,
    /// Keys that nobody changes.
    #[arg(long, default_value_t = 100_000)]
    ballast: usize,
    /// The longest life of a server, in milliseconds.
    #[arg(long, default_value_t = 1200)]
    life_ms: u64,
    /// What is random follows from this, but for what the scheduler does.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Kills.
///
/// # Errors
/// What kept it from being done, or what was wrong.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let program = programs::tessera(options.tessera.as_deref())?;
    let directory = std::env::temp_dir().join(format!("tessera-kill-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let outcome = rounds(options, &program, &directory);
    match &outcome {
        Ok(told) => {
            println!("{told}");
            std::fs::remove_dir_all(&directory)?;
        }
        Err(_) => println!("what was left is in {}", directory.display()),
    }
    outcome.map(|_| ExitCode::SUCCESS)
}

fn rounds(options: &Options, program: &Path, directory: &Path) -> io::Result<String> {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut writers: Vec<Writer> =
        (0..options.writers).map(|number| Writer::new(number, random.u64(..))).collect();
    // What each writer's counter must have reached.
    let mut floors = vec![0; options.writers];
    let (mut saved, mut killed_while_saving) = (0, 0);
    for round in 0..options.rounds {
        let shards = SHARDS[random.usize(..SHARDS.len())];
        let driver = DRIVERS[random.usize(..DRIVERS.len())];
        let settings =
            ["--shards".to_owned(), shards.to_string(), "--io-driver".to_owned(), driver.to_owned()];
        let told = |error: io::Error| {
            io::Error::other(format!(
                "seed {}, round {round}, {shards} shards, {driver}: {error}",
                options.seed
            ))
        };
        let mut server = Server::start(program, directory, &settings).map_err(told)?;
        let mut client = Client::open(server.address)?;
        if round == 0 {
            fill(&mut client, options.ballast)?;
            writers.iter_mut().try_for_each(|writer| writer.create(&mut client))?;
            // There is something to come back to from the first kill on.
            begin_save(&mut client)?;
            wait_until_saved(&mut client)?;
        } else {
            check_ballast(&mut client, options.ballast).map_err(told)?;
            for (writer, floor) in writers.iter_mut().zip(&floors) {
                writer.recover(&mut client, *floor).map_err(told)?;
            }
        }
        let life = Duration::from_millis(random.u64(1..options.life_ms.max(2)));
        let outcome = live(&mut server, &mut client, &mut writers, &mut floors, life).map_err(told)?;
        saved += outcome.saved;
        killed_while_saving += u64::from(outcome.was_saving);
    }
    Ok(format!(
        "{} kills, {killed_while_saving} of them while a snapshot was written, {saved} snapshots finished: a whole one \
            every time",
        options.rounds
    ))
}

/// How one server's life went.
struct Life {
    saved: u64,
    was_saving: bool,
}

/// Lets the writers write and snapshots be made, one after the other, until the server is killed.
fn live(
    server: &mut Server,
    client: &mut Client,
    writers: &mut [Writer],
    floors: &mut [i64],
    life: Duration,
) -> io::Result<Life> {
    let is_over = AtomicBool::new(false);
    let counters: Vec<AtomicI64> = writers.iter().map(|writer| AtomicI64::new(writer.reached())).collect();
    let address = server.address;
    let until = Instant::now() + life;
    let mut lived = Life { saved: 0, was_saving: false };
    let mut outcomes = Vec::new();
    let managed = std::thread::scope(|scope| {
        let threads: Vec<_> = writers
            .iter_mut()
            .zip(&counters)
            .map(|(writer, counter)| {
                let is_over = &is_over;
                scope.spawn(move || -> io::Result<()> {
                    let mut client = Client::open(address)?;
                    loop {
                        match writer.write(&mut client) {
                            Ok(()) => counter.store(writer.reached(), Ordering::Relaxed),
                            Err(_) if is_over.load(Ordering::Relaxed) => return Ok(()),
                            Err(error) => return Err(error),
                        }
                    }
                })
            })
            .collect();
        let managed = manage(client, &counters, floors, until, &mut lived);
        is_over.store(true, Ordering::Relaxed);
        let killed = server.kill();
        outcomes.extend(
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a writer panicked")))),
        );
        managed.and(killed)
    });
    managed?;
    outcomes.into_iter().collect::<io::Result<()>>()?;
    Ok(lived)
}

/// Begins one snapshot after the other until the time is over, and remembers what the finished ones must hold.
fn manage(
    client: &mut Client,
    counters: &[AtomicI64],
    floors: &mut [i64],
    until: Instant,
    lived: &mut Life,
) -> io::Result<()> {
    let mut begun: Option<Vec<i64>> = None;
    while Instant::now() < until {
        match &begun {
            None => {
                let reached = counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect();
                begin_save(client)?;
                begun = Some(reached);
            }
            Some(reached) if !is_saving(client)? => {
                floors.copy_from_slice(reached);
                lived.saved += 1;
                begun = None;
            }
            Some(_) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    lived.was_saving = begun.is_some();
    Ok(())
}

fn begin_save(client: &mut Client) -> io::Result<()> {
    match client.call(&["BGSAVE"])? {
        client::Reply::Simple(_) => Ok(()),
        other => Err(io::Error::other(format!("BGSAVE: {other:?}"))),
    }
}

fn is_saving(client: &mut Client) -> io::Result<bool> {
    let client::Reply::Bulk(Some(info)) = client.call(&["INFO", "persistence"])? else {
        return Err(io::Error::other("no INFO"));
    };
    let info = String::from_utf8_lossy(&info);
    if !info.contains("rdb_last_bgsave_status:ok") {
        return Err(io::Error::other("a snapshot failed"));
    }
    Ok(info.contains("rdb_bgsave_in_progress:1"))
}

fn wait_until_saved(client: &mut Client) -> io::Result<()> {
    while is_saving(client)? {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Keys of all types that nobody changes.
fn fill(client: &mut Client, ballast: usize) -> io::Result<()> {
    const AT_ONCE: usize = 500;
    for first in (0..ballast).step_by(AT_ONCE) {
        let numbers = first..(first + AT_ONCE).min(ballast);
        for number in numbers.clone() {
            let (key, text) = (format!("ballast:{number}"), number.to_string());
            match number % 5 {
                0 => client.send(&["SADD", &key, &text, "member"])?,
                1 => client.send(&["RPUSH", &key, &text, "element"])?,
                2 => client.send(&["HSET", &key, "field", &text])?,
                3 => client.send(&["ZADD", &key, &text, "member"])?,
                _ => client.send(&["SET", &key, &text.repeat(20)])?,
            }
        }
        for _ in numbers {
            if let client::Reply::Error(error) = client.receive()? {
                return Err(io::Error::other(error));
            }
        }
    }
    Ok(())
}

/// All of the ballast is there, as far as counting and some looks tell.
fn check_ballast(client: &mut Client, ballast: usize) -> io::Result<()> {
    for number in (0..ballast).step_by(97) {
        let (key, text) = (format!("ballast:{number}"), number.to_string());
        let (reply, expected) = match number % 5 {
            0 => (client.call(&["SISMEMBER", &key, &text])?, client::Reply::Integer(1)),
            1 => (client.call(&["LINDEX", &key, "0"])?, client::Reply::Bulk(Some(text.into_bytes()))),
            2 => (client.call(&["HGET", &key, "field"])?, client::Reply::Bulk(Some(text.into_bytes()))),
            3 => (client.call(&["ZSCORE", &key, "member"])?, client::Reply::Bulk(Some(text.into_bytes()))),
            _ => (client.call(&["GET", &key])?, client::Reply::Bulk(Some(text.repeat(20).into_bytes()))),
        };
        if reply != expected {
            return Err(io::Error::other(format!("{key}: {reply:?} instead of {expected:?}")));
        }
    }
    let mut seen = 0;
    let mut cursor = "0".to_owned();
    loop {
        let client::Reply::Array(page) =
            client.call(&["SCAN", &cursor, "MATCH", "ballast:*", "COUNT", "5000"])?
        else {
            return Err(io::Error::other("no SCAN"));
        };
        let (Some(client::Reply::Bulk(Some(next))), Some(client::Reply::Array(keys))) =
            (page.first(), page.get(1))
        else {
            return Err(io::Error::other("a strange SCAN"));
        };
        seen += keys.len();
        cursor = String::from_utf8_lossy(next).into_owned();
        if cursor == "0" {
            break;
        }
    }
    // Nothing writes yet, so nothing is told twice.
    if seen != ballast {
        return Err(io::Error::other(format!("{seen} keys of ballast instead of {ballast}")));
    }
    Ok(())
}
