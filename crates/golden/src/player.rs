//! Plays a script against a server.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Endpoint, Received};
use crate::frame::Frame;
use crate::matchers::Matchers;
use crate::render::render;
use crate::script::{Action, Protocol, Script, Step};

/// How long a reply may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the recorder waits for one more reply to raw bytes.
const RAW_QUIET: Duration = Duration::from_millis(200);
/// How long `@quiet` waits.
const QUIET: Duration = Duration::from_millis(50);
/// The most calls one SCAN iteration may take.
const MAX_SCAN_CALLS: usize = 100_000;

/// Stands for the end of a connection in a reply.
pub const CLOSED: &str = "<closed>";

/// Why a script could not be played on.
#[derive(Debug)]
pub enum PlayError {
    /// The server could not be brought into the state scripts start from.
    Setup(String),
    /// A step could not be played, so that what follows has no meaning.
    Step {
        /// The line of the step.
        line_number: usize,
        /// What happened.
        reason: String,
    },
}

impl std::fmt::Display for PlayError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Setup(reason) => write!(out, "set-up: {reason}"),
            Self::Step { line_number, reason } => write!(out, "line {line_number}: {reason}"),
        }
    }
}

/// Plays scripts on one server.
pub struct Player {
    endpoint: Endpoint,
    /// Connections of others, which are there before and after.
    other_clients: u64,
}

/// What is known while a script is played.
struct Session<'a> {
    endpoint: &'a Endpoint,
    protocol: Protocol,
    /// Read what comes instead of as much as was recorded.
    recording: bool,
    connections: HashMap<String, Connection>,
    captured: HashMap<String, Vec<u8>>,
}

impl Player {
    /// Makes a player for the server at `endpoint`, which must answer.
    ///
    /// # Errors
    /// Those of connecting, and of a server that does not answer INFO.
    pub fn new(endpoint: Endpoint) -> Result<Self, PlayError> {
        let mut player = Self { endpoint, other_clients: 0 };
        let mut connection = player.open()?;
        let clients = connected_clients(&mut connection)?;
        // The first ids go to nobody: transcripts of HELLO could take an id of 2 or 3 for the protocol.
        for _ in 0..3 {
            ask(&mut player.open()?, &["PING"])?;
        }
        player.other_clients = clients.saturating_sub(1);
        Ok(player)
    }

    /// Asks for a text, such as the reply to INFO, outside any script.
    ///
    /// # Errors
    /// Those of the connection, and an error reply.
    pub fn ask(&self, words: &[&str]) -> Result<Vec<String>, PlayError> {
        ask(&mut self.open()?, words)
    }

    fn open(&self) -> Result<Connection, PlayError> {
        Connection::open(&self.endpoint).map_err(|error| PlayError::Setup(error.to_string()))
    }

    /// Plays `script` in `protocol` and hands every step that has a reply, with the reply, to `each`.
    ///
    /// # Errors
    /// What kept the script from being played to its end. Replies that differ are no errors.
    pub fn play(
        &self,
        script: &Script,
        protocol: Protocol,
        recording: bool,
        mut each: impl FnMut(usize, Vec<String>),
    ) -> Result<(), PlayError> {
        let mut main = self.open()?;
        for words in [&["FLUSHALL"][..], &["CONFIG", "RESETSTAT"]] {
            ask(&mut main, words)?;
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while connected_clients(&mut main)? > self.other_clients + 1 {
            if Instant::now() > deadline {
                return Err(PlayError::Setup("connections closed by the client stay in INFO".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        ask(&mut main, &["HELLO", &protocol.number().to_string()])?;
        let connections = HashMap::from([("main".to_owned(), main)]);
        let endpoint = &self.endpoint;
        let mut session = Session { endpoint, protocol, recording, connections, captured: HashMap::new() };
        for (index, step) in script.steps.iter().enumerate() {
            if !step.is_for(protocol) {
                continue;
            }
            let played = session.step(step);
            let reply = played.map_err(|reason| PlayError::Step { line_number: step.line_number, reason })?;
            if step.action.has_reply() {
                each(index, reply);
            }
        }
        Ok(())
    }
}

impl Session<'_> {
    /// Plays one step and shows the reply.
    fn step(&mut self, step: &Step) -> Result<Vec<String>, String> {
        match &step.action {
            Action::None => {}
            Action::Command { connection, words, .. } => {
                let words: Vec<_> = words.iter().map(|word| self.replace(word)).collect();
                if step.matchers.scan {
                    return self.scan(connection, words);
                }
                self.connection(connection)?.send_command(&words).map_err(|error| error.to_string())?;
                if !step.matchers.no_reply {
                    return self.receive(connection, &step.matchers);
                }
            }
            Action::Raw { connection, bytes } => return self.raw(connection, bytes, step),
            Action::Read { connection, count } => {
                let mut lines = Vec::new();
                for _ in 0..*count {
                    lines.extend(self.receive(connection, &step.matchers)?);
                }
                return Ok(lines);
            }
            Action::Connect { connection, bare } => self.connect(connection, *bare)?,
            Action::Close(connection) => {
                self.connections.remove(connection);
            }
            Action::Closed(connection) => {
                match self.connection(connection)?.receive(REPLY_TIMEOUT) {
                    Received::Closed => {}
                    other => return Err(format!("`{connection}` is not closed: {other:?}")),
                }
                self.connections.remove(connection);
            }
            Action::Quiet(connection) => match self.connection(connection)?.receive(QUIET) {
                Received::Nothing => {}
                other => return Err(format!("`{connection}` is not quiet: {other:?}")),
            },
            Action::Sleep { duration_ms } => std::thread::sleep(Duration::from_millis(*duration_ms)),
        }
        Ok(Vec::new())
    }

    fn connection(&mut self, name: &str) -> Result<&mut Connection, String> {
        self.connections.get_mut(name).ok_or_else(|| format!("no open connection `{name}`"))
    }

    fn connect(&mut self, name: &str, bare: bool) -> Result<(), String> {
        let mut connection = Connection::open(self.endpoint).map_err(|error| error.to_string())?;
        if !bare {
            let protocol = self.protocol.number().to_string();
            ask(&mut connection, &["HELLO", &protocol]).map_err(|error| error.to_string())?;
        }
        self.connections.insert(name.to_owned(), connection);
        Ok(())
    }

    /// Waits for one reply and shows it.
    fn receive(&mut self, name: &str, matchers: &Matchers) -> Result<Vec<String>, String> {
        match self.connection(name)?.receive(REPLY_TIMEOUT) {
            Received::Frame(frame) => {
                self.capture(&frame, matchers);
                Ok(render(&frame, matchers))
            }
            Received::Closed => {
                self.connections.remove(name);
                Ok(vec![CLOSED.to_owned()])
            }
            Received::Nothing => Err(format!("no reply on `{name}` within {} s", REPLY_TIMEOUT.as_secs())),
            Received::Malformed(reason) => Err(format!("not RESP on `{name}`: {reason}")),
        }
    }

    /// Sends bytes. The recorder reads until nothing more comes, the replayer as much as was recorded.
    fn raw(&mut self, name: &str, bytes: &[u8], step: &Step) -> Result<Vec<String>, String> {
        let bytes = self.replace(bytes);
        // A server that has refused the first bytes may close before it has taken all.
        let _ = self.connection(name)?.send(&bytes);
        let mut lines = Vec::new();
        if !self.recording {
            let heads = step.expected(self.protocol).iter().filter(|line| !line.starts_with(' '));
            for _ in 0..heads.count() {
                lines.extend(self.receive(name, &step.matchers)?);
                if lines.last().is_some_and(|line| line == CLOSED) {
                    break;
                }
            }
            return Ok(lines);
        }
        loop {
            match self.connection(name)?.receive(RAW_QUIET) {
                Received::Frame(frame) => lines.extend(render(&frame, &step.matchers)),
                Received::Nothing => return Ok(lines),
                Received::Malformed(reason) => return Err(format!("not RESP on `{name}`: {reason}")),
                Received::Closed => {
                    self.connections.remove(name);
                    lines.push(CLOSED.to_owned());
                    return Ok(lines);
                }
            }
        }
    }

    /// Iterates a SCAN, or one of its kin, from cursor 0 until the cursor is 0 again; shows the set of all keys,
    /// members, or fields and members with what belongs to them.
    fn scan(&mut self, name: &str, mut words: Vec<Vec<u8>>) -> Result<Vec<String>, String> {
        let (cursor_at, unit_len) = match words[0].to_ascii_uppercase().as_slice() {
            b"SCAN" => (1, 1),
            b"SSCAN" => (2, 1),
            _ => (2, 2),
        };
        let mut keys = BTreeSet::new();
        for _ in 0..MAX_SCAN_CALLS {
            self.connection(name)?.send_command(&words).map_err(|error| error.to_string())?;
            let received = self.connection(name)?.receive(REPLY_TIMEOUT);
            let Received::Frame(Frame::Aggregate { kind: b'*', children }) = received else {
                return Err(format!("not a reply to SCAN: {received:?}"));
            };
            let [Frame::Bulk { bytes: cursor, .. }, Frame::Aggregate { kind: b'*', children }] =
                &children[..]
            else {
                return Err(format!("not a reply to SCAN: {children:?}"));
            };
            let rendered = |frame| render(frame, &Matchers::default()).join("\n");
            let units = children.chunks(unit_len);
            keys.extend(units.map(|unit| unit.iter().map(rendered).collect::<Vec<_>>().join(" ")));
            if cursor == b"0" {
                let head = format!("*{}", keys.len());
                return Ok(std::iter::once(head).chain(keys.iter().map(|key| format!("  {key}"))).collect());
            }
            words[cursor_at].clone_from(cursor);
        }
        Err(format!("SCAN has not ended after {MAX_SCAN_CALLS} calls"))
    }

    /// Keeps the parts of the reply that the step names.
    fn capture(&mut self, frame: &Frame, matchers: &Matchers) {
        if matchers.captures.is_empty() {
            return;
        }
        let text = render(frame, &Matchers::default()).join("\n");
        for (name, pattern) in &matchers.captures {
            if let Some(part) = pattern.captures(&text).and_then(|captures| captures.get(1)) {
                self.captured.insert(name.clone(), part.as_str().as_bytes().to_vec());
            }
        }
    }

    /// Puts captured parts in the place of their names.
    fn replace(&self, word: &[u8]) -> Vec<u8> {
        let mut word = word.to_vec();
        for (name, value) in &self.captured {
            let pattern = format!("${{{name}}}");
            while let Some(at) = word.windows(pattern.len()).position(|window| window == pattern.as_bytes()) {
                word.splice(at..at + pattern.len(), value.iter().copied());
            }
        }
        word
    }
}

/// Sends a command and shows the reply, which must not be an error.
fn ask(connection: &mut Connection, words: &[&str]) -> Result<Vec<String>, PlayError> {
    let fail = |reason: String| PlayError::Setup(format!("{}: {reason}", words.join(" ")));
    let wire: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    connection.send_command(&wire).map_err(|error| fail(error.to_string()))?;
    match connection.receive(REPLY_TIMEOUT) {
        Received::Frame(frame) => {
            let lines = render(&frame, &Matchers::default());
            if lines[0].starts_with('-') { Err(fail(lines[0].clone())) } else { Ok(lines) }
        }
        other => Err(fail(format!("{other:?}"))),
    }
}

fn connected_clients(connection: &mut Connection) -> Result<u64, PlayError> {
    let lines = ask(connection, &["INFO", "clients"])?;
    let field = lines.iter().find_map(|line| line.trim().strip_prefix("\"connected_clients:"));
    let digits = field.and_then(|field| field.split('\\').next()).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| PlayError::Setup("INFO has no connected_clients".to_owned()))
}
