//! Keyspace events: commands together with the events that a server of Redis's behaviour told of the keys they changed.
//!
//! A recording is a text file, `<family>.events`. What a person writes starts in the first column:
//!
//! | line | meaning |
//! |---|---|
//! | `# ...` | a comment |
//! | (an empty line) | a case ends here: all databases are emptied, and all connections but `main` are closed |
//! | `> SET key "a\x00b"` | send a command on the connection `main`, and wait for its reply |
//! | `name> BLPOP key 0` | the same on another connection, where it may have to wait for others |
//! | `@time 20` | so many milliseconds pass; keys whose time is over stay until somebody meets them |
//! | `@expire` | what is over goes without being met |
//! | `@evict` | memory is short until all keys are gone |
//! | `@recorded Redis 7.2.6` | the server that this was recorded from; the recorder writes it, and refuses others |
//!
//! Words are quoted as in [`crate::words`]. What the recorder writes below is indented by two: `-` and the text of an
//! error reply, or an event as database, name and key, in the order in which they came.

use crate::script::connection_name;
use crate::words;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: a comment.
    None,
    /// A case ends.
    EndOfCase,
    /// A command.
    Command {
        /// The connection's name.
        connection: String,
        /// The words.
        words: Vec<Vec<u8>>,
    },
    /// Time passes.
    Time {
        /// So much.
        duration_ms: u64,
    },
    /// What is over goes.
    Expire,
    /// All keys go, as memory is short.
    Evict,
}

/// An event of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyEvent {
    /// The key's database.
    pub db: u16,
    /// The event's name.
    pub name: String,
    /// The key.
    pub key: Vec<u8>,
}

impl std::fmt::Display for KeyEvent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:{}".contains(byte);
        let is_plain = !self.key.is_empty() && self.key.iter().all(is_plain);
        let key = if is_plain { words::escape(&self.key) } else { words::quote(&self.key) };
        write!(out, "{} {} {key}", self.db, self.name)
    }
}

/// What came of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The text of the reply, if it was an error.
    pub error: Option<String>,
    /// The events, in order.
    pub events: Vec<KeyEvent>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.iter().try_for_each(|error| writeln!(out, "  -{error}"))?;
        self.events.iter().try_for_each(|event| writeln!(out, "  {event}"))
    }
}

/// A line that a person wrote, and what came of it.
#[derive(Debug, Clone)]
pub struct Line {
    /// The line as it stands in the file.
    pub source: String,
    /// Its number, from 1.
    pub number: usize,
    /// What it does.
    pub step: Step,
    /// What was recorded.
    pub outcome: Outcome,
}

/// A file of steps and what came of them.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The server's name and version.
    pub server: Option<String>,
    /// All lines but those that the recorder wrote.
    pub lines: Vec<Line>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// The number of the first line that is not understood, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut recording = Self::default();
        for (index, line) in text.lines().enumerate() {
            recording.line(index + 1, line).map_err(|reason| format!("line {}: {reason}", index + 1))?;
        }
        Ok(recording)
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(text) = line.strip_prefix("  ") {
            let last = self.lines.last_mut().ok_or("an outcome that follows no step")?;
            match text.strip_prefix('-') {
                Some(error) => last.outcome.error = Some(error.to_owned()),
                None => last.outcome.events.push(event(text)?),
            }
            return Ok(());
        }
        if let Some(server) = line.strip_prefix("@recorded ") {
            self.server = Some(server.to_owned());
            return Ok(());
        }
        let (source, outcome) = (line.to_owned(), Outcome::default());
        self.lines.push(Line { source, number, step: step(line)?, outcome });
        Ok(())
    }
}

/// Writes the file back, the server first.
impl std::fmt::Display for Recording {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.iter().try_for_each(|server| writeln!(out, "@recorded {server}"))?;
        self.lines.iter().try_for_each(|line| write!(out, "{}\n{}", line.source, line.outcome))
    }
}

fn step(line: &str) -> Result<Step, String> {
    if line.is_empty() {
        return Ok(Step::EndOfCase);
    }
    if line.starts_with('#') {
        return Ok(Step::None);
    }
    if let Some(directive) = line.strip_prefix('@') {
        return match directive.split_once(' ') {
            Some(("time", duration)) => match duration.parse() {
                Ok(duration_ms) => Ok(Step::Time { duration_ms }),
                Err(_) => Err(format!("not a number: {duration}")),
            },
            None if directive == "expire" => Ok(Step::Expire),
            None if directive == "evict" => Ok(Step::Evict),
            _ => Err(format!("no directive @{directive}")),
        };
    }
    let (name, command) = line.split_once("> ").ok_or("not a command, directive or comment")?;
    Ok(Step::Command { connection: connection_name(name)?, words: words::split(command)? })
}

fn event(text: &str) -> Result<KeyEvent, String> {
    let words = words::split(text)?;
    let [db, name, key] = &words[..] else { return Err(format!("not an event: {text}")) };
    let db = String::from_utf8_lossy(db).parse().map_err(|_| format!("no database: {text}"))?;
    Ok(KeyEvent { db, name: String::from_utf8_lossy(name).into_owned(), key: key.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "@recorded Redis 7.2.6\n# A comment\n> SET \"a b\" v\n  0 new \"a b\"\n  0 set \"a b\"\n\n\
        other> BLPOP k 0\n> SET k\n  -ERR wrong\n@time 20\n@expire\n  3 expired k\n@evict\n";

    #[test]
    fn writes_back_what_it_read() {
        assert_eq!(Recording::parse(TEXT).unwrap().to_string(), TEXT);
    }

    #[test]
    fn reads_steps_and_events() {
        let recording = Recording::parse(TEXT).unwrap();
        let steps: Vec<_> = recording.lines.iter().map(|line| &line.step).collect();
        assert!(
            matches!(steps[1], Step::Command { connection, words } if connection == "main" && words.len() == 3)
        );
        assert_eq!(*steps[2], Step::EndOfCase);
        assert!(matches!(steps[3], Step::Command { connection, .. } if connection == "other"));
        assert_eq!(*steps[5], Step::Time { duration_ms: 20 });
        let expired = KeyEvent { db: 3, name: "expired".to_owned(), key: b"k".to_vec() };
        assert_eq!(recording.lines[6].outcome.events, [expired]);
        assert_eq!(recording.lines[4].outcome.error.as_deref(), Some("ERR wrong"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in
            ["  0 set k", "@time x", "@nothing", "SET k v", "> SET k v\n  set k", "> SET k v\n  x set k"]
        {
            assert!(Recording::parse(text).is_err(), "{text}");
        }
    }
}
