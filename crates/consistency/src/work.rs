//! What clients do, and how their replies are read.
//!
//! A [`Job`] is a pipeline of commands which seems to happen at one moment: a single command, or a transaction, perhaps
//! with what is watched and read before it. Whoever plays it says when it was sent and when it was answered.

use crate::history::{Step, Transaction};
use crate::resp::{Reply, parse};
use fastrand::Rng;
use std::ops::Range;

/// A command's words.
pub type Words = Vec<Vec<u8>>;

/// From this number on a list is the elements of a text, which APPEND makes and GET and MGET read.
const FIRST_TEXT: u32 = 1 << 24;

/// How much there is of what.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Lists that RPUSH appends to and LRANGE reads.
    pub lists: u32,
    /// Lists that are texts.
    pub texts: u32,
    /// Registers.
    pub registers: u32,
    /// Which lists, texts and registers these are: another round has others, as what was left under way of one may
    /// still happen in the next.
    pub round: u32,
    /// Of so many jobs one has the server close the connections of all other clients; 0: none.
    pub jobs_per_kill: u32,
}

impl Shape {
    /// The numbers of this round, of so many a round.
    fn of_round(&self, of: u32) -> Range<u32> {
        self.round * of..(self.round + 1) * of
    }
}

/// Who draws jobs: one for all clients, as no element or value may be drawn twice.
#[derive(Debug)]
pub struct Workload {
    shape: Shape,
    next: u64,
    random: Rng,
}

/// Closes the connections of all others.
const KILL: &str = "CLIENT KILL TYPE normal SKIPME yes";
/// What says nothing, but makes a server that has several shards take other ways.
const FILLERS: [&str; 7] = [
    "PING",
    "SUNION none:1 none:2 none:3 none:4 none:5",
    "CLIENT GETNAME",
    "RENAME none:1 none:2",
    "CONFIG GET maxmemory",
    "BLPOP none:1 none:2 none:3 0",
    "DBSIZE",
];
/// Keys that come, and go by themselves; bytes of each; and how long each stays at most, in milliseconds: some are gone
/// soon, and the others if there is no room.
const PASSING_KEYS: u32 = 20;
const PASSING_LEN_BYTES: usize = 8_000;
const PASSING_MAX_MS: [u32; 2] = [60, 10_000];

/// A command whose reply says something.
#[derive(Clone, Debug)]
enum Probe {
    Push(u32, u64),
    Range(u32),
    Append(u32, u64),
    Texts(Vec<u32>),
    Text(u32),
    Set(Vec<u32>, u64),
    SetOne(u32, u64),
    Registers(Vec<u32>),
    Register(u32),
    /// It says nothing of what is looked at.
    Filler(&'static str),
    /// A key comes that says nothing either, and is to go after so many milliseconds, or before if there is no room.
    Pass(u32, u32),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Job {
    /// Before the transaction, under WATCH.
    watched: Vec<Probe>,
    probes: Vec<Probe>,
    is_transaction: bool,
}

fn name(kind: &str, number: u32) -> Vec<u8> {
    format!("{kind}:{number}").into_bytes()
}

fn list(number: u32) -> Vec<u8> {
    if number < FIRST_TEXT { name("list", number) } else { name("text", number - FIRST_TEXT) }
}

fn register(number: u32) -> Vec<u8> {
    name("register", number)
}

fn words(text: &str) -> Words {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

impl Probe {
    fn words(&self) -> Words {
        let with = |command: &str, keys: Vec<Vec<u8>>| [words(command), keys].concat();
        match self {
            Probe::Push(to, element) => with("RPUSH", vec![list(*to), element.to_string().into_bytes()]),
            Probe::Range(of) => [words("LRANGE"), vec![list(*of)], words("0 -1")].concat(),
            Probe::Append(to, element) => with("APPEND", vec![list(*to), format!("{element},").into_bytes()]),
            Probe::Text(of) => with("GET", vec![list(*of)]),
            Probe::Texts(of) => with("MGET", of.iter().map(|of| list(*of)).collect()),
            Probe::Set(of, value) => {
                let pair = |of: &u32| [register(*of), value.to_string().into_bytes()];
                with("MSET", of.iter().flat_map(pair).collect())
            }
            Probe::SetOne(of, value) => with("SET", vec![register(*of), value.to_string().into_bytes()]),
            Probe::Register(of) => with("GET", vec![register(*of)]),
            Probe::Registers(of) => with("MGET", of.iter().map(|of| register(*of)).collect()),
            Probe::Filler(text) => words(text),
            Probe::Pass(number, ms) => {
                let value = vec![b'x'; PASSING_LEN_BYTES];
                let key_and_value = with("SET", vec![name("passing", *number), value]);
                [key_and_value, words(&format!("PX {ms}"))].concat()
            }
        }
    }

    /// What it did, by its reply.
    fn steps(&self, reply: &Reply) -> Result<Vec<Step>, String> {
        let wrong = || format!("{:?} was answered {reply:?}", shown(&self.words()));
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
        let value = |reply: &Reply| match reply {
            Reply::Bulk(None) => Ok(None),
            Reply::Bulk(Some(text)) => number(text).map(Some).ok_or_else(wrong),
            _ => Err(wrong()),
        };
        let text = |reply: &Reply| match reply {
            Reply::Bulk(None) => Ok(Vec::new()),
            Reply::Bulk(Some(text)) => text
                .strip_suffix(b",")
                .ok_or_else(wrong)?
                .split(|byte| *byte == b',')
                .map(|element| number(element).ok_or_else(wrong))
                .collect(),
            _ => Err(wrong()),
        };
        match (self, reply) {
            (Probe::Filler(_), _) | (Probe::Pass(..), Reply::Status(_)) => Ok(Vec::new()),
            (Probe::Push(to, element), Reply::Integer(len)) => {
                Ok(vec![Step::Append { list: *to, element: *element, len: usize::try_from(*len).ok() }])
            }
            (Probe::Append(to, element), Reply::Integer(_)) => {
                Ok(vec![Step::Append { list: *to, element: *element, len: None }])
            }
            (Probe::Range(of), Reply::Array(Some(elements))) => {
                let elements = elements.iter().map(|element| value(element)?.ok_or_else(wrong));
                Ok(vec![Step::Read { list: *of, elements: elements.collect::<Result<_, _>>()? }])
            }
            (Probe::Text(of), _) => Ok(vec![Step::Read { list: *of, elements: text(reply)? }]),
            (Probe::Texts(of), Reply::Array(Some(texts))) if texts.len() == of.len() => {
                let read = |(of, reply): (&u32, &Reply)| Ok(Step::Read { list: *of, elements: text(reply)? });
                of.iter().zip(texts).map(read).collect()
            }
            (Probe::Set(..) | Probe::SetOne(..), Reply::Status(status)) if status == "OK" => {
                Ok(self.writes())
            }
            (Probe::Register(of), _) => Ok(vec![Step::Get { register: *of, value: value(reply)? }]),
            (Probe::Registers(of), Reply::Array(Some(values))) if values.len() == of.len() => {
                let read =
                    |(of, reply): (&u32, &Reply)| Ok(Step::Get { register: *of, value: value(reply)? });
                of.iter().zip(values).map(read).collect()
            }
            _ => Err(wrong()),
        }
    }

    /// What it does if it happens, as far as that is known before.
    fn writes(&self) -> Vec<Step> {
        match self {
            Probe::Push(list, element) | Probe::Append(list, element) => {
                vec![Step::Append { list: *list, element: *element, len: None }]
            }
            Probe::Set(of, value) => of.iter().map(|of| Step::Set { register: *of, value: *value }).collect(),
            Probe::SetOne(register, value) => vec![Step::Set { register: *register, value: *value }],
            _ => Vec::new(),
        }
    }
}

/// Words as text.
fn shown(words: &Words) -> String {
    words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>().join(" ")
}

impl Job {
    /// The commands, to be sent in a row.
    pub fn commands(&self) -> Vec<Words> {
        let probes = self.probes.iter().map(Probe::words);
        if !self.is_transaction {
            return probes.collect();
        }
        let watched = self.watched.iter().map(Probe::words);
        let keys = self.watched.iter().flat_map(|probe| probe.words().into_iter().nth(1));
        let watch = (!self.watched.is_empty()).then(|| [words("WATCH"), keys.collect()].concat());
        let (begin, end) = ([words("MULTI")], [words("EXEC")]);
        watch.into_iter().chain(watched).chain(begin).chain(probes).chain(end).collect()
    }

    /// What it did, by the bytes of the replies to its commands.
    ///
    /// # Errors
    /// Replies that are not what such commands are answered.
    pub fn done(
        &self,
        client: usize,
        times: (u64, u64),
        replies: &[Vec<u8>],
    ) -> Result<Vec<Transaction>, String> {
        let parsed: Option<Vec<Reply>> =
            replies.iter().map(|reply| parse(reply).map(|(reply, _)| reply)).collect();
        let replies = parsed.ok_or_else(|| format!("{replies:?} are no replies"))?;
        let transaction = |steps, is_refused| Transaction {
            client,
            began: times.0,
            ended: Some(times.1),
            steps,
            is_refused,
        };
        let watched_at = usize::from(!self.watched.is_empty());
        if !self.is_transaction {
            let steps = self.probes.iter().zip(&replies).map(|(probe, reply)| probe.steps(reply));
            return Ok(vec![transaction(steps.collect::<Result<Vec<_>, _>>()?.concat(), false)]);
        }
        let read = self.watched.iter().zip(&replies[watched_at..]).map(|(probe, reply)| probe.steps(reply));
        let read: Vec<Vec<Step>> = read.collect::<Result<_, _>>()?;
        match replies.last() {
            Some(Reply::Array(Some(executed))) if executed.len() == self.probes.len() => {
                let steps = self.probes.iter().zip(executed).map(|(probe, reply)| probe.steps(reply));
                let steps = steps.collect::<Result<Vec<_>, _>>()?.concat();
                Ok(vec![transaction([read.concat(), steps].concat(), false)])
            }
            Some(Reply::Array(None)) if !self.watched.is_empty() => {
                let alone = read.into_iter().map(|steps| transaction(steps, false));
                let refused = self.probes.iter().flat_map(Probe::writes).collect();
                Ok(alone.chain([transaction(refused, true)]).collect())
            }
            last => Err(format!("EXEC was answered {last:?}")),
        }
    }

    /// What it did perhaps, if its client has gone before it was answered.
    pub fn perhaps_done(&self, client: usize, began: u64) -> Transaction {
        let steps = self.probes.iter().flat_map(Probe::writes).collect();
        Transaction { client, began, ended: None, steps, is_refused: false }
    }

    /// It may be refused because of others.
    pub fn is_guarded(&self) -> bool {
        !self.watched.is_empty()
    }
}

impl Workload {
    /// One that follows from a seed.
    pub fn new(shape: Shape, seed: u64) -> Workload {
        Workload { shape, next: 1, random: Rng::with_seed(seed) }
    }

    fn unique(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn list(&mut self) -> u32 {
        self.shape.of_round(self.shape.lists).start + self.random.u32(..self.shape.lists)
    }

    fn text(&mut self) -> u32 {
        FIRST_TEXT + self.shape.of_round(self.shape.texts).start + self.random.u32(..self.shape.texts)
    }

    fn register(&mut self) -> u32 {
        self.shape.of_round(self.shape.registers).start + self.random.u32(..self.shape.registers)
    }

    /// Some of these, each once, in any order.
    fn some(&mut self, of: Range<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = of.collect();
        self.random.shuffle(&mut all);
        let len = self.random.usize(2.min(all.len())..=all.len());
        all.truncate(len);
        all
    }

    fn probe(&mut self) -> Probe {
        let texts = self.shape.of_round(self.shape.texts);
        let texts = FIRST_TEXT + texts.start..FIRST_TEXT + texts.end;
        let registers = self.shape.of_round(self.shape.registers);
        match self.random.u8(..22) {
            0..4 => Probe::Push(self.list(), self.unique()),
            4..7 => Probe::Range(self.list()),
            7..10 => Probe::Append(self.text(), self.unique()),
            10..12 => Probe::Text(self.text()),
            12..14 => Probe::Texts(self.some(texts)),
            14..16 => Probe::Set(self.some(registers), self.unique()),
            16 => Probe::SetOne(self.register(), self.unique()),
            17 => Probe::Register(self.register()),
            18 | 19 => {
                let max_ms = PASSING_MAX_MS[self.random.usize(..2)];
                Probe::Pass(self.random.u32(..PASSING_KEYS), self.random.u32(1..=max_ms))
            }
            _ => Probe::Registers(self.some(registers)),
        }
    }

    /// What a client does next.
    pub fn draw(&mut self) -> Job {
        let is_transaction = self.random.bool();
        if self.shape.jobs_per_kill > 0 && self.random.u32(..self.shape.jobs_per_kill) == 0 {
            return Job { watched: Vec::new(), probes: vec![Probe::Filler(KILL)], is_transaction };
        }
        if !is_transaction {
            return Job { watched: Vec::new(), probes: vec![self.probe()], is_transaction };
        }
        let mut watched = Vec::new();
        if self.random.u8(..3) == 0 {
            for _ in 0..self.random.usize(1..4) {
                let probe = match self.random.u8(..3) {
                    0 => Probe::Range(self.list()),
                    1 => Probe::Text(self.text()),
                    _ => Probe::Register(self.register()),
                };
                watched.push(probe);
            }
        }
        let mut probes: Vec<Probe> = (0..self.random.usize(1..6)).map(|_| self.probe()).collect();
        if self.random.bool() {
            for _ in 0..self.random.usize(1..3) {
                let at = self.random.usize(..=probes.len());
                probes.insert(at, Probe::Filler(FILLERS[self.random.usize(..FILLERS.len())]));
            }
        }
        Job { watched, probes, is_transaction }
    }

    /// Reads everything, at the end.
    pub fn read_all(&self) -> Job {
        let lists = self.shape.of_round(self.shape.lists).map(Probe::Range);
        let texts = self.shape.of_round(self.shape.texts).map(|text| Probe::Text(FIRST_TEXT + text));
        let registers = self.shape.of_round(self.shape.registers).map(Probe::Register);
        let probes = lists.chain(texts).chain(registers).collect();
        Job { watched: Vec::new(), probes, is_transaction: true }
    }
}
