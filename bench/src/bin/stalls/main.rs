//! How long single commands take inside one shard while much is going on: `stalls --keys 10000000`.
//!
//! No network and no other thread: one [`tessera_keyspace::Shard`], driven in turns as the node drives it. Keys arrive,
//! half of them expire at once, half are unlinked, a database is flushed; meanwhile every single command is measured,
//! and every slice of housekeeping between them.
#![forbid(unsafe_code)]

mod clocks;
mod house;
mod record;

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use tessera_drivers::memory::{self, Allocator};
use tessera_keyspace::Expire;

use house::{EXPIRE_SLICE, House, RECLAIM_SLICE, VALUE_MAX_LEN_BYTES};
use record::{HEADINGS, Record, Row, table, us};

// As in the server.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// When the keys expire that do, in milliseconds from the start: longer than any run.
const TTL_MS: i64 = 24 * 3600 * 1000;
/// Expiry of half of the keys must come to an end within this.
const EXPIRY_TIMEOUT: Duration = Duration::from_secs(600);

const ARRIVE: &str = "arrive";
const QUIET: &str = "quiet";
const QUIET_BEFORE_FLUSH: &str = "quiet, before flush";
const EXPIRE: &str = "expire";
const UNLINK: &str = "unlink";
const FLUSH: &str = "flush";

/// Longest command for the table alone, in nanoseconds (figure 6).
const COMMAND_MAX_NS: u64 = 200_000;
/// Longest stall of any kind, in nanoseconds.
const STALL_MAX_NS: u64 = 1_000_000;
/// p99.9 beside the work, over p99.9 of the quiet phase.
const P999_RATIO_MAX: f64 = 2.0;

/// Measures commands inside one shard, one by one, while keys arrive, expire, are unlinked and flushed.
#[derive(Parser)]
#[command(name = "stalls")]
struct Options {
    /// How many keys arrive.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000_000))]
    keys: u64,
    /// Length of each value in bytes.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=VALUE_MAX_LEN_BYTES as i64))]
    value_len_bytes: u16,
    /// Commands of one turn of the loop; housekeeping comes between the turns.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    commands_per_turn: u64,
    /// Where everything random comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the tables as Markdown.
    #[arg(long)]
    markdown: bool,
    /// Exit with 1 if a target was missed.
    #[arg(long)]
    check: bool,
}

/// The run: the phases one after the other.
struct Run {
    house: House,
    keys: u64,
    commands_per_turn: u64,
    at_turn: u64,
}

impl Run {
    fn new(options: &Options) -> Run {
        Run {
            house: House::new(options.seed, usize::from(options.value_len_bytes)),
            keys: options.keys,
            commands_per_turn: options.commands_per_turn,
            at_turn: 0,
        }
    }

    /// After every command: ends the turn when it is time.
    fn step(&mut self) {
        self.at_turn += 1;
        if self.at_turn == self.commands_per_turn {
            self.at_turn = 0;
            self.house.end_turn();
        }
    }

    /// One GET or SET of a key that stays: the odd numbers of `db`.
    fn usual_command(&mut self, db: u16) {
        let number = self.house.random.u64(..self.keys / 2) * 2 + 1;
        if self.house.random.bool() {
            self.house.get(db, number);
        } else {
            self.house.set(db, number, Expire::Clear);
        }
        self.step();
    }

    fn quiet_commands(&self) -> u64 {
        (self.keys / 5).max(100_000)
    }

    /// New keys, and one GET for every three of them. Even numbers expire, all at once.
    fn arrive(&mut self) {
        let expire = Expire::AtMs(self.house.now_ms() + TTL_MS);
        let mut decade = 1000;
        for number in 0..self.keys {
            if number == 0 || number == decade {
                decade = if number == 0 { decade } else { decade * 10 };
                self.house.record.begin(&format!("{ARRIVE} to {}", decade.min(self.keys)));
            }
            self.house.set(0, number, if number % 2 == 0 { expire } else { Expire::Clear });
            self.step();
            if number % 3 == 0 {
                let there = self.house.random.u64(..=number);
                self.house.get(0, there);
                self.step();
            }
        }
    }

    fn quiet(&mut self, phase: &str, db: u16) {
        self.house.record.begin(phase);
        for _ in 0..self.quiet_commands() {
            self.usual_command(db);
        }
    }

    /// The even keys expire. Nobody asks for them: only the active cycle removes them.
    fn expire(&mut self) -> Result<(), String> {
        self.house.record.begin(EXPIRE);
        self.house.jump_ms(TTL_MS + 1);
        self.house.end_turn();
        let before = Instant::now();
        while self.house.expired() < self.keys.div_ceil(2) {
            self.usual_command(0);
            if before.elapsed() > EXPIRY_TIMEOUT {
                return Err(format!("only {} keys expired in {EXPIRY_TIMEOUT:?}", self.house.expired()));
            }
        }
        Ok(())
    }

    /// The even keys, brought back, are removed in random order, with one other command for each.
    fn unlink(&mut self) {
        let mut numbers: Vec<u64> = (0..self.keys).step_by(2).collect();
        self.house.random.shuffle(&mut numbers);
        for &number in &numbers {
            self.house.bring(0, number);
        }
        self.house.record.begin(UNLINK);
        for number in numbers {
            self.house.unlink(0, number);
            self.step();
            self.usual_command(0);
        }
    }

    /// Database 0 is flushed and freed in slices while database 1, as large, is used.
    fn flush(&mut self) {
        for number in (1..self.keys).step_by(2) {
            self.house.bring(1, number);
        }
        self.quiet(QUIET_BEFORE_FLUSH, 1);
        self.house.record.begin(FLUSH);
        self.house.flush(0);
        while self.house.has_garbage() {
            self.usual_command(1);
        }
    }
}

/// One target and what was found.
struct Verdict {
    what: String,
    target: String,
    wall: String,
    cpu: String,
    lesser: String,
    /// By the lesser of the two.
    is_reached: bool,
}

impl Verdict {
    fn longest<'a>(what: &str, target_ns: u64, rows: impl Iterator<Item = &'a Row>) -> Verdict {
        let (mut wall_ns, mut cpu_ns, mut lesser_ns) = (0, 0, 0);
        for row in rows {
            wall_ns = wall_ns.max(row.wall.max());
            cpu_ns = cpu_ns.max(row.cpu.max());
            lesser_ns = lesser_ns.max(row.lesser.max());
        }
        Verdict {
            what: what.to_owned(),
            target: format!("{} us", target_ns / 1000),
            wall: us(wall_ns),
            cpu: us(cpu_ns),
            lesser: us(lesser_ns),
            is_reached: lesser_ns <= target_ns,
        }
    }

    fn p999(busy: &Row, quiet: &Row) -> Verdict {
        let ratio = |histogram: fn(&Row) -> &Histogram<u64>| {
            let [busy_ns, quiet_ns] = [busy, quiet].map(|row| histogram(row).value_at_quantile(0.999));
            busy_ns as f64 / quiet_ns.max(1) as f64
        };
        let lesser = ratio(|row| &row.lesser);
        Verdict {
            what: format!("{}: p99.9 of {} over quiet", busy.phase, busy.command),
            target: format!("{P999_RATIO_MAX} x"),
            wall: format!("{:.2}", ratio(|row| &row.wall)),
            cpu: format!("{:.2}", ratio(|row| &row.cpu)),
            lesser: format!("{lesser:.2}"),
            is_reached: lesser <= P999_RATIO_MAX,
        }
    }

    fn cells(&self) -> Vec<String> {
        let verdict = if self.is_reached { "pass" } else { "MISS" };
        let found = [&self.target, &self.wall, &self.cpu, &self.lesser].map(String::clone);
        [vec![self.what.clone(), verdict.to_owned()], found.to_vec()].concat()
    }
}

fn verdicts(record: &Record) -> Vec<Verdict> {
    let is_slice = |row: &Row| [EXPIRE_SLICE, RECLAIM_SLICE].contains(&row.command);
    let arrivals = record.rows().iter().filter(|row| row.phase.starts_with(ARRIVE) && !is_slice(row));
    let mut verdicts = vec![Verdict::longest("arrive: longest command", COMMAND_MAX_NS, arrivals)];
    for (phase, quiet) in [(EXPIRE, QUIET), (UNLINK, QUIET), (FLUSH, QUIET_BEFORE_FLUSH)] {
        let rows = || record.rows().iter().filter(|row| row.phase == phase);
        let longest = |what, rows: Vec<&Row>| {
            Verdict::longest(&format!("{phase}: longest {what}"), STALL_MAX_NS, rows.into_iter())
        };
        verdicts.push(longest("command", rows().filter(|row| !is_slice(row)).collect()));
        verdicts.push(longest("slice of housekeeping", rows().filter(|row| is_slice(row)).collect()));
        for command in ["GET", "SET"] {
            if let (Some(busy), Some(quiet)) = (record.row(phase, command), record.row(quiet, command)) {
                verdicts.push(Verdict::p999(busy, quiet));
            }
        }
    }
    verdicts
}

fn run(options: &Options) -> Result<bool, String> {
    if cfg!(debug_assertions) {
        return Err("this is a debug build; its figures mean nothing. Build with --release.".to_owned());
    }
    let mut run = Run::new(options);
    run.house.measure_clocks(run.quiet_commands());
    run.arrive();
    run.quiet(QUIET, 0);
    run.expire()?;
    run.unlink();
    run.flush();
    let record = &run.house.record;
    let verdicts = verdicts(record);
    let cells: Vec<_> = verdicts.iter().map(Verdict::cells).collect();
    let report = format!(
        "Durations in microseconds ({} keys, values of {} bytes)\n\n{}\n\n\
         Targets, judged by the lesser of both clocks\n\n{}\n",
        options.keys,
        options.value_len_bytes,
        table(&HEADINGS, &record.cells(), options.markdown),
        table(&["what", "verdict", "at most", "wall", "CPU", "lesser"], &cells, options.markdown),
    );
    // Whoever closes the pipe has read enough.
    let _ = std::io::stdout().write_all(report.as_bytes());
    Ok(verdicts.iter().all(|verdict| verdict.is_reached))
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Err(error) = memory::start_giving_back() {
        eprintln!("stalls: {error}");
        return ExitCode::FAILURE;
    }
    match run(&options) {
        Ok(is_reached) if is_reached || !options.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("stalls: {message}");
            ExitCode::FAILURE
        }
    }
}
