//! Developer commands.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "what these commands find is for people to read")]

mod differential;
mod golden;
mod programs;
mod torture;

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
    /// Check that no command is lost or answered twice while clients of all kinds come and go.
    Torture(torture::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Golden(command) => golden::run(command),
        Command::Differential(options) => differential::run(&options),
        Command::Torture(options) => torture::run(&options),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
