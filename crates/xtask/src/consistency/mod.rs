//! `cargo xtask consistency`: what clients of a running server are told, while connections are closed at any moment, is
//! what one order of their transactions leads to, see [`tessera_consistency`]; and nothing that waits in queues is lost
//! or given out twice; and what is moved is always somewhere, once.

mod moves;
mod player;
mod queues;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use player::{Player, Told};
use tessera_consistency::work::{Shape, Workload};
use tessera_consistency::{History, Transaction};
use tessera_golden::{Endpoint, Server};

use crate::programs;

/// Jobs of each client in a round: a history is looked at as a whole.
const JOBS_PER_ROUND: usize = 60;

/// How long what was left under way may take: longer than anybody waits for a list.
const SETTLE: Duration = Duration::from_millis(100);

/// How to look.
#[derive(Args)]
pub struct Options {
    /// Tessera's binary; the one of target/release, or else of target/debug, if not given.
    #[arg(long, value_name = "PATH")]
    tessera: Option<PathBuf>,
    /// Another server's binary instead, which takes redis-server's options: to see what this finds there.
    #[arg(long, value_name = "PATH", conflicts_with = "tessera")]
    other: Option<PathBuf>,
    /// For how long.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Number of shards.
    #[arg(long, default_value_t = 3)]
    shards: u16,
    /// The network driver: auto, uring or epoll.
    #[arg(long, default_value = "auto")]
    driver: String,
    /// Clients at a time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// What is random follows from this, but for what the scheduler does.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What all rounds came to.
#[derive(Default)]
struct Figures {
    rounds: u32,
    transactions: usize,
    refused: usize,
    unanswered: usize,
    dependencies: usize,
    longest: Duration,
    popped: usize,
    moves: moves::Figures,
}

/// Looks.
///
/// # Errors
/// What kept it from being done. What is found is printed and told by the exit code.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let settings: &[(&str, String)] = match options.other {
        Some(_) => &[],
        None => &[("shards", options.shards.to_string()), ("io-driver", options.driver.clone())],
    };
    let program = match &options.other {
        Some(program) => program.clone(),
        None => programs::tessera(options.tessera.as_deref())?,
    };
    let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut server = Server::start(&program, &settings)?;
    let Endpoint::Tcp(address) = server.endpoint() else { return Err(io::Error::other("no address")) };
    let ends_at = Instant::now() + Duration::from_secs(options.seconds);
    let mut figures = Figures::default();
    let mut found = Ok(());
    while Instant::now() < ends_at && found.is_ok() {
        let seed = options.seed.wrapping_mul(1 << 20).wrapping_add(u64::from(figures.rounds));
        found = play_round(address, options.connections, seed, &mut figures);
        if found.is_ok() {
            found =
                queues::play_round(address, options.connections, figures.rounds, seed, &mut figures.popped);
        }
        if found.is_ok() {
            let moves = &mut figures.moves;
            found = moves::play_round(address, options.connections, figures.rounds, seed, moves);
        }
        figures.rounds += 1;
    }
    let server_told = match &options.other {
        Some(program) => program.display().to_string(),
        None => format!("{} shards, {}", options.shards, options.driver),
    };
    println!(
        "{server_told}: {} rounds, {} transactions, {} of them refused because of others and {} not answered, {} \
         dependencies; the longest took {:.1} ms; {} elements popped from queues; {} readings of all that moves, {} \
         increments under WATCH and {} in vain",
        figures.rounds,
        figures.transactions,
        figures.refused,
        figures.unanswered,
        figures.dependencies,
        figures.longest.as_secs_f64() * 1000.0,
        figures.popped,
        figures.moves.readings,
        figures.moves.increments,
        figures.moves.in_vain,
    );
    if let Some(end) = server.ended()? {
        println!("the server ended: {end}");
        return Ok(ExitCode::FAILURE);
    }
    match found {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(why) => {
            println!("round {}, seed {}: {why}", figures.rounds, options.seed);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// All clients at once, then everything is read, and the history looked at.
fn play_round(address: SocketAddr, clients: usize, seed: u64, figures: &mut Figures) -> Result<(), String> {
    let shape = Shape { lists: 4, texts: 4, registers: 4, round: figures.rounds, jobs_per_kill: 300 };
    let work = Mutex::new(Workload::new(shape, seed));
    let began = Instant::now();
    let told = all_at_once((0..clients).map(|number| {
        let work = &work;
        move || Player::new(address, number, seed, began)?.play(work, JOBS_PER_ROUND)
    }))?;
    let mut history = History::default();
    for Told { transactions, longest } in told {
        history.transactions.extend(transactions);
        figures.longest = figures.longest.max(longest);
    }
    let read_all = work.into_inner().map_err(|_| "the workload is gone".to_owned())?.read_all();
    // Who left may have asked for all other connections to be closed.
    std::thread::sleep(SETTLE);
    let mut last = Player::new(address, clients, seed, began)?;
    let read = match last.ask(&read_all) {
        Ok(read) => read,
        // Its own connection may have been among those.
        Err(_) => {
            last = Player::new(address, clients, seed, began)?;
            last.ask(&read_all)?
        }
    };
    history.transactions.extend(read);
    figures.count(&history.transactions);
    figures.dependencies += history.check()?;
    // Rounds leave their keys behind, and there are many of them.
    last.say_and_hear(&vec![b"FLUSHDB".to_vec()]).map_err(|error| error.to_string())?;
    Ok(())
}

impl Figures {
    fn count(&mut self, transactions: &[Transaction]) {
        self.transactions += transactions.len();
        let by = |kind: fn(&Transaction) -> bool| transactions.iter().filter(|one| kind(one)).count();
        self.refused += by(|transaction| transaction.is_refused);
        self.unanswered += by(|transaction| transaction.ended.is_none());
    }
}

/// Has clients do what they do at the same time, each in a thread of its own.
///
/// # Errors
/// The first that one of them met.
fn all_at_once<T: Send>(
    clients: impl Iterator<Item = impl FnOnce() -> Result<T, String> + Send>,
) -> Result<Vec<T>, String> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = clients.map(|client| scope.spawn(client)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|done| done.unwrap_or_else(|_| Err("a client's thread has panicked".to_owned()))).collect()
    })
}

/// How often each element is there.
fn counted(elements: impl IntoIterator<Item = u64>) -> BTreeMap<u64, usize> {
    let mut counted = BTreeMap::new();
    elements.into_iter().for_each(|element| *counted.entry(element).or_default() += 1);
    counted
}
