//! `tessera-check`: says whether a snapshot or an RDB file is whole, and what is in it.
//!
//! It reads and changes nothing. Exit status: 0 if all is well, 1 if something is damaged, 2 if it could not be looked at.
#![forbid(unsafe_code)]

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

mod file;
mod report;
mod set;
mod survey;

/// Say whether a snapshot or an RDB file is whole, and what is in it
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A data directory, a manifest in it, or an RDB file
    path: PathBuf,

    /// How many of the largest keys to show
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    largest: usize,
}

/// Why there is nothing good to say.
#[derive(Debug)]
enum Trouble {
    /// What was found is not what it should be.
    Damaged(String),
    /// It could not be looked at.
    Unreadable(String),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let mut out = String::new();
    let outcome = check(&arguments, now_ms, &mut out);
    show(&out);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Trouble::Damaged(problem)) => {
            complain(&format!("DAMAGED: {problem}"));
            ExitCode::from(1)
        }
        Err(Trouble::Unreadable(problem)) => {
            complain(&format!("cannot check: {problem}"));
            ExitCode::from(2)
        }
    }
}

fn check(arguments: &Arguments, now_ms: i64, out: &mut String) -> Result<(), Trouble> {
    let path = &arguments.path;
    let kind = std::fs::metadata(path)
        .map_err(|error| Trouble::Unreadable(format!("{}: {error}", path.display())))?;
    if kind.is_dir() {
        return set::check_directory(path, now_ms, arguments.largest, out);
    }
    if path.extension().is_some_and(|extension| extension == "manifest") {
        return set::check_manifest(path, now_ms, arguments.largest, out);
    }
    let mut survey = survey::Survey::new(now_ms, arguments.largest);
    let facts = file::read(path, &mut survey, &mut |_| Ok(()))?;
    report::file(path, &facts, out);
    report::survey(&survey, out);
    Ok(())
}

fn show(text: &str) {
    use std::io::Write;
    // Whoever reads may have seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    eprintln!("{text}");
}
