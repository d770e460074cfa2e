//! What a connection does next: a pipeline, an iteration with SCAN, or a connection of its own that sends anything.

use super::chance::{FORGETFUL, may_keep_chance, may_tell_chance, sorts, walks_partly};
use super::connection::{encode, encode_inline};
use super::generate::{Generator, KEYS_LEN, key};
use super::known::{is_not_queued, is_unequal_after};
use super::templates::{Equality, Template};

/// One command of a pipeline.
pub struct Command {
    /// Its words.
    pub words: Vec<Vec<u8>>,
    /// When its replies count as equal.
    pub equality: Equality,
    /// Whether it is answered.
    pub is_answered: bool,
    /// What an array that it is answered consists of, where it runs commands that were queued.
    pub parts: Vec<Part>,
}

/// A queued command.
pub struct Part {
    /// Its words.
    pub words: Vec<Vec<u8>>,
    /// When its replies count as equal.
    pub equality: Equality,
}

/// What is done next.
pub enum Step {
    /// Commands, and the bytes that carry them.
    Pipeline(Vec<Command>, Vec<u8>),
    /// SCAN until its cursor is 0 again.
    Scan(Vec<Vec<u8>>),
    /// A new connection sends these bytes and its end.
    Anything(Vec<u8>),
}

/// A stream of steps, the same from the same seed.
pub struct Steps {
    generator: Generator,
    /// How many commands a pipeline has at most.
    pipeline_max_len: u32,
    protocols: Vec<u8>,
    /// The version of the server that is compared with.
    version: String,
    /// What a pipeline ended with that is none of its commands.
    next: Option<Step>,
}

/// A pipeline carries at most about this much, in bytes.
const PIPELINE_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;
/// What a server reads at once, in bytes: behind an error in the protocol it reads no more.
const ANYTHING_MAX_LEN_BYTES: usize = 8 * 1024;
/// Pieces that are read with care.
const FRAGMENTS: &[&[u8]] = &[
    b"\r\n",
    b"\r",
    b"\n",
    b"\x00",
    b"*",
    b"*0\r\n",
    b"*-1\r\n",
    b"*1048576\r\n",
    b"*2147483648\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"$4\r\nPING\r\n",
    b"*1\r\n:4\r\n",
    b"PING\r\n",
    b"PING \"a\\x41\"\r\n",
    b"PING 'a\r\n",
    b"*+1\r\n",
    b"*01\r\n$4\r\nPING\r\n",
    b"*1\r\n$04\r\nPING\r\n",
];

impl Steps {
    /// Steps of one to `pipeline_max_len` commands by clients that speak these versions of the protocol.
    pub fn new(generator: Generator, pipeline_max_len: u32, protocols: Vec<u8>) -> Steps {
        Steps { generator, pipeline_max_len, protocols, version: String::new(), next: None }
    }

    /// From now on, what a server of this version is known to do otherwise for good is not sent.
    pub fn set_version(&mut self, version: &str) {
        self.version = version.to_owned();
    }

    /// The next command, with the template that it was made from.
    pub(super) fn next_command(&mut self) -> (&'static str, &'static Template, Vec<Vec<u8>>) {
        self.generator.next_command()
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.generator.random.usize(..bound)
    }

    /// Where to cut bytes in two, rarely.
    pub fn split(&mut self, len: usize) -> Option<usize> {
        (len > 1 && self.generator.chance(40)).then(|| self.below(len))
    }

    /// The next step.
    pub fn next_step(&mut self) -> Step {
        if let Some(step) = self.next.take() {
            return step;
        }
        let len = self.generator.random.u32(1..=self.pipeline_max_len) as usize;
        let (mut commands, mut bytes) = (Vec::new(), Vec::new());
        while commands.len() < len && bytes.len() < PIPELINE_MAX_LEN_BYTES {
            match self.generator.random.u32(..400) {
                0 => self.next = Some(Step::Anything(self.anything())),
                1 => self.add_unanswered(&mut commands, &mut bytes),
                2 => self.add_hello(&mut commands, &mut bytes),
                3..20 => self.add_transaction(&mut commands, &mut bytes),
                20..24 => self.add_watch(&mut commands, &mut bytes),
                _ => self.add_any(&mut commands, &mut bytes),
            }
            if self.next.is_some() {
                break;
            }
        }
        Step::Pipeline(commands, bytes)
    }

    pub(super) fn add(&mut self, command: Command, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let is_short = command.words.iter().map(Vec::len).sum::<usize>() < 4096;
        if is_short && self.generator.chance(20) {
            encode_inline(&command.words, bytes);
        } else {
            encode(&command.words, bytes);
        }
        commands.push(command);
    }

    /// The server that is compared with queues it if Redis 7.2 does.
    pub(super) fn may_queue(&self, words: &[Vec<u8>]) -> bool {
        !is_not_queued(&self.version, words)
    }

    pub(super) fn add_any(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let (_, template, mut words) = self.generator.next_command();
        if words[0].eq_ignore_ascii_case(b"SCAN") {
            if words.len() > 2 {
                let count = [1, 3, 10, 1000][self.below(4)];
                let last = words.len() - 1;
                words[last] = words[last].strip_suffix(b"1000").map_or(words[last].clone(), |rest| {
                    if rest.is_empty() { count.to_string().into_bytes() } else { words[last].clone() }
                });
            }
            self.next = Some(Step::Scan(words));
            return;
        }
        if !self.suits(&words) {
            return;
        }
        if template.equality == Equality::RandomKey {
            self.add(command(&["KEYS", "*"], Equality::AnyOrder), commands, bytes);
        }
        if sorts(&words) {
            self.add(command(&FORGETFUL, Equality::Exact), commands, bytes);
        }
        let equality = if may_tell_chance(&words) { Equality::AnyOrder } else { template.equality };
        self.add(Command { words, ..command(&[], equality) }, commands, bytes);
    }

    /// A protocol that is not asked for is not spoken, and what leaves servers different behind is not sent.
    pub(super) fn suits(&self, words: &[Vec<u8>]) -> bool {
        let walks_partly = words[0].len() > 4 && walks_partly(words);
        if is_unequal_after(&self.version, words) || may_keep_chance(words) || walks_partly {
            return false;
        }
        if words[0].eq_ignore_ascii_case(b"RESET") {
            return self.protocols.contains(&2);
        }
        let version = words.get(1).and_then(|word| std::str::from_utf8(word).ok()?.parse::<u8>().ok());
        !words[0].eq_ignore_ascii_case(b"HELLO")
            || version.is_none_or(|version| !(2..=3).contains(&version) || self.protocols.contains(&version))
    }

    fn add_hello(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let index = self.below(self.protocols.len());
        let version = self.protocols[index].to_string();
        self.add(command(&["HELLO", &version], Equality::Hello), commands, bytes);
    }

    /// Commands between CLIENT REPLY OFF and ON, or one behind SKIP.
    fn add_unanswered(&mut self, commands: &mut Vec<Command>, bytes: &mut Vec<u8>) {
        let skips = self.generator.random.bool();
        let mode = if skips { "SKIP" } else { "OFF" };
        let begin = commands.len();
        self.add(command(&["CLIENT", "REPLY", mode], Equality::Exact), commands, bytes);
        let len = if skips { 1 } else { self.below(5) };
        let mut left = len;
        while left > 0 {
            let (family, template, words) = self.generator.next_command();
            // SORT would need a command before it, see `FORGETFUL`.
            let is_plain = !matches!(family, "session" | "big")
                && !words[0].eq_ignore_ascii_case(b"SCAN")
                && !sorts(&words);
            if is_plain && self.suits(&words) {
                self.add(Command { words, ..command(&[], template.equality) }, commands, bytes);
                left -= 1;
            }
        }
        commands[begin..].iter_mut().for_each(|command| command.is_answered = false);
        if !skips {
            self.add(command(&["CLIENT", "REPLY", "ON"], Equality::Exact), commands, bytes);
        }
    }

    /// Commands with mistakes in them.
    fn anything(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..=self.below(5) {
            let (family, _, words) = self.generator.next_command();
            if matches!(family, "strings" | "bitmaps") && bytes.len() < ANYTHING_MAX_LEN_BYTES / 2 {
                encode(&words, &mut bytes);
            }
        }
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 if at < bytes.len() => bytes[at] = self.generator.random.u8(..),
                _ => {
                    let fragment = FRAGMENTS[self.below(FRAGMENTS.len())];
                    bytes.splice(at..at, fragment.iter().copied());
                }
            }
        }
        // Behind other commands it would depend on what one read took in whether Redis still answers those.
        if self.below(20) == 0 {
            bytes.splice(..0, b"POST / HTTP/1.1\r\n".iter().copied());
        }
        bytes.truncate(ANYTHING_MAX_LEN_BYTES);
        bytes
    }
}

/// A command of plain words that is answered.
pub(super) fn command(words: &[&str], equality: Equality) -> Command {
    Command {
        words: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        equality,
        is_answered: true,
        parts: Vec::new(),
    }
}

/// Asks for all that database `db` holds.
pub fn audit(db: u16) -> Step {
    let mut commands = vec![
        command(&["SELECT", &db.to_string()], Equality::Exact),
        command(&["KEYS", "*"], Equality::AnyOrder),
    ];
    for key in (0..KEYS_LEN).map(key) {
        for (words, equality) in [
            (["GET", ""].as_slice(), Equality::Exact),
            (&["OBJECT", "ENCODING"], Equality::Exact),
            // The clocks of two servers are read at different times.
            (&["PEXPIRETIME"], Equality::Within(5000)),
        ] {
            let mut asked = command(words, equality);
            asked.words.retain(|word| !word.is_empty());
            asked.words.push(key.clone());
            commands.push(asked);
        }
    }
    let mut bytes = Vec::new();
    commands.iter().for_each(|command| encode(&command.words, &mut bytes));
    Step::Pipeline(commands, bytes)
}
