//! Records keyspace events from a real server.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Endpoint, Received};
use crate::events::{KeyEvent, Outcome, Recording, Step};
use crate::frame::Frame;
use crate::server::Server;

/// How long a reply or an event may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server is given to find what is over: several of its cycles, of which it has ten a second.
const EXPIRE_CYCLES: Duration = Duration::from_millis(400);
/// What the subscriber is told when a step is done.
const MARKER: &str = "events:done";

/// What every server is started with: all classes of events but misses.
const OPTIONS: [(&str, &str); 5] = [
    ("bind", "127.0.0.1"),
    ("save", ""),
    ("appendonly", "no"),
    ("enable-debug-command", "yes"),
    ("notify-keyspace-events", "KEAn"),
];

/// All recordings in `folder`, sorted by path.
///
/// # Errors
/// Those of reading the folder.
pub fn find_recordings(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "events") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads the recording at `path`.
///
/// # Errors
/// Those of reading the file and of its format, with its name.
pub fn load_recording(path: &Path) -> io::Result<Recording> {
    let fail = |reason: String| io::Error::other(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    Recording::parse(&text).map_err(fail)
}

/// Plays `files` on a server started for it, and writes the events into them. Files that were recorded from another
/// server are passed over. Returns how many were recorded.
///
/// # Errors
/// A server that cannot be started or is Tessera itself, and the first step that cannot be played.
pub fn record_events(program: &Path, files: &[PathBuf]) -> io::Result<usize> {
    let options = OPTIONS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let server = Server::start(program, &options)?;
    let mut recorder = Recorder::new(server.endpoint())?;
    let name = recorder.server_name()?;
    let mut recorded = 0;
    for path in files {
        let mut recording = load_recording(path)?;
        if recording.server.as_ref().is_some_and(|server| *server != name) {
            continue;
        }
        recorder.record(&mut recording).map_err(|error| with_path(path, &error))?;
        recording.server = Some(name.clone());
        std::fs::write(path, recording.to_string())?;
        recorded += 1;
    }
    Ok(recorded)
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

struct Recorder {
    endpoint: Endpoint,
    main: Connection,
    subscriber: Connection,
    others: HashMap<String, Connection>,
}

impl Recorder {
    fn new(endpoint: Endpoint) -> io::Result<Self> {
        let main = Connection::open(&endpoint)?;
        let mut subscriber = Connection::open(&endpoint)?;
        for words in [["PSUBSCRIBE", "__keyevent@*__:*"], ["SUBSCRIBE", MARKER]] {
            ask(&mut subscriber, &words)?;
        }
        let mut recorder = Self { endpoint, main, subscriber, others: HashMap::new() };
        recorder.expire_by_itself(false)?;
        Ok(recorder)
    }

    /// The server's name and version.
    fn server_name(&mut self) -> io::Result<String> {
        let info = self.info("server")?;
        // A recording of Tessera would compare it with itself.
        if info.contains("tessera_version") {
            return Err(io::Error::other("this server is Tessera: events are recorded from another"));
        }
        if let Some(version) = field(&info, "valkey_version") {
            return Ok(format!("Valkey {version}"));
        }
        let version = field(&info, "redis_version");
        version
            .map(|version| format!("Redis {version}"))
            .ok_or_else(|| io::Error::other("INFO names no version"))
    }

    fn record(&mut self, recording: &mut Recording) -> io::Result<()> {
        self.begin_case()?;
        for line in &mut recording.lines {
            let played = self.step(&line.step);
            line.outcome =
                played.map_err(|error| io::Error::other(format!("line {}: {error}", line.number)))?;
        }
        Ok(())
    }

    fn begin_case(&mut self) -> io::Result<()> {
        self.others.clear();
        let deadline = Instant::now() + TIMEOUT;
        // A client that is gone must not be served by what follows.
        while self.blocked_clients()? > 0 {
            if Instant::now() > deadline {
                return Err(io::Error::other("clients that were closed go on waiting"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        ask(&mut self.main, &["FLUSHALL"])?;
        ask(&mut self.main, &["SELECT", "0"])?;
        self.events().map(drop)
    }

    fn step(&mut self, step: &Step) -> io::Result<Outcome> {
        let error = match step {
            Step::None => return Ok(Outcome::default()),
            Step::EndOfCase => {
                self.begin_case()?;
                None
            }
            Step::Command { connection, words } if connection == "main" => {
                self.main.send_command(words)?;
                error_text(&reply(&mut self.main)?)
            }
            Step::Command { connection, words } => self.send_on_other(connection, words)?,
            Step::Time { duration_ms } => {
                std::thread::sleep(Duration::from_millis(*duration_ms));
                None
            }
            Step::Expire => {
                self.expire_by_itself(true)?;
                std::thread::sleep(EXPIRE_CYCLES);
                self.expire_by_itself(false)?;
                None
            }
            Step::Evict => {
                self.set("maxmemory-policy", "allkeys-lru")?;
                self.set("maxmemory", "1")?;
                ask(&mut self.main, &["PING"])?;
                self.set("maxmemory", "0")?;
                self.set("maxmemory-policy", "noeviction")?;
                None
            }
        };
        Ok(Outcome { error, events: self.events()? })
    }

    /// Sends a command on a connection that may have to wait, and waits until it has its reply or the server counts
    /// it among those that wait.
    fn send_on_other(&mut self, name: &str, words: &[Vec<u8>]) -> io::Result<Option<String>> {
        let blocked = self.blocked_clients()?;
        if !self.others.contains_key(name) {
            self.others.insert(name.to_owned(), Connection::open(&self.endpoint)?);
        }
        let deadline = Instant::now() + TIMEOUT;
        self.others.get_mut(name).expect("it is there now").send_command(words)?;
        while Instant::now() < deadline {
            let connection = self.others.get_mut(name).expect("it is there now");
            match connection.receive(Duration::from_millis(2)) {
                Received::Frame(frame) => return Ok(error_text(&frame)),
                Received::Nothing if self.blocked_clients()? > blocked => return Ok(None),
                Received::Nothing => {}
                other => return Err(io::Error::other(format!("`{name}`: {other:?}"))),
            }
        }
        Err(io::Error::other(format!("`{name}` neither has a reply nor waits")))
    }

    /// The events that have come since the last call.
    fn events(&mut self) -> io::Result<Vec<KeyEvent>> {
        ask(&mut self.main, &["PUBLISH", MARKER, "done"])?;
        let mut events = Vec::new();
        loop {
            let Frame::Aggregate { children, .. } = reply(&mut self.subscriber)? else {
                return Err(io::Error::other("the subscriber was sent no message"));
            };
            let texts: Vec<_> = children.iter().filter_map(bulk).collect();
            match &texts[..] {
                [kind, channel, _] if *kind == b"message" && *channel == MARKER.as_bytes() => {
                    return Ok(events);
                }
                [kind, _, channel, key] if *kind == b"pmessage" => events.push(key_event(channel, key)?),
                other => return Err(io::Error::other(format!("not an event: {other:?}"))),
            }
        }
    }

    fn expire_by_itself(&mut self, on: bool) -> io::Result<()> {
        ask(&mut self.main, &["DEBUG", "SET-ACTIVE-EXPIRE", if on { "1" } else { "0" }]).map(drop)
    }

    fn set(&mut self, parameter: &str, value: &str) -> io::Result<()> {
        ask(&mut self.main, &["CONFIG", "SET", parameter, value]).map(drop)
    }

    fn info(&mut self, section: &str) -> io::Result<String> {
        let frame = ask(&mut self.main, &["INFO", section])?;
        Ok(String::from_utf8_lossy(bulk(&frame).unwrap_or_default()).into_owned())
    }

    fn blocked_clients(&mut self) -> io::Result<u64> {
        let info = self.info("clients")?;
        let count = field(&info, "blocked_clients").and_then(|count| count.parse().ok());
        count.ok_or_else(|| io::Error::other("INFO does not count clients that wait"))
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn bulk(frame: &Frame) -> Option<&[u8]> {
    match frame {
        Frame::Bulk { bytes, .. } => Some(bytes),
        _ => None,
    }
}

fn error_text(frame: &Frame) -> Option<String> {
    match frame {
        Frame::Line { kind: b'-', text } => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    }
}

fn reply(connection: &mut Connection) -> io::Result<Frame> {
    match connection.receive(TIMEOUT) {
        Received::Frame(frame) => Ok(frame),
        other => Err(io::Error::other(format!("no reply: {other:?}"))),
    }
}

/// Sends a command of the recorder's own, which must not fail.
fn ask(connection: &mut Connection, words: &[&str]) -> io::Result<Frame> {
    connection.send_command(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>())?;
    let frame = reply(connection)?;
    match error_text(&frame) {
        Some(error) => Err(io::Error::other(format!("{}: {error}", words.join(" ")))),
        None => Ok(frame),
    }
}

/// Reads `__keyevent@<db>__:<name>`.
fn key_event(channel: &[u8], key: &[u8]) -> io::Result<KeyEvent> {
    let text = String::from_utf8_lossy(channel);
    let parts = text.strip_prefix("__keyevent@").and_then(|rest| rest.split_once("__:"));
    let event = parts.and_then(|(db, name)| Some((db.parse().ok()?, name)));
    let (db, name) = event.ok_or_else(|| io::Error::other(format!("not an event's channel: {text}")))?;
    Ok(KeyEvent { db, name: name.to_owned(), key: key.to_vec() })
}
