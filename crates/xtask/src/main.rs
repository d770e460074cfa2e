//! Developer commands.

mod golden;

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
}

fn main() -> ExitCode {
    let Command::Golden(command) = Cli::parse().command;
    golden::run(command).unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
