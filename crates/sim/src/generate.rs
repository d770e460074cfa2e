//! Random commands, made from what the commands say of themselves.

use crate::clock::START_UNIX_US;
use crate::script::{Action, Check};
use crate::world::registry;
use tessera_command::grammar::ArgKind;
use tessera_command::{Arg, Command, Flags, Group, Run, Spread};
use tessera_values::Type;

/// What kind of stream is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One client has the server to itself: commands on the whole keyspace, and the clock may jump.
    Alone,
    /// Several clients, each with keys of its own.
    OneOfMany,
    /// Only commands that change keys.
    Writes,
}

/// Commands that are not drawn: they end connections or the server, hold clients back, switch replies off, change the
/// configuration, tell memory addresses, or are answered by how far a snapshot is. The scenarios call some of them by
/// hand.
const NOT_DRAWN: &[&str] = &[
    "auth",
    "bgsave",
    "client|kill",
    "client|pause",
    "client|reply",
    "config|rewrite",
    "config|set",
    "config|resetstat",
    "debug",
    "hello",
    "monitor",
    "psync",
    "quit",
    "reset",
    "save",
    "shutdown",
    "sync",
    "scan",
    "randomkey",
];

/// Commands whose replies tell of the server rather than of the data, or in which order a shard keeps its elements.
const OF_THE_SERVER: &[&str] = &["client|id", "client|info", "client|list", "dump", "memory|usage"];

/// Types with keys of their own, by the commands that are for them, and what the names of these keys begin with.
const TYPED: &[(Group, &str)] = &[
    (Group::List, "list"),
    (Group::Hash, "hash"),
    (Group::Set, "set"),
    (Group::SortedSet, "zset"),
    (Group::HyperLogLog, "hll"),
    (Group::Geo, "geo"),
];
/// More elements than any collection has.
const ALL_ELEMENTS: &str = "1000000";
/// So many elements at once make a small collection a large one.
const MANY_ELEMENTS: usize = 150;

/// Draws commands.
pub struct Generator {
    random: fastrand::Rng,
    prefix: &'static str,
    kind: Kind,
    commands: Vec<(&'static Command, u32)>,
    weights: u32,
    /// The time of keys may be over, so that they are there and nobody sees them.
    hides_keys: bool,
    /// How many keys or fields the word before announced.
    announced: Option<usize>,
    /// Whom the command that is being made is for.
    group: Group,
}

impl Generator {
    /// A generator whose keys begin with `prefix`.
    pub fn new(kind: Kind, prefix: &'static str, seed: u64) -> Generator {
        let commands: Vec<_> = registry()
            .numbered()
            .iter()
            .map(|command| (*command, weight(command, kind)))
            .filter(|(_, weight)| *weight > 0)
            .collect();
        let weights = commands.iter().map(|(_, weight)| weight).sum();
        let random = fastrand::Rng::with_seed(seed);
        Generator {
            random,
            prefix,
            kind,
            commands,
            weights,
            hides_keys: false,
            announced: None,
            group: Group::Generic,
        }
    }

    /// The commands that it draws from.
    pub fn commands(&self) -> impl Iterator<Item = &'static Command> {
        self.commands.iter().map(|(command, _)| *command)
    }

    /// About `len` actions.
    pub fn script(&mut self, len: usize) -> Vec<Action> {
        let mut script = Vec::new();
        while script.len() < len {
            match self.random.u32(..1000) {
                0..5 if self.kind == Kind::Alone => {
                    // The answer says that all before it is done.
                    script.push(Action::call(&["PING"], Check::Exact));
                    script.push(Action::Jump(self.random.i64(-2_000..20_000)));
                    self.hides_keys = true;
                }
                5..10 if self.kind == Kind::Alone => script.push(Action::ScanAll(self.scan_options())),
                10..20 if self.kind == Kind::Alone => script.push(Action::RandomKey),
                20..25 => {
                    script.push(Action::call(&["CLIENT", "REPLY", "SKIP"], Check::Silent));
                    let call = self.words();
                    script.push(Action::Call(call.0, Check::Silent));
                }
                25..28 => {
                    script.push(Action::call(&["client", "reply", "off"], Check::Silent));
                    for _ in 0..self.random.usize(..5) {
                        let call = self.words();
                        script.push(Action::Call(call.0, Check::Silent));
                    }
                    script.push(Action::call(&["client", "reply", "on"], Check::Exact));
                }
                28..33 => {
                    let version = if self.random.bool() { "2" } else { "3" };
                    script.push(Action::call(&["HELLO", version], Check::Kind));
                }
                33..35 => script.push(Action::call(&["RESET"], Check::Exact)),
                35..38 => script.push(Action::call(&["nosuchcommand", "with", "words"], Check::Exact)),
                _ => {
                    let (words, check) = self.words();
                    script.push(Action::Call(words, check));
                }
            }
        }
        script.push(Action::call(&["PING"], Check::Exact));
        script
    }

    /// One command and how its reply is to be compared.
    pub fn words(&mut self) -> (Vec<Vec<u8>>, Check) {
        let mut drawn = self.random.u32(..self.weights);
        let command = self
            .commands
            .iter()
            .find(|(_, weight)| {
                let here = drawn < *weight;
                drawn = drawn.saturating_sub(*weight);
                here
            })
            .map_or(self.commands[0].0, |(command, _)| *command);
        self.words_of(command)
    }

    /// This command, and how its reply is to be compared.
    pub fn words_of(&mut self, command: &'static Command) -> (Vec<Vec<u8>>, Check) {
        let mut words: Vec<Vec<u8>> = command.full_name.split('|').map(|name| self.spelled(name)).collect();
        let name_words = words.len();
        (self.announced, self.group) = (None, command.spec.group);
        if command.full_name == "spop" && self.kind != Kind::Writes {
            // What it takes follows from the shard's seed, and so would all that is answered later, unless it takes
            // all.
            words.extend([self.key(), ALL_ELEMENTS.into()]);
            return (words, Check::Unordered);
        }
        for arg in command.spec.grammar {
            self.arg(arg, &mut words);
        }
        if self.random.u8(..100) < 4 {
            self.spoil(&mut words, name_words);
            let says_when =
                |word: &Vec<u8>| matches!(word.to_ascii_uppercase().as_slice(), b"EXAT" | b"PXAT");
            self.hides_keys |= words.iter().any(says_when);
        }
        if self.kind != Kind::Writes && sorts_by_chance(&words) {
            return self.words();
        }
        let check = self.check(command, &words);
        (words, check)
    }

    fn check(&self, command: &Command, words: &[Vec<u8>]) -> Check {
        if OF_THE_SERVER.contains(&command.full_name) {
            return Check::Kind;
        }
        if command.full_name.starts_with("sort") && has(words, "BY") {
            // Elements of a set with equal weights.
            return Check::Unordered;
        }
        let has_tip = |tip| command.spec.tips.contains(&tip);
        match (command.spec.group, command.spread) {
            // What is drawn from a large collection, and the order of its elements, follow from the shard's seed.
            _ if has_tip("nondeterministic_output_order") => Check::Unordered,
            (Group::Hash | Group::Set | Group::SortedSet, _) if has_tip("nondeterministic_output") => {
                Check::Kind
            }
            (_, Spread::AllShards(tessera_command::Merge::Concat)) => Check::Unordered,
            // Keys whose time is over count until they are found.
            (_, Spread::AllShards(tessera_command::Merge::Sum)) if self.hides_keys => Check::Kind,
            (Group::Server, Spread::Nowhere | Spread::AllNodes(_))
                if !command.full_name.starts_with("command") =>
            {
                Check::Kind
            }
            _ => Check::Exact,
        }
    }

    fn spelled(&mut self, name: &str) -> Vec<u8> {
        if self.random.bool() { name.to_ascii_uppercase().into_bytes() } else { name.as_bytes().to_vec() }
    }

    /// Takes away, doubles or exchanges a word behind the name.
    fn spoil(&mut self, words: &mut Vec<Vec<u8>>, name_words: usize) {
        if words.len() == name_words {
            return words.push(self.value());
        }
        let at = self.random.usize(name_words..words.len());
        match self.random.u8(..4) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[at].clone()),
            2 => words[at] = self.key(),
            _ => words[at] = self.value(),
        }
    }

    fn arg(&mut self, arg: &Arg, words: &mut Vec<Vec<u8>>) {
        if arg.optional && self.random.u8(..100) < 55 {
            return;
        }
        let times = match (arg.multiple, arg.kind) {
            (false, _) => 1,
            (true, _) if self.announced.is_some() => self.announced.take().unwrap_or(1),
            (true, kind) if holds_elements(self.group, kind) && self.random.u8(..30) == 0 => MANY_ELEMENTS,
            (true, _) => [1, 1, 2, 3, 5, 9][self.random.usize(..6)],
        };
        for time in 0..times {
            if let Some(token) = arg.token
                && (time == 0 || arg.multiple_token)
            {
                let token = self.spelled(token);
                words.push(token);
            }
            self.arg_once(arg, words);
        }
    }

    fn arg_once(&mut self, arg: &Arg, words: &mut Vec<Vec<u8>>) {
        let word = match arg.kind {
            ArgKind::PureToken => return,
            ArgKind::OneOf(choices) => {
                let choice = Arg { optional: false, ..choices[self.random.usize(..choices.len())] };
                return self.arg(&choice, words);
            }
            ArgKind::Block(members) => return members.iter().for_each(|member| self.arg(member, words)),
            ArgKind::Key => self.key(),
            ArgKind::String => self.string(arg.name),
            ArgKind::Integer => self.integer(arg.name).to_string().into_bytes(),
            ArgKind::Double if matches!(arg.name, "score" | "increment" | "min" | "max") => self.score(),
            ArgKind::Double if self.group == Group::Geo && self.random.u8(..10) > 0 => self.coordinate(),
            ArgKind::Double => {
                ["0", "1.5", "-3.25", "1e3", "inf", "nan", "x", "10"][self.random.usize(..8)].into()
            }
            ArgKind::Pattern => self.pattern(),
            ArgKind::UnixTime => self.unix_time(arg.name).to_string().into_bytes(),
        };
        words.push(word);
    }

    /// A key. Few, so that commands meet; some share a hash tag. Mostly one that holds what the command is for.
    fn key(&mut self) -> Vec<u8> {
        let own = TYPED.iter().find(|(group, _)| *group == self.group).map(|(_, name)| *name);
        let is_stray = self.random.u8(..20) == 0;
        let name = match own {
            Some(own) if !is_stray => own,
            None if !is_stray && self.group != Group::Generic => "key",
            _ if self.random.bool() => "key",
            _ => TYPED[self.random.usize(..TYPED.len())].1,
        };
        let number = self.random.u8(..if name == "key" { 14 } else { 6 });
        match self.random.u8(..10) {
            0..7 => format!("{}{name}:{number}", self.prefix),
            7..9 => format!("{}{{tag}}{name}:{number}", self.prefix),
            _ => format!("{}{{other}}{name}:{number}", self.prefix),
        }
        .into_bytes()
    }

    /// An element of a collection: mostly one of a few, so that commands meet again what others left.
    fn member(&mut self) -> Vec<u8> {
        match self.random.u8(..20) {
            0 => self.value(),
            1 => vec![b'l'; self.random.usize(60..70)],
            2..6 => self.random.i16(-30..30).to_string().into_bytes(),
            6..9 => self.random.u16(..600).to_string().into_bytes(),
            9..12 => format!("m{}", self.random.u16(..300)).into_bytes(),
            _ => format!("member:{}", self.random.u8(..16)).into_bytes(),
        }
    }

    /// A score: several members have the same.
    fn score(&mut self) -> Vec<u8> {
        match self.random.u8(..20) {
            0 => ["inf", "-inf", "nan", "x", "1e300", "-0"][self.random.usize(..6)].into(),
            1..5 => format!("{}.{}", self.random.i8(-9..9), ["5", "25", "1"][self.random.usize(..3)]).into(),
            _ => self.random.i8(-12..12).to_string().into_bytes(),
        }
    }

    fn coordinate(&mut self) -> Vec<u8> {
        format!("{}.{}", self.random.i8(-80..80), self.random.u16(..1000)).into_bytes()
    }

    /// An end of a range of a sorted set, by rank, score or member.
    fn bound(&mut self) -> Vec<u8> {
        let open = if self.random.u8(..4) == 0 { "(" } else { "" };
        match self.random.u8(..10) {
            0..4 => self.random.i16(-40..40).to_string().into_bytes(),
            4..6 => [open.as_bytes(), &self.score()].concat(),
            6 => ["-inf", "+inf", "-", "+"][self.random.usize(..4)].into(),
            _ => [if open.is_empty() { b"[" } else { b"(" }, self.member().as_slice()].concat(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        match self.random.u8(..20) {
            0..5 => self.random.i64(-100..100).to_string().into_bytes(),
            5 => self.random.i64(..).to_string().into_bytes(),
            6 => b"9223372036854775807".to_vec(),
            7 => format!("{}.{}", self.random.i64(-99..99), self.random.u8(..)).into_bytes(),
            8 => Vec::new(),
            9 => (0..self.random.usize(1..40)).map(|_| self.random.u8(..)).collect(),
            10 if self.random.u8(..8) == 0 => vec![b'x'; self.random.usize(1_000..40_000)],
            11 => vec![b'y'; self.random.usize(30..300)],
            _ => (0..self.random.usize(1..12)).map(|_| self.random.lowercase() as u8).collect(),
        }
    }

    fn string(&mut self, name: &str) -> Vec<u8> {
        let choose =
            |random: &mut fastrand::Rng, choices: &[&str]| choices[random.usize(..choices.len())].into();
        match name {
            "encoding" => choose(&mut self.random, &["u8", "i8", "u3", "i64", "u63", "i16", "u64"]),
            "offset" => choose(&mut self.random, &["0", "3", "#1", "#5", "100", "-1"]),
            "type" => choose(&mut self.random, &Type::ALL.map(Type::name)),
            "min" | "max" | "start" | "stop" => self.bound(),
            "member" | "element" | "pivot" if self.random.u8(..30) > 0 => self.member(),
            "field" if self.random.u8(..3) == 0 => self.member(),
            "connection-name" | "libname" | "libver" => {
                choose(&mut self.random, &["name", "other", "with blank"])
            }
            "field" if self.random.u8(..4) > 0 => choose(&mut self.random, &["a", "b", "c", "d", "e", "f"]),
            "command-name" => choose(&mut self.random, &["get", "set", "client|list", "none"]),
            _ => self.value(),
        }
    }

    fn integer(&mut self, name: &str) -> i64 {
        if matches!(name, "numkeys" | "numfields") {
            let count = self.random.usize(1..5);
            self.announced = Some(count);
            return count as i64;
        }
        let random = &mut self.random;
        if name.contains("index") || name.contains("db") {
            return if random.u8(..30) == 0 { random.i64(-1..20) } else { random.i64(0..3) };
        }
        match random.u8(..30) {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => -1,
            3 => 0,
            4..10 => random.i64(-40..40),
            10..12 => random.i64(0..3000),
            _ => random.i64(0..20),
        }
    }

    fn unix_time(&mut self, name: &str) -> i64 {
        let from_now_ms = self.random.i64(-5_000..60_000);
        // Rounded to seconds, the present is past as well.
        self.hides_keys |= from_now_ms < 1_000;
        let ms = START_UNIX_US / 1000 + from_now_ms;
        if name.contains("milli") { ms } else { ms / 1000 }
    }

    fn pattern(&mut self) -> Vec<u8> {
        let pattern =
            ["*", "key:*", "*1*", "{tag}key:?", "*[0-5]", "hash:*->a", "none"][self.random.usize(..7)];
        format!("{}{pattern}", self.prefix).into_bytes()
    }

    fn scan_options(&mut self) -> Vec<Vec<u8>> {
        let mut options: Vec<Vec<u8>> = Vec::new();
        if self.random.bool() {
            options.extend([b"COUNT".to_vec(), self.random.u8(1..30).to_string().into_bytes()]);
        }
        if self.random.bool() {
            options.extend([b"MATCH".to_vec(), self.pattern()]);
        }
        if self.random.u8(..4) == 0 {
            let value_type = Type::ALL[self.random.usize(..Type::ALL.len())];
            options.extend([b"TYPE".to_vec(), value_type.name().into()]);
        }
        options
    }
}

/// How often a command is drawn, relative to the others; 0 for never.
fn weight(command: &Command, kind: Kind) -> u32 {
    let family = command.full_name.split('|').next().unwrap_or_default();
    if matches!(command.run, Run::Container | Run::Transaction(_))
        || NOT_DRAWN.contains(&command.full_name)
        || NOT_DRAWN.contains(&family)
        || command.flags.has(Flags::BLOCKING)
    {
        return 0;
    }
    let about_keys = !matches!(command.spread, Spread::Nowhere | Spread::AllNodes(_));
    match kind {
        Kind::Writes if !command.is_write() => return 0,
        Kind::OneOfMany if matches!(command.spread, Spread::AllShards(_) | Spread::AnyShard) => return 0,
        _ => {}
    }
    match (command.spread, about_keys) {
        // Long replies.
        _ if family == "command" => 1,
        (Spread::AllShards(_), _) if command.is_write() => 4,
        (Spread::AllShards(_), _) => 20,
        (_, true) if matches!(command.full_name, "set" | "get" | "mset" | "incr" | "append") => 120,
        (_, true) => 40,
        (_, false) => 5,
    }
}

fn has(words: &[Vec<u8>], name: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a SORT keeps or chooses among elements whose order may follow from the shard's seed: those of a set that
/// have equal weights or are not sorted.
fn sorts_by_chance(words: &[Vec<u8>]) -> bool {
    let sorts = has(&words[..1], "SORT") || has(&words[..1], "SORT_RO");
    sorts && has(words, "BY") && (has(words, "STORE") || has(words, "LIMIT"))
}

/// Whether an argument of this kind that comes several times is elements of a collection.
fn holds_elements(group: Group, kind: ArgKind) -> bool {
    TYPED.iter().any(|(typed, _)| *typed == group) && matches!(kind, ArgKind::String | ArgKind::Block(_))
}
