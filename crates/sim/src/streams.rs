//! Long replies: each shows a value as it was at one moment, whole, whatever becomes of the value meanwhile.
//!
//! Every element of a value bears a stamp, and its place in the value is the stamp modulo their number. Whoever writes
//! gives one element after the other the next stamp, so the highest stamp in a reply says what all the others must be.

use crate::client::Client;
use crate::kernel::Sights;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use std::collections::VecDeque;
use tessera_config::{ByteCount, Config, MaxMemoryPolicy};
use tessera_resp::scan;

/// Elements of a value: more than are visited between two looks at the length of a piece.
const ELEMENTS: u64 = 600;
/// Length of an element in bytes, so that a value makes a long reply.
const ELEMENT_LEN_BYTES: usize = 2_000;
/// The time that some fields, and some keys, have left, in milliseconds.
const TTL_MAX_MS: u64 = 3_000;
/// Where values are moved and copied to.
const ASIDE: &str = "aside";
/// The database where values get by MOVE, COPY and SWAPDB only.
const READ_ONLY_DB: &str = "2";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Hash,
    /// Members are only added, so stamps follow one another.
    Set,
    SortedSet,
    /// A hash whose fields expire one after the other.
    Timed,
    /// A string whose elements follow one another.
    String,
}

const KINDS: [Kind; 6] = [Kind::List, Kind::Hash, Kind::Set, Kind::SortedSet, Kind::Timed, Kind::String];

/// What a reply tells of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Elements,
    /// Places, but no stamps.
    Places,
    /// Element and score, or place and element.
    Pairs,
}

/// A client that changes one value.
struct Writer {
    client: Client,
    kind: Kind,
    key: String,
    next_stamp: u64,
}

/// A client that reads.
struct Reader {
    client: Client,
    expected: VecDeque<Expected>,
}

/// What a reader waits for.
enum Expected {
    Database,
    /// That there is no such key.
    Brief,
    Value {
        kind: Kind,
        shown: Shown,
        is_reversed: bool,
    },
}

fn element(stamp: u64) -> String {
    format!("{stamp:0>ELEMENT_LEN_BYTES$}")
}

fn place(stamp: u64) -> String {
    format!("place:{}", stamp % ELEMENTS)
}

fn say(client: &mut Client, words: &[&str]) {
    client.say(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

fn key(kind: Kind, tag: u8) -> String {
    format!("{{{tag}}}{kind:?}")
}

impl Writer {
    /// Makes the value anew, whatever the key holds.
    fn fill(&mut self, random: &mut fastrand::Rng) {
        say(&mut self.client, &["DEL", &self.key]);
        let mut words: Vec<String> = match self.kind {
            Kind::List => vec!["RPUSH".into(), self.key.clone()],
            Kind::Hash | Kind::Timed => vec!["HSET".into(), self.key.clone()],
            Kind::Set => vec!["SADD".into(), self.key.clone()],
            Kind::SortedSet => vec!["ZADD".into(), self.key.clone()],
            Kind::String => vec!["SET".into(), self.key.clone(), String::new()],
        };
        // A list's elements must come in the order of their places.
        self.next_stamp = self.next_stamp.next_multiple_of(ELEMENTS);
        for stamp in self.next_stamp..self.next_stamp + ELEMENTS {
            match self.kind {
                Kind::List | Kind::Set => {}
                Kind::String => {
                    words[2].push_str(&element(stamp));
                    continue;
                }
                Kind::Hash | Kind::Timed => words.push(place(stamp)),
                Kind::SortedSet => words.push(stamp.to_string()),
            }
            words.push(if self.kind == Kind::SortedSet { element(stamp % ELEMENTS) } else { element(stamp) });
        }
        self.next_stamp += ELEMENTS;
        self.client.say(&words.into_iter().map(String::into_bytes).collect::<Vec<_>>());
        if self.kind == Kind::Timed {
            for part in 0..6 {
                let ttl_ms = random.u64(1..TTL_MAX_MS).to_string();
                let count = (ELEMENTS / 6).to_string();
                let mut words = vec!["HPEXPIRE".to_owned(), self.key.clone(), ttl_ms, "FIELDS".into(), count];
                words.extend((part * ELEMENTS / 6..(part + 1) * ELEMENTS / 6).map(place));
                self.client.say(&words.into_iter().map(String::into_bytes).collect::<Vec<_>>());
            }
        }
    }

    /// Changes one element, if there is a value.
    fn change(&mut self) {
        let stamp = self.next_stamp;
        self.next_stamp += 1;
        let (place, element) = (place(stamp), element(stamp));
        match self.kind {
            Kind::List => {
                say(&mut self.client, &["LSET", &self.key, &(stamp % ELEMENTS).to_string(), &element]);
            }
            Kind::Hash => {
                let words = ["HSETEX", &self.key, "FXX", "FIELDS", "1", &place, &element];
                say(&mut self.client, &words);
            }
            Kind::Timed => say(&mut self.client, &["HSET", &self.key, "other", &element]),
            Kind::Set => say(&mut self.client, &["SADD", &self.key, &element]),
            Kind::String => {
                let offset = stamp % ELEMENTS * ELEMENT_LEN_BYTES as u64;
                say(&mut self.client, &["SETRANGE", &self.key, &offset.to_string(), &element]);
            }
            Kind::SortedSet => {
                let member = self::element(stamp % ELEMENTS);
                say(&mut self.client, &["ZADD", &self.key, "XX", &stamp.to_string(), &member]);
            }
        }
    }
}

impl Reader {
    fn ask(&mut self, kind: Kind, key: &str, random: &mut fastrand::Rng) {
        let is_reversed = kind == Kind::SortedSet && random.bool();
        let (words, shown): (Vec<&str>, Shown) = match (kind, random.u8(..3)) {
            (Kind::List, _) => (vec!["LRANGE", key, "0", "-1"], Shown::Elements),
            (Kind::Hash | Kind::Timed, 0) => (vec!["HKEYS", key], Shown::Places),
            (Kind::Hash | Kind::Timed, 1) => (vec!["HVALS", key], Shown::Elements),
            (Kind::Hash | Kind::Timed, _) => (vec!["HGETALL", key], Shown::Pairs),
            (Kind::Set, _) => (vec!["SMEMBERS", key], Shown::Elements),
            (Kind::SortedSet, _) if is_reversed => {
                (vec!["ZREVRANGE", key, "0", "-1", "WITHSCORES"], Shown::Pairs)
            }
            (Kind::SortedSet, _) => (vec!["ZRANGE", key, "0", "-1", "WITHSCORES"], Shown::Pairs),
            (Kind::String, draw) => {
                let words: &[&str] = match (draw, random.u8(..4)) {
                    (0, _) => &["GET", key],
                    (1, 0 | 1) => &["GETRANGE", key, "0", "-1"],
                    (1, _) => &["SUBSTR", key, "0", "-1"],
                    (_, 0) => &["GETEX", key, "PERSIST"],
                    (_, 1) => &["GETDEL", key],
                    (_, 2) => &["GETSET", key, "a string"],
                    (_, _) => &["SET", key, "a string", "KEEPTTL", "GET"],
                };
                (words.to_vec(), Shown::Elements)
            }
        };
        say(&mut self.client, &words);
        self.expected.push_back(Expected::Value { kind, shown, is_reversed });
    }

    /// Something short, to the shard of long values.
    fn ask_briefly(&mut self, tag: u8) {
        say(&mut self.client, &["GET", &format!("{{{tag}}}short")]);
        self.expected.push_back(Expected::Brief);
    }

    fn take_replies(&mut self) {
        while let Some(reply) = self.client.replies.pop_front() {
            match self.expected.pop_front().expect("it was asked for") {
                Expected::Database => assert_eq!(reply, b"+OK\r\n"),
                Expected::Brief => assert_eq!(reply, b"$-1\r\n"),
                Expected::Value { kind, shown, is_reversed } => check(kind, shown, is_reversed, &reply),
            }
        }
    }
}

fn number(text: &[u8]) -> u64 {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim_start_matches("place:").parse().ok())
        .expect("a number")
}

/// Panics unless the reply is what a value was at some moment.
fn check(kind: Kind, shown: Shown, is_reversed: bool, reply: &[u8]) {
    if scan::is_error(reply) {
        assert!(reply.starts_with(b"-WRONGTYPE"), "{}", reply.escape_ascii());
        return;
    }
    if kind == Kind::String {
        return check_string(scan::text(reply).unwrap_or_default());
    }
    let texts: Vec<&[u8]> = scan::elements(reply).expect("elements").filter_map(scan::text).collect();
    if texts.is_empty() || kind == Kind::Timed {
        // Of fields that expire any may be left: that as many came as were announced is what can be told.
        return;
    }
    // The place and the stamp of each.
    let found: Vec<(u64, u64)> = match shown {
        Shown::Elements => {
            texts.iter().map(|text| number(text)).map(|stamp| (stamp % ELEMENTS, stamp)).collect()
        }
        Shown::Places => texts.iter().map(|text| (number(text), number(text))).collect(),
        Shown::Pairs => texts.chunks(2).map(|pair| (number(pair[0]), number(pair[1]))).collect(),
    };
    let newest = found.iter().map(|(_, stamp)| *stamp).max().expect("it is not empty");
    if kind == Kind::Set {
        let mut stamps: Vec<u64> = found.iter().map(|(_, stamp)| *stamp).collect();
        stamps.sort_unstable();
        let first = stamps[0];
        assert!(stamps.iter().copied().eq(first..=newest), "members were lost, or came twice: {stamps:?}");
        return;
    }
    assert_eq!(found.len() as u64, ELEMENTS, "of a {kind:?}");
    let mut places: Vec<u64> = found.iter().map(|(place, _)| *place).collect();
    match kind {
        Kind::List => {}
        Kind::SortedSet if is_reversed => assert!(found.is_sorted_by(|a, b| a.1 > b.1), "{found:?}"),
        Kind::SortedSet => assert!(found.is_sorted_by(|a, b| a.1 < b.1), "{found:?}"),
        _ => {}
    }
    if kind != Kind::List {
        places.sort_unstable();
    }
    assert!(
        places.iter().copied().eq(0..ELEMENTS),
        "elements of a {kind:?} were lost, or came twice: {places:?}"
    );
    if shown != Shown::Places {
        for (place, stamp) in found {
            let expected = newest - (newest - place) % ELEMENTS;
            assert_eq!(stamp, expected, "at place {place} of a {kind:?} whose newest is {newest}");
        }
    }
}

/// The same for a string. It may have begun as another one, or as none: elements that were never written are something
/// else.
fn check_string(text: &[u8]) {
    let stamp = |(place, element): (usize, &[u8])| {
        let stamp = std::str::from_utf8(element).ok()?.parse().ok()?;
        Some((place as u64, stamp))
    };
    let found: Vec<(u64, u64)> = text.chunks_exact(ELEMENT_LEN_BYTES).enumerate().filter_map(stamp).collect();
    let newest = found.iter().map(|(_, stamp)| *stamp).max().unwrap_or(0);
    for (place, stamp) in found {
        let expected = newest - (newest - place) % ELEMENTS;
        assert_eq!(stamp, expected, "at place {place} of a string whose newest is {newest}");
    }
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut weather = Weather::draw(&mut random);
    // A reply is more than a million bytes.
    weather.receive_max_len_bytes = 64 * 1024;
    weather.window_len_bytes = [20_000, 60_000, 400_000][random.usize(..3)];
    weather.starve_steps = weather.starve_steps.min(200);
    let evicts = random.u8(..3) == 0;
    let config = Config {
        max_memory: ByteCount(if evicts { 7_000_000 } else { 0 }),
        max_memory_policy: MaxMemoryPolicy::AllKeysRandom,
        snapshot_ahead_max: ByteCount([1_000, 1 << 20][random.usize(..2)]),
        active_defrag_cycle_max: 25,
        ..World::config()
    };
    let world = World::with_config(shards, weather, true, random.u64(..), config);
    let mut play =
        Play { world, random, writers: Vec::new(), readers: Vec::new(), others: Vec::new(), tags: 2 };
    play.gather();
    play.go();
    let sockets: Vec<usize> = play
        .writers
        .iter()
        .map(|writer| writer.client.socket)
        .chain(play.readers.iter().map(|reader| reader.client.socket))
        .chain(play.others.iter().map(|other| other.socket))
        .collect();
    for socket in sockets {
        play.world.kernel().end(socket, play.random.bool());
    }
    play.world.check_empty();
    let mut sights = play.world.kernel().sights();
    sights.moved_blocks = play.world.shared().counters().defrag_hits;
    play.world.shut_down();
    sights
}

struct Play {
    world: World,
    random: fastrand::Rng,
    writers: Vec<Writer>,
    readers: Vec<Reader>,
    /// Clients that do anything.
    others: Vec<Client>,
    tags: u8,
}

impl Play {
    fn connect(&mut self) -> Client {
        let node = self.random.usize(..self.world.nodes());
        Client::new(self.world.kernel().connect(node), self.random.u64(..))
    }

    fn gather(&mut self) {
        for kind in KINDS {
            for tag in 0..self.tags {
                if self.random.u8(..3) > 0 {
                    let client = self.connect();
                    let mut writer = Writer { client, kind, key: key(kind, tag), next_stamp: 0 };
                    writer.fill(&mut self.random);
                    self.writers.push(writer);
                }
            }
        }
        for number in 0..self.random.usize(2..6) {
            let client = self.connect();
            let mut reader = Reader { client, expected: VecDeque::new() };
            if number > 1 && self.random.bool() {
                say(&mut reader.client, &["SELECT", READ_ONLY_DB]);
                reader.expected.push_back(Expected::Database);
            }
            self.readers.push(reader);
        }
        for _ in 0..2 {
            let client = self.connect();
            self.others.push(client);
        }
    }

    /// Something that may concern any value.
    fn disturb(&mut self) {
        let random = &mut self.random;
        let other = &mut self.others[random.usize(..2)];
        let (kind, tag) = (KINDS[random.usize(..KINDS.len())], random.u8(..self.tags));
        let (key, aside) = (key(kind, tag), format!("{{{tag}}}{ASIDE}{kind:?}"));
        let ttl_ms = random.u64(1..TTL_MAX_MS).to_string();
        match random.u8(..26) {
            24 | 25 if kind == Kind::String => say(other, &["APPEND", &key, "x"]),
            0 => say(other, &["DEL", &key]),
            1 => say(other, &["UNLINK", &key, &aside]),
            2 => say(other, &["SET", &key, "a string"]),
            3 => say(other, &["RENAME", &key, &aside]),
            4 => say(other, &["COPY", &key, &aside, "REPLACE"]),
            5 => say(other, &["MOVE", &key, READ_ONLY_DB]),
            6 => say(other, &["COPY", &key, &key, "DB", READ_ONLY_DB, "REPLACE"]),
            7 => say(other, &["SWAPDB", READ_ONLY_DB, "3"]),
            8 => say(other, &["FLUSHALL", if random.bool() { "SYNC" } else { "ASYNC" }]),
            9 => say(other, &["FLUSHDB", if random.bool() { "SYNC" } else { "ASYNC" }]),
            10..13 => say(other, &["PEXPIRE", &key, &ttl_ms]),
            13 => say(other, &["PERSIST", &key]),
            14 => say(other, &["SORT", &key, "BY", "nosort", "STORE", &aside]),
            15..18 => say(other, &["BGSAVE"]),
            18 => say(other, &["RENAME", &aside, &format!("{{{}}}{ASIDE}{kind:?}", self.tags - 1 - tag)]),
            19 => say(other, &["SDIFFSTORE", &key, "none"]),
            _ => {
                // To be found expired by whoever comes first.
                let ms = random.i64(1..TTL_MAX_MS as i64);
                self.world.clock().jump(ms);
            }
        }
    }

    fn step(&mut self) -> bool {
        let (weather, step) = (*self.world.weather(), self.world.steps());
        let mut moved = false;
        for writer in &mut self.writers {
            moved |= writer.client.act(&mut self.world.kernel(), &weather, step);
            writer.client.replies.clear();
        }
        for reader in &mut self.readers {
            moved |= reader.client.act(&mut self.world.kernel(), &weather, step);
            reader.take_replies();
        }
        for other in &mut self.others {
            moved |= other.act(&mut self.world.kernel(), &weather, step);
            other.replies.clear();
        }
        if moved {
            self.world.note_answer();
        }
        let is_idle = self.world.step() == Step::Idle;
        if is_idle {
            self.world.sleep();
        }
        moved || !is_idle
    }

    fn go(&mut self) {
        let (mut reads, mut writes) = (self.random.u32(20..60), self.random.u32(20..200));
        let disturbs = self.random.u8(..6);
        while reads > 0 || self.readers.iter().any(|reader| !reader.expected.is_empty()) {
            if reads > 0 && happens(&mut self.random, 5) {
                let reader = self.random.usize(..self.readers.len());
                let tag = self.random.u8(..self.tags);
                if self.random.u8(..3) == 0 {
                    // Its socket may be lent when the long one comes.
                    self.readers[reader].ask_briefly(tag);
                    (0..self.random.u8(..8)).for_each(|_| _ = self.step());
                }
                if self.readers[reader].expected.len() < 4 {
                    let kind = KINDS[self.random.usize(..KINDS.len())];
                    let is_aside = self.random.u8(..5) == 0;
                    let name = if is_aside { format!("{{{tag}}}{ASIDE}{kind:?}") } else { key(kind, tag) };
                    self.readers[reader].ask(kind, &name, &mut self.random);
                    reads -= 1;
                }
            }
            if writes > 0 && !self.writers.is_empty() && happens(&mut self.random, 5) {
                writes -= 1;
                let writer = self.random.usize(..self.writers.len());
                let writer = &mut self.writers[writer];
                if writer.client.unsent_len_bytes() > 0 {
                    continue;
                }
                if self.random.u8(..6) == 0 {
                    writer.fill(&mut self.random);
                } else {
                    writer.change();
                }
            }
            if disturbs > 0 && self.random.u16(..1000) < 10 * u16::from(disturbs) {
                self.disturb();
            }
            self.step();
        }
    }
}
