//! Developer commands.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "what these commands find is for people to read")]

mod consistency;
mod differential;
mod golden;
mod guide;
mod kill;
mod layout;
mod links;
mod mutations;
mod pages;
mod programs;
mod rdb_exchange;
mod tools;
mod torture;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of Tessera.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Record and replay golden transcripts.
    #[command(subcommand)]
    Golden(golden::Command),
    /// Compare the replies to random commands with those of redis-server.
    Differential(differential::Options),
    /// Run redis-cli, redis-benchmark and memtier_benchmark against Tessera.
    Tools(tools::Options),
    /// Check that no command is lost or answered twice while clients of all kinds come and go.
    Torture(torture::Options),
    /// Check that what clients are told of commands and transactions is what one order leads to, in which nobody comes
    /// before those who had ended.
    Consistency(consistency::Options),
    /// Kill a server again and again while it writes snapshots, and check what it loads afterwards.
    Kill(kill::Options),
    /// Have a server of Redis's behaviour load a file that Tessera's writer made, and read the one that it saves.
    RdbExchange(rdb_exchange::Options),
    /// Check that the crates depend on each other in the order of the design, that none knows what it must not, and
    /// that nothing is too long to be read.
    CheckLayout,
    /// Check that the files which the documentation names exist.
    CheckLinks,
    /// Follow docs/adding-a-command.md to the letter in a copy, and check that the example builds and is what it says.
    CheckGuide,
    /// Take out whoever listens to the seam of change, one after the other, and check that a test notices each.
    Mutations(mutations::Options),
    /// Write the generated pages of docs/.
    Docs {
        /// Write nothing; fail if a page is not what would be written.
        #[arg(long)]
        check: bool,
    },
}

/// The top of the repository.
fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()
}

/// Prints what is wrong, if anything is.
fn report(violations: &[String]) -> ExitCode {
    violations.iter().for_each(|violation| eprintln!("{violation}"));
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(command: Command) -> io::Result<ExitCode> {
    match command {
        Command::Golden(command) => golden::run(command),
        Command::Differential(options) => differential::run(&options),
        Command::Tools(options) => tools::run(&options),
        Command::Torture(options) => torture::run(&options),
        Command::Consistency(options) => consistency::run(&options),
        Command::Kill(options) => kill::run(&options),
        Command::RdbExchange(options) => rdb_exchange::run(&options),
        Command::CheckLayout => Ok(report(&layout::check(&root()?)?)),
        Command::CheckLinks => Ok(report(&links::check(&root()?)?)),
        Command::CheckGuide => Ok(report(&guide::check(&root()?)?)),
        Command::Mutations(options) => mutations::run(&root()?, &options),
        Command::Docs { check: true } => Ok(report(&pages::check(&root()?)?)),
        Command::Docs { check: false } => pages::write(&root()?).map(|()| ExitCode::SUCCESS),
    }
}

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
