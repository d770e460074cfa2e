//! `tessera-sim`: plays scenarios by seed until told to stop.

#![forbid(unsafe_code)]

use clap::Parser;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tessera_sim::scenarios::Scenario;

/// Plays whole servers on a virtual network and clock, and checks what their clients see.
#[derive(Parser)]
#[command(name = "tessera-sim")]
struct Options {
    /// The first round's seed; each round adds one. By default another one each time.
    #[arg(long)]
    seed: Option<u64>,
    /// Ends after so many rounds.
    #[arg(long)]
    rounds: Option<u64>,
    /// Ends after so many seconds. Without this and `--rounds`: one round.
    #[arg(long)]
    seconds: Option<u64>,
    /// Numbers of shards; every round plays with each of them.
    #[arg(long, value_delimiter = ',', default_value = "1,2,3,5,8")]
    shards: Vec<usize>,
    /// Scenarios, by name: equal, crowd, storm, flood, monitors, memory, queues, snapshots, streams, directory, races,
    /// effects, consistency. All by default.
    #[arg(long, value_delimiter = ',', value_parser = scenario)]
    only: Vec<Scenario>,
}

fn scenario(name: &str) -> Result<Scenario, String> {
    Scenario::ALL
        .into_iter()
        .find(|scenario| scenario.name() == name)
        .ok_or_else(|| "no such scenario".to_owned())
}

/// A failure ends the program, in a build that does not unwind at once: before that it says how to see it again.
fn tell_when_it_fails(seed: u64, shards: usize, scenario: &'static str) {
    // The one before has told all that there is to tell.
    drop(std::panic::take_hook());
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |why| {
        tell(why);
        eprintln!(
            "failed; to see it again:\n  cargo run -p tessera-sim -- --seed {seed} --rounds 1 --shards {shards} --only \
             {scenario}"
        );
    }));
}

#[expect(clippy::print_stdout, reason = "a command line tool")]
fn main() -> ExitCode {
    let options = Options::parse();
    let first = options.seed.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
    });
    println!("seed {first}");
    let rounds = options.rounds.unwrap_or(if options.seconds.is_some() { u64::MAX } else { 1 });
    let end = options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let scenarios = if options.only.is_empty() { Scenario::ALL.to_vec() } else { options.only };
    let (mut played, mut direct_whole, mut direct_short) = (0u64, 0, 0);
    'rounds: for round in 0..rounds {
        let seed = first.wrapping_add(round);
        for scenario in &scenarios {
            for shards in &options.shards {
                if end.is_some_and(|end| Instant::now() >= end) {
                    break 'rounds;
                }
                tell_when_it_fails(seed, *shards, scenario.name());
                let sights = scenario.run(*shards, seed);
                direct_whole += sights.direct_whole;
                direct_short += sights.direct_short;
                played += 1;
            }
        }
    }
    println!(
        "{played} scenarios played; direct replies: {direct_whole} whole, {direct_short} in part or not at all"
    );
    ExitCode::SUCCESS
}
