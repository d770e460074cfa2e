//! The server's log: one line per message, in the form that Redis has.
//!
//! `12345:M 22 Nov 2026 13:24:37.123 * Ready to accept connections`: the process, its role, the local time, the level
//! (`.` debug, `-` verbose, `*` notice, `#` warning) and the message. The rest of the program logs through the macros
//! of the crate `log`, whose levels stand for Redis's: `trace!` debug, `debug!` verbose, `info!` notice, `warn!` and
//! `error!` warning.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, Local, TimeZone};
use log::{Level, LevelFilter, Log, Metadata, Record};
use tessera_config::LogLevel;

/// Longer messages are cut here, in bytes, as in Redis.
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// The role letter of a server that follows no other.
const ROLE: char = 'M';

/// Messages of other crates are shown from this level on, unless the level is `debug`.
const FOREIGN_LEVEL: Level = Level::Warn;

/// What messages of the executor name as their origin.
const EXECUTOR: &str = "glommio";

struct Logger {
    /// `None` for standard output.
    file: Option<PathBuf>,
}

/// Starts logging to `file`, or to standard output. Call it once, after the working directory is set.
///
/// The file is opened anew for each message, so that it may be moved away at any time.
///
/// # Errors
///
/// When the file cannot be opened for appending, or when logging has started already.
pub fn start(level: LogLevel, file: Option<PathBuf>) -> io::Result<()> {
    let file = file.map(std::path::absolute).transpose()?;
    if let Some(path) = &file {
        OpenOptions::new().append(true).create(true).open(path)?;
    }
    log::set_boxed_logger(Box::new(Logger { file })).map_err(io::Error::other)?;
    set_level(level);
    Ok(())
}

/// Changes what is logged from now on, on all threads.
pub fn set_level(level: LogLevel) {
    log::set_max_level(filter(level));
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::Trace,
        LogLevel::Verbose => LevelFilter::Debug,
        LogLevel::Notice => LevelFilter::Info,
        LogLevel::Warning => LevelFilter::Warn,
        LogLevel::Nothing => LevelFilter::Off,
    }
}

fn mark(level: Level) -> char {
    match level {
        Level::Trace => '.',
        Level::Debug => '-',
        Level::Info => '*',
        Level::Warn | Level::Error => '#',
    }
}

fn is_shown(metadata: &Metadata<'_>, max_level: LevelFilter) -> bool {
    let is_ours = metadata.target().starts_with("tessera");
    // The executor has its own words for what goes wrong, over several lines. What of it matters is told by who asked
    // for it.
    let is_foreign_and_matters =
        metadata.level() <= FOREIGN_LEVEL && !metadata.target().starts_with(EXECUTOR);
    metadata.level() <= max_level && (is_ours || is_foreign_and_matters || max_level == LevelFilter::Trace)
}

fn line<Zone: TimeZone>(process_id: u32, time: &DateTime<Zone>, level: Level, message: &str) -> String
where
    Zone::Offset: Display,
{
    let cut = message.floor_char_boundary(MAX_MESSAGE_BYTES);
    let time = time.format("%d %b %Y %H:%M:%S%.3f");
    format!("{process_id}:{ROLE} {time} {} {}\n", mark(level), &message[..cut])
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_shown(metadata, log::max_level())
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = line(std::process::id(), &Local::now(), record.level(), &record.args().to_string());
        // One write for the whole line, so that lines of different threads do not mix. There is nowhere to tell of a
        // failure.
        let _ = match &self.file {
            Some(path) => OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .and_then(|mut file| file.write_all(line.as_bytes())),
            None => {
                let mut output = io::stdout().lock();
                output.write_all(line.as_bytes()).and_then(|()| output.flush())
            }
        };
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn lines_look_like_those_of_redis() {
        let zone = FixedOffset::east_opt(3600).expect("an hour is in range");
        let time = zone.timestamp_millis_opt(1_795_350_277_023).single().expect("the time exists");
        for (level, expected) in [
            (Level::Trace, "12345:M 22 Nov 2026 13:24:37.023 . hello\n"),
            (Level::Debug, "12345:M 22 Nov 2026 13:24:37.023 - hello\n"),
            (Level::Info, "12345:M 22 Nov 2026 13:24:37.023 * hello\n"),
            (Level::Warn, "12345:M 22 Nov 2026 13:24:37.023 # hello\n"),
            (Level::Error, "12345:M 22 Nov 2026 13:24:37.023 # hello\n"),
        ] {
            assert_eq!(line(12345, &time, level, "hello"), expected);
        }
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let time = chrono::Utc.timestamp_millis_opt(0).single().expect("the time exists");
        let long = format!("x{}", "\u{e9}".repeat(MAX_MESSAGE_BYTES));
        let line = line(1, &time, Level::Info, &long);
        let message = line.rsplit_once(' ').expect("a message").1.trim_end();
        assert_eq!(message.len(), MAX_MESSAGE_BYTES - 1);
    }

    #[test]
    fn levels_let_through_what_redis_lets_through() {
        let shown = |level: Level, target: &str, max: LogLevel| {
            is_shown(&Metadata::builder().level(level).target(target).build(), filter(max))
        };
        for (level, most_quiet) in [
            (Level::Trace, LogLevel::Debug),
            (Level::Debug, LogLevel::Verbose),
            (Level::Info, LogLevel::Notice),
            (Level::Warn, LogLevel::Warning),
        ] {
            let all =
                [LogLevel::Debug, LogLevel::Verbose, LogLevel::Notice, LogLevel::Warning, LogLevel::Nothing];
            let last = all.iter().position(|known| *known == most_quiet).expect("the level is in the list");
            for (index, max) in all.into_iter().enumerate() {
                assert_eq!(shown(level, "tessera_node", max), index <= last, "{level} at {max:?}");
            }
        }
        // What the executor says of itself is for those who look for it.
        assert!(!shown(Level::Error, "glommio::sys::uring", LogLevel::Notice));
        assert!(shown(Level::Error, "glommio::sys::uring", LogLevel::Debug));
        assert!(!shown(Level::Info, "glommio", LogLevel::Notice));
        assert!(shown(Level::Warn, "some_crate", LogLevel::Notice));
        assert!(shown(Level::Info, "glommio", LogLevel::Debug));
    }

    #[test]
    fn the_file_is_appended_to_and_may_be_moved_away() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("server.log");
        std::fs::write(&path, "before\n").expect("the directory is writable");
        start(LogLevel::Notice, Some(path.clone()))
            .expect("nothing else starts logging in this test program");
        log::info!(target: "tessera", "first");
        log::debug!(target: "tessera", "hidden");
        set_level(LogLevel::Verbose);
        log::debug!(target: "tessera", "second");
        let text = std::fs::read_to_string(&path).expect("the log exists");
        let ends: Vec<_> = text.lines().map(|line| line.rsplit(' ').next().unwrap_or_default()).collect();
        // Other tests of this program may log in between.
        for expected in ["before", "first", "second"] {
            assert!(ends.contains(&expected), "{text}");
        }
        assert!(!ends.contains(&"hidden"), "{text}");

        std::fs::rename(&path, dir.path().join("server.log.1")).expect("the directory is writable");
        log::warn!(target: "tessera", "third");
        let text = std::fs::read_to_string(&path).expect("the log exists again");
        assert!(text.ends_with(" # third\n"), "{text}");
    }
}
