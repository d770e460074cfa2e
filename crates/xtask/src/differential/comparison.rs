//! The two servers, and what they answer to the same bytes.

use super::accounts;
use super::connection::Connection;
use super::equality::is_equal;
use super::known::{KNOWN, Known};
use super::steps::{Command, Step, Steps, audit};
use super::{STRING_MAX_LEN_BYTES, shown};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use tessera_resp::scan;

/// How many databases there are by default.
const DATABASES: u16 = 16;
/// All data is compared after this many commands.
const AUDIT_EVERY: u64 = 50_000;
/// A SCAN that takes more calls does not end.
const SCAN_MAX_CALLS: usize = 10_000;

/// A connection to each server: the one compared with first.
type Pair = [Connection; 2];

/// A comparison under way.
pub struct Comparison {
    addresses: [SocketAddr; 2],
    pairs: Vec<Pair>,
    auditor: Pair,
    steps: Steps,
    /// The version of the server compared with.
    version: String,
    compared: u64,
    known_seen: Vec<u64>,
    /// What KEYS answered last.
    keys: [Vec<u8>; 2],
    /// What was sent last.
    recent: VecDeque<String>,
    /// How many of them are kept.
    recent_max_len: usize,
}

/// Whether to go on.
type Flow = ControlFlow<()>;

impl Comparison {
    /// Connects to both servers and empties them.
    ///
    /// # Errors
    /// Those of connecting, or servers that do not let themselves be configured.
    pub fn new(
        addresses: [SocketAddr; 2],
        connections: u16,
        recent_max_len: usize,
        mut steps: Steps,
    ) -> io::Result<Comparison> {
        let open = || Ok::<_, io::Error>([Connection::open(addresses[0])?, Connection::open(addresses[1])?]);
        let mut auditor = open()?;
        for connection in &mut auditor {
            let max_len = STRING_MAX_LEN_BYTES.to_string();
            for words in [["CONFIG", "SET", "proto-max-bulk-len", &max_len].as_slice(), &["FLUSHALL"]] {
                let reply = connection.call(words)?;
                if reply != b"+OK\r\n" {
                    let reply = shown::bytes(reply);
                    return Err(io::Error::other(format!("{} answered {reply}", words.join(" "))));
                }
            }
        }
        let version = version_of(&mut auditor[0])?;
        // Both have been asked the same from here on.
        for connection in &mut auditor {
            connection.call(&["CONFIG", "RESETSTAT"])?;
        }
        steps.set_version(&version);
        Ok(Comparison {
            addresses,
            pairs: (0..connections).map(|_| open()).collect::<Result<_, _>>()?,
            auditor,
            steps,
            version,
            compared: 0,
            known_seen: vec![0; KNOWN.len()],
            keys: [Vec::new(), Vec::new()],
            recent: VecDeque::new(),
            recent_max_len,
        })
    }

    /// How many commands were compared.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Which known differences were met, and how often.
    pub fn known_seen(&self) -> String {
        let seen = KNOWN.iter().zip(&self.known_seen).filter(|(_, count)| **count > 0);
        let seen: Vec<String> = seen.map(|(known, count)| format!("{count} x {}", known.reason)).collect();
        if seen.is_empty() { "no known difference met".to_owned() } else { seen.join("; ") }
    }

    /// Compares `count` commands; false if something differs.
    ///
    /// # Errors
    /// None that is not a difference: connections that break are reported as one.
    pub fn run(&mut self, count: u64) -> io::Result<bool> {
        let mut audit_at = AUDIT_EVERY;
        while self.compared < count {
            let turn = self.steps.below(self.pairs.len());
            let flow = match self.steps.next_step() {
                Step::Pipeline(commands, bytes) => self.pipeline(turn, &commands, &bytes),
                Step::Scan(words) => self.scan(turn, words),
                Step::Anything(bytes) => self.anything(&bytes),
            };
            if flow.is_break() {
                return Ok(false);
            }
            if self.compared >= audit_at || self.compared >= count {
                audit_at += AUDIT_EVERY;
                if self.audit().is_break() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn audit(&mut self) -> Flow {
        // The auditor takes part like any other, for the time.
        let turn = self.pairs.len();
        let [first, second] = self.addresses;
        let (Ok(first), Ok(second)) = (Connection::open(first), Connection::open(second)) else {
            println!("a server does not accept connections any more");
            return Flow::Break(());
        };
        self.pairs.push(std::mem::replace(&mut self.auditor, [first, second]));
        let mut flow = Flow::Continue(());
        for db in 0..DATABASES {
            if let Step::Pipeline(commands, bytes) = audit(db)
                && flow.is_continue()
            {
                flow = self.pipeline(turn, &commands, &bytes);
            }
        }
        if flow.is_continue() {
            flow = self.audit_accounts(turn);
        }
        self.pairs.truncate(turn);
        flow
    }

    /// Both servers have counted the same. Others than Redis 7.2 count otherwise.
    fn audit_accounts(&mut self, turn: usize) -> Flow {
        if !self.version.starts_with("7.2.") {
            return Flow::Continue(());
        }
        match accounts::differences(&mut self.pairs[turn]) {
            Ok(differences) if differences.is_empty() => Flow::Continue(()),
            told => {
                println!("what was counted: {}", told.map_or_else(|e| e.to_string(), |told| told.join("\n")));
                Flow::Break(())
            }
        }
    }

    fn pipeline(&mut self, turn: usize, commands: &[Command], bytes: &[u8]) -> Flow {
        let split = self.steps.split(bytes.len());
        for connection in &self.pairs[turn] {
            if let Err(error) = connection.send(bytes, split) {
                println!("sending failed: {error}");
            }
        }
        let mut flow = Flow::Continue(());
        for command in commands {
            self.remember(format!("connection {turn}: {}", shown::command(&command.words)));
            self.compared += 1;
            if command.is_answered && self.compare_replies(turn, command)?.is_break() {
                flow = Flow::Break(());
                break;
            }
        }
        flow
    }

    /// Reads a reply of each server. The outer flow ends if there is none, the inner one if they differ.
    fn compare_replies(&mut self, turn: usize, command: &Command) -> ControlFlow<(), Flow> {
        let [expected, got] = self.pairs[turn].each_mut().map(Connection::receive);
        let (expected, got) = match (expected, got) {
            (Ok(expected), Ok(got)) => (expected, got),
            (expected, got) => {
                let told =
                    |result: io::Result<_>| result.map_or_else(|e| e.to_string(), |_| "a reply".into());
                self.report(turn, &shown::command(&command.words), &told(expected), &told(got));
                return ControlFlow::Break(());
            }
        };
        let (expected, got) = (self.pairs[turn][0].bytes(expected), self.pairs[turn][1].bytes(got));
        if is_equal(expected, got, command.equality, (&self.keys[0], &self.keys[1]))
            || self.are_parts_equal(command, expected, got)
        {
            if command.words[0].eq_ignore_ascii_case(b"KEYS") {
                self.keys = [expected.to_vec(), got.to_vec()];
            }
            return ControlFlow::Continue(Flow::Continue(()));
        }
        if let Some(known) = known(&self.version, &command.words, expected, got) {
            self.known_seen[known] += 1;
            return ControlFlow::Continue(Flow::Continue(()));
        }
        let (expected, got) = (shown::bytes(expected), shown::bytes(got));
        self.report(turn, &shown::command(&command.words), &expected, &got);
        ControlFlow::Continue(Flow::Break(()))
    }

    /// Each of the commands that ran within this one was answered alike.
    fn are_parts_equal(&self, command: &Command, expected: &[u8], got: &[u8]) -> bool {
        let elements = |reply| scan::elements(reply).map(|elements| elements.collect::<Vec<_>>());
        let (Some(expected), Some(got)) = (elements(expected), elements(got)) else { return false };
        let len = command.parts.len();
        (expected.len(), got.len()) == (len, len)
            && command.parts.iter().zip(expected.iter().zip(&got)).all(|(part, (expected, got))| {
                is_equal(expected, got, part.equality, (&[], &[]))
                    || known(&self.version, &part.words, expected, got).is_some()
            })
    }

    fn remember(&mut self, what: String) {
        if self.recent.len() > self.recent_max_len {
            self.recent.pop_front();
        }
        self.recent.push_back(what);
    }

    fn report(&self, turn: usize, what: &str, expected: &str, got: &str) {
        println!("before it:");
        for line in self.recent.iter().rev().skip(1).rev() {
            println!("  {line}");
        }
        println!("connection {turn}: {what}\n  expected: {expected}\n  got:      {got}");
    }

    /// Iterates on both sides and compares what was found.
    fn scan(&mut self, turn: usize, mut words: Vec<Vec<u8>>) -> Flow {
        let found = [0, 1].map(|side| iterate(&mut self.pairs[turn][side], &mut words.clone()));
        self.compared += 1;
        self.remember(format!("connection {turn}: {} until the cursor is 0", shown::command(&words)));
        match &found {
            [Ok(expected), Ok(got)] if expected == got => return Flow::Continue(()),
            _ => {}
        }
        let told = |found: &io::Result<BTreeSet<Vec<u8>>>| match found {
            Ok(found) => found.iter().map(|key| shown::bytes(key)).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        words.push(b"(until the cursor is 0)".to_vec());
        self.report(turn, &shown::command(&words), &told(&found[0]), &told(&found[1]));
        Flow::Break(())
    }

    /// New connections send the same bytes and read until the servers close.
    fn anything(&mut self, bytes: &[u8]) -> Flow {
        self.remember(format!("a connection that sent, and then its end: {}", shown::bytes(bytes)));
        let [expected, got] =
            self.addresses.map(|address| Connection::open(address).and_then(|client| client.finish(bytes)));
        self.compared += 1;
        if let (Ok(expected), Ok(got)) = (&expected, &got) {
            if expected == got {
                return Flow::Continue(());
            }
            if let Some(known) = known(&self.version, &[bytes.to_vec()], expected, got) {
                self.known_seen[known] += 1;
                return Flow::Continue(());
            }
        }
        let told = |answer: &io::Result<Vec<u8>>| match answer {
            Ok(answer) => shown::bytes(answer),
            Err(error) => error.to_string(),
        };
        println!("a connection that sent, and then its end: {}", bytes.escape_ascii());
        println!("  expected: {}\n  got:      {}", told(&expected), told(&got));
        Flow::Break(())
    }
}

/// The version that the server tells of itself.
///
/// # Errors
/// Those of the connection.
pub fn version_of(server: &mut Connection) -> io::Result<String> {
    let info = server.call(&["INFO", "server"])?.to_vec();
    let info = String::from_utf8_lossy(&info).into_owned();
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(version.unwrap_or_default().to_owned())
}

/// Which known difference of a server of this version this is.
pub fn known(version: &str, words: &[Vec<u8>], expected: &[u8], got: &[u8]) -> Option<usize> {
    let is_it = |known: &Known| version.starts_with(known.version) && (known.is_it)(words, expected, got);
    KNOWN.iter().position(is_it)
}

/// The keys that SCAN finds until its cursor is 0, or the error that it answers.
fn iterate(connection: &mut Connection, words: &mut [Vec<u8>]) -> io::Result<BTreeSet<Vec<u8>>> {
    let mut found = BTreeSet::new();
    for _ in 0..SCAN_MAX_CALLS {
        let reply = connection.call(words)?;
        let Some(parts) = scan::elements(reply) else {
            found.insert(reply.to_vec());
            return Ok(found);
        };
        let parts: Vec<&[u8]> = parts.collect();
        let [cursor, keys] = parts[..] else { return Err(io::Error::other("SCAN answers two parts")) };
        let keys = scan::elements(keys).ok_or_else(|| io::Error::other("SCAN answers keys"))?;
        found.extend(keys.map(<[u8]>::to_vec));
        let cursor = scan::text(cursor).ok_or_else(|| io::Error::other("SCAN answers a cursor"))?;
        if cursor == b"0" {
            return Ok(found);
        }
        words[1] = cursor.to_vec();
    }
    Err(io::Error::other("SCAN does not come to an end"))
}
