//! `tessera-check`: says whether a snapshot or an RDB file is whole, and what is in it.
//!
//! It reads and changes nothing. Exit status: 0 if all is well, 1 if something is damaged or a start would be refused,
//! 2 if it could not be looked at, 3 if it is good and holds what Tessera does not have.
#![forbid(unsafe_code)]

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

mod file;
mod finding;
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

    /// What the server's dbfilename is, to say what it would load from a directory
    #[arg(long, default_value = "dump.rdb", value_name = "NAME")]
    dbfilename: String,
}

/// Why there is nothing good to say.
#[derive(Debug)]
enum Trouble {
    /// What was found is not what it should be.
    Damaged(String),
    /// It may be good, but Tessera cannot read it.
    Unsupported(String),
    /// A server would not start there.
    Refused(String),
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
        Err(Trouble::Unsupported(problem)) => {
            complain(&format!("UNSUPPORTED: {problem}"));
            ExitCode::from(3)
        }
        Err(Trouble::Refused(problem)) => {
            complain(&format!("A START WOULD BE REFUSED: {problem}"));
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
        set::check_directory(path, now_ms, arguments.largest, out)?;
        return finding::tell(path, &arguments.dbfilename, out);
    }
    if path.extension().is_some_and(|extension| extension == "manifest") {
        return set::check_manifest(path, now_ms, arguments.largest, out);
    }
    let mut survey = survey::Survey::new(now_ms, arguments.largest);
    let facts = file::read(path, &mut survey, &mut |_| Ok(()))?;
    report::file(path, &facts, out);
    report::survey(&survey, out);
    survey.unsupported(path)
}

fn show(text: &str) {
    use std::io::Write;
    // Whoever reads may have seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_at(path: PathBuf) -> (Result<(), Trouble>, String) {
        let mut out = String::new();
        let arguments = Arguments { path, largest: 3, dbfilename: "dump.rdb".to_owned() };
        (check(&arguments, 1_764_000_000_000, &mut out), out)
    }

    fn data(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../storage/tests/data").join(name)
    }

    #[test]
    fn a_good_file_with_streams_is_not_damaged() {
        let (outcome, out) = looked_at(data("redis-7.2-stream-groups.rdb"));
        let Err(Trouble::Unsupported(problem)) = outcome else { panic!("{outcome:?}") };
        assert!(problem.contains("is whole, and 2 of its keys cannot be loaded"), "{problem}");
        assert!(out.contains("whole, 40609 bytes, 6 keys"), "{out}");
        assert!(
            out.contains("keys that Tessera cannot load: 2, each a stream; the first is stream:"),
            "{out}"
        );
        let (outcome, _) = looked_at(data("corrupt_ziplist.rdb"));
        assert!(matches!(outcome, Err(Trouble::Damaged(_))), "{outcome:?}");
    }

    #[test]
    fn what_a_start_would_do_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::copy(data("redis-7.0.rdb"), path("dump.rdb")).unwrap();
        let (outcome, out) = looked_at(folder.path().to_owned());
        assert!(outcome.is_ok(), "{outcome:?}");
        assert!(
            out.contains("a start with dbfilename dump.rdb would load ") && out.contains("dump.rdb ("),
            "{out}"
        );
        // For people, not for machines: from `date -u -d @...` of the file's ctime.
        assert!(out.contains("  ctime: ") && out.contains(" UTC)"), "{out}");
        std::fs::write(path("dump-epoch3-shard0.rdb"), b"lost").unwrap();
        let (outcome, _) = looked_at(folder.path().to_owned());
        let Err(Trouble::Refused(problem)) = outcome else { panic!("{outcome:?}") };
        assert!(problem.contains("no dump.manifest"), "{problem}");
        std::fs::remove_file(path("dump-epoch3-shard0.rdb")).unwrap();
        std::fs::rename(path("dump.rdb"), path("other.rdb")).unwrap();
        let (outcome, out) = looked_at(folder.path().to_owned());
        assert!(
            outcome.is_ok() && out.contains("dbfilename dump.rdb would load nothing"),
            "{outcome:?} {out}"
        );
    }
}
