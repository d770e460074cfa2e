//! Snapshots: what is in one was there at one moment, over all shards; a crash at any step leaves the old set or the
//! new; and what fails is forgotten when the disk is well again.

mod reading;

use crate::client::Client;
use crate::kernel::Sights;
use crate::storage::{DiskWeather, Storage};
use crate::weather::Weather;
use crate::world::{Step, World};
use reading::Saved;
pub(crate) use reading::read;
use std::collections::{BTreeMap, VecDeque};

/// Names that a token goes between by RENAME.
const HOMES: usize = 5;
/// Lists that elements go between.
const LISTS: usize = 4;
const ELEMENTS: usize = 12;
/// Keys that make a snapshot long.
const BULK: usize = 160;
/// Members of a group are set together.
const GROUP: usize = 6;
/// The state that one client writes, one command after the other, whoever it is: the last command's number is in one of
/// these.
const BATONS: usize = 7;

/// The database in which everything happens.
const BUSY: &str = "2";
/// What keys of another database begin with, which nobody changes.
const STILL: &str = "still:";

struct Writer {
    client: Client,
    /// The replies that have not come, where they are known.
    owed: VecDeque<Option<String>>,
}

struct Play {
    world: World,
    random: fastrand::Rng,
    writers: Vec<Writer>,
    boss: Client,
    /// Whose turn it is to pass the baton, and how often that was done.
    runner: Client,
    passed: u64,
    is_passing: bool,
    groups: usize,
    said: u64,
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let mut config = World::config();
    config.snapshot_merged = random.u8(..4) == 0;
    config.rdb_checksum = random.u8(..4) > 0;
    config.rdb_compression = random.bool();
    // With little room for what is saved ahead, writes have to wait.
    config.snapshot_ahead_max = tessera_config::ByteCount([1_000, 20_000, 1 << 20][random.usize(..3)]);
    config.enable_debug_command = tessera_config::Access::Yes;
    config.snapshot_rate_limit_mb = [0, 10, 50][random.usize(..3)];
    let world = World::with_config(shards, weather, false, random.u64(..), config);
    let boss = Client::new(world.kernel().connect(0), random.u64(..));
    let runner = Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..));
    let mut play = Play {
        world,
        random,
        writers: Vec::new(),
        boss,
        runner,
        passed: 0,
        is_passing: false,
        groups: 3,
        said: 0,
    };
    let calm = DiskWeather::slow(&mut play.random);
    play.world.disk().set_weather(calm);
    play.prepare();
    match play.random.u8(..4) {
        0 => play.snapshot_under_load(),
        3 => play.reload_under_load(),
        1 => play.fail_and_recover(),
        _ => play.crash(),
    }
    let mut sights = play.world.kernel().sights();
    sights.moved_blocks = play.world.shared().counters().defrag_hits;
    play.world.shut_down();
    sights
}

impl Play {
    /// Lets everybody go on for a step.
    fn step(&mut self) {
        let (weather, step) = (*self.world.weather(), self.world.steps());
        for writer in &mut self.writers {
            if writer.client.act(&mut self.world.kernel(), &weather, step) {
                self.world.note_answer();
            }
            for reply in writer.client.replies.drain(..) {
                if let Some(expected) = writer.owed.pop_front().expect("a reply is owed") {
                    let reply = String::from_utf8_lossy(&reply);
                    assert!(reply.ends_with(&format!("{expected}\r\n")), "{reply} instead of {expected}");
                }
            }
        }
        let mut moved = self.boss.act(&mut self.world.kernel(), &weather, step);
        moved |= self.runner.act(&mut self.world.kernel(), &weather, step);
        if let Some(reply) = self.runner.replies.pop_front() {
            assert_eq!(reply, b"+OK\r\n", "{}", reply.escape_ascii());
            self.is_passing = false;
        }
        if moved {
            self.world.note_answer();
        }
        if self.world.step() == Step::Idle {
            self.world.sleep();
        }
    }

    fn ask_boss(&mut self, command: &[&str]) -> Vec<u8> {
        self.boss.say(&words(command));
        loop {
            if let Some(reply) = self.boss.replies.pop_front() {
                return reply;
            }
            self.step();
        }
    }

    fn prepare(&mut self) {
        // Everything happens in one database, and a snapshot comes to another first.
        for number in 0..self.random.usize(0..BULK) {
            let text: String = std::iter::repeat_with(|| self.random.alphanumeric()).take(500).collect();
            self.ask_boss(&["SET", &format!("{STILL}{number}"), &text]);
        }
        self.ask_boss(&["SELECT", BUSY]);
        self.runner.say(&words(&["SELECT", BUSY]));
        self.is_passing = true;
        self.ask_boss(&["SET", "home:0", "token"]);
        for number in 0..ELEMENTS {
            let list = format!("list:{}", number % LISTS);
            self.ask_boss(&["RPUSH", &list, &format!("element:{number}")]);
        }
        for group in 0..self.groups {
            self.set_group(group, 0);
        }
        self.ask_boss(&["SET", "baton:0", "0"]);
        // Something to walk for a while.
        for number in 0..self.random.usize(0..BULK) {
            // Nothing that could be made shorter.
            let text: String = std::iter::repeat_with(|| self.random.alphanumeric()).take(3_000).collect();
            self.ask_boss(&["SET", &format!("bulk:{number}"), &text]);
        }
        let nodes = self.world.nodes();
        for _ in 0..self.random.usize(1..8) {
            let node = self.random.usize(..nodes);
            let mut client = Client::new(self.world.kernel().connect(node), self.random.u64(..));
            client.say(&words(&["SELECT", BUSY]));
            self.writers.push(Writer { client, owed: VecDeque::from([Some("+OK".to_owned())]) });
        }
    }

    fn set_group(&mut self, group: usize, value: u64) {
        let mut command = vec!["MSET".to_owned()];
        for member in 0..GROUP {
            command.extend([format!("group:{group}:{member}"), value.to_string()]);
        }
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        self.ask_boss(&command);
    }

    /// Has writers say something, sometimes.
    fn write(&mut self) {
        if !self.is_passing && self.random.bool() {
            self.passed += 1;
            self.is_passing = true;
            let name = format!("baton:{}", self.passed as usize % BATONS);
            self.runner.say(&words(&["SET", &name, &self.passed.to_string()]));
        }
        for number in 0..self.writers.len() {
            if self.writers[number].owed.len() > 3 || self.random.u8(..4) > 0 {
                continue;
            }
            self.said += 1;
            let said = self.said.to_string();
            let command: Vec<String> = match self.random.u8(..8) {
                // Each group has one writer at a time: others would mix their values.
                0..3 if number < self.groups => {
                    let member = |member| [format!("group:{number}:{member}"), said.clone()];
                    [vec!["MSET".to_owned()], (0..GROUP).flat_map(member).collect()].concat()
                }
                3 if number == 0 => {
                    // It fails if the token is elsewhere.
                    let (from, to) = (self.random.usize(..HOMES), self.random.usize(..HOMES));
                    vec!["RENAME".into(), format!("home:{from}"), format!("home:{to}")]
                }
                4..6 => {
                    let (from, to) = (self.random.usize(..LISTS), self.random.usize(..LISTS));
                    let ends = [("LEFT", "RIGHT"), ("RIGHT", "LEFT")][self.random.usize(..2)];
                    let name = if number > 2 { "BLMOVE" } else { "LMOVE" };
                    let mut command = [name, &format!("list:{from}"), &format!("list:{to}"), ends.0, ends.1]
                        .map(str::to_owned)
                        .to_vec();
                    if number > 2 {
                        command.push("0.01".into());
                    }
                    command
                }
                _ => {
                    // What it writes it reads at once; each writer has keys of its own.
                    let key = format!("bulk:{}", self.random.usize(..BULK / 8) * 8 + number);
                    let end = (99 + said.len()).to_string();
                    self.writers[number].client.say(&words(&["SETRANGE", &key, "100", &said]));
                    self.writers[number].client.say(&words(&["GETRANGE", &key, "100", &end]));
                    self.writers[number].owed.extend([None, Some(said)]);
                    continue;
                }
            };
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            self.writers[number].client.say(&words(&command));
            self.writers[number].owed.push_back(None);
        }
    }

    fn info(&mut self, field: &str) -> String {
        let page = self.ask_boss(&["INFO", "persistence"]);
        let page = String::from_utf8(page).expect("a page is text");
        let line = page.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {field} in {page}")).to_owned()
    }

    /// Writes go on until the snapshot is over. The baton's number when it was asked for, and after.
    fn save_under_load(&mut self) -> (u64, u64) {
        let before = self.passed.saturating_sub(u64::from(self.is_passing));
        if self.random.bool() {
            self.boss.say(&words(&["SAVE"]));
            while self.boss.replies.is_empty() && !self.world.disk().has_stopped() {
                self.write();
                self.step();
            }
            self.boss.replies.clear();
        } else {
            let reply = self.ask_boss(&["BGSAVE"]);
            assert_eq!(reply, b"+Background saving started\r\n", "{}", reply.escape_ascii());
            while !self.world.disk().has_stopped() && self.info("rdb_bgsave_in_progress") == "1" {
                for _ in 0..20 {
                    self.write();
                    self.step();
                }
            }
        }
        (before, self.passed)
    }

    fn check(&self, saved: &Saved, (before, after): (u64, u64)) {
        let texts = &saved.texts;
        for group in 0..self.groups {
            let values: Vec<_> =
                (0..GROUP).map(|member| texts.get(&format!("group:{group}:{member}"))).collect();
            assert!(values.iter().all(|value| *value == values[0]), "MSET in part: {values:?}");
        }
        let tokens = (0..HOMES).filter(|home| texts.contains_key(&format!("home:{home}"))).count();
        assert_eq!(tokens, 1, "what RENAME moves is in one place");
        let mut elements: Vec<&str> = saved.lists.values().flatten().map(String::as_str).collect();
        elements.sort_unstable();
        elements.dedup();
        let all: usize = saved.lists.values().map(Vec::len).sum();
        assert_eq!((elements.len(), all), (ELEMENTS, ELEMENTS), "{:?}", saved.lists);
        // One baton after the other was set, each when the one before had been answered.
        let batons: BTreeMap<usize, u64> = (0..BATONS)
            .filter_map(|baton| Some((baton, texts.get(&format!("baton:{baton}"))?.parse().ok()?)))
            .collect();
        let last = batons.values().copied().max().unwrap_or(0);
        let expected: BTreeMap<usize, u64> = (last.saturating_sub(BATONS as u64 - 1)..=last)
            .map(|passed| (passed as usize % BATONS, passed))
            .collect();
        assert_eq!(batons, expected, "what was written one after the other");
        assert!((before..=after).contains(&last), "saved is {last}, which is not in {before}..={after}");
    }

    /// It is as it should be, and of one of these spans.
    fn is_of(&self, saved: &Saved, spans: &[(u64, u64)]) -> bool {
        let last = saved.texts.iter().filter(|(key, _)| key.starts_with("baton:"));
        let last = last.filter_map(|(_, passed)| passed.parse().ok()).max().unwrap_or(0);
        self.check(saved, (last, last));
        spans.iter().any(|(before, after)| (*before..=*after).contains(&last))
    }

    fn snapshot_under_load(&mut self) {
        for _ in 0..self.random.usize(1..4) {
            for _ in 0..self.random.usize(0..300) {
                self.write();
                self.step();
            }
            let span = self.save_under_load();
            assert_eq!(self.info("rdb_last_bgsave_status"), "ok");
            let contents = contents(&self.world.disk());
            let saved = read(&contents).expect("the set is whole");
            assert_eq!(contents.len(), saved.files, "what is not needed is removed: {:?}", contents.keys());
            self.check(&saved, span);
        }
    }

    /// All keys are loaded again and again while clients write: nothing is lost, and nothing comes back.
    fn reload_under_load(&mut self) {
        const NOT_LOADED: &str = "-ERR Error trying to load the RDB dump, check server logs.\r\n";
        let nodes = self.world.nodes();
        let node = self.random.usize(..nodes);
        let mut other = Client::new(self.world.kernel().connect(node), self.random.u64(..));
        let mut asked = 0;
        for _ in 0..self.random.usize(1..6) {
            for _ in 0..self.random.usize(0..300) {
                self.write();
                self.step();
            }
            let (options, expected): (&[&str], &str) = match self.random.u8(..6) {
                0 => (&["MERGE"], "+OK\r\n"),
                1 => (&["NOFLUSH", "MERGE"], "+OK\r\n"),
                // All keys are there already.
                2 => (&["NOFLUSH"], NOT_LOADED),
                _ => (&[], "+OK\r\n"),
            };
            // Another snapshot may be under way, or another client want the same.
            let also: &[&str] = match self.random.u8(..4) {
                0 => &["BGSAVE"],
                1 => &["DEBUG", "RELOAD"],
                _ => &[],
            };
            if !also.is_empty() {
                other.say(&words(also));
                asked += 1;
            }
            self.boss.say(&words(&[&["DEBUG", "RELOAD"], options].concat()));
            while self.boss.replies.is_empty() {
                let (weather, step) = (*self.world.weather(), self.world.steps());
                if other.act(&mut self.world.kernel(), &weather, step) {
                    self.world.note_answer();
                }
                self.write();
                self.step();
            }
            let reply = self.boss.replies.pop_front().unwrap_or_default();
            assert_eq!(String::from_utf8_lossy(&reply), expected, "{options:?}");
            assert_eq!(self.world.shared().loading.failure(), None);
        }
        // What the other client has asked for comes to its end.
        while other.replies.len() < asked || self.info("rdb_bgsave_in_progress") == "1" {
            let (weather, step) = (*self.world.weather(), self.world.steps());
            other.act(&mut self.world.kernel(), &weather, step);
            self.step();
        }
        let span = self.save_under_load();
        self.check(&read(&contents(&self.world.disk())).expect("the set is whole"), span);
    }

    fn fail_and_recover(&mut self) {
        let span = self.save_under_load();
        self.check(&read(&contents(&self.world.disk())).expect("the set is whole"), span);
        let calm = *self.world.disk().weather();
        let trouble = DiskWeather::draw(&mut self.random);
        self.world.disk().set_weather(trouble);
        let mut spans = vec![span];
        for _ in 0..self.random.usize(1..5) {
            spans.push(self.save_under_load());
            let saved = read(&contents(&self.world.disk())).expect("a set is whole whatever fails");
            assert!(self.is_of(&saved, &spans), "what is there is none of the snapshots");
        }
        self.world.disk().set_weather(calm);
        let span = self.save_under_load();
        let contents = contents(&self.world.disk());
        let saved = read(&contents).expect("the set is whole");
        assert_eq!(contents.len(), saved.files, "what is not needed is removed: {:?}", contents.keys());
        self.check(&saved, span);
    }

    fn crash(&mut self) {
        let first = self.save_under_load();
        let operations = self.world.disk().sights().operations + self.random.u64(1..40);
        let weather = DiskWeather { stops_after_operations: operations, ..*self.world.disk().weather() };
        self.world.disk().set_weather(weather);
        let second = if self.world.disk().has_stopped() { first } else { self.save_until_crash() };
        // The nodes end with it, in the middle of whatever they do.
        let nothing = World::new(1, Weather::calm(), false, 0);
        let storage = std::mem::replace(&mut self.world, nothing).crash();
        let saved = read(&contents(&storage)).unwrap_or_else(|problem| panic!("after a crash: {problem}"));
        assert!(self.is_of(&saved, &[first, second]), "what is there is neither the old nor the new set");
        self.load(storage, &saved);
    }

    /// A server of other nodes loads what is there, and a client finds all of it.
    fn load(&mut self, storage: Storage, saved: &Saved) {
        let shards = self.random.usize(1..6);
        let weather = Weather::draw(&mut self.random);
        self.world = World::on_disk(shards, weather, false, self.random.u64(..), World::config(), storage);
        let slow = DiskWeather::slow(&mut self.random);
        self.world.disk().set_weather(slow);
        self.writers.clear();
        let node = self.random.usize(..shards);
        self.boss = Client::new(self.world.kernel().connect(node), self.random.u64(..));
        self.runner = Client::new(self.world.kernel().connect(0), self.random.u64(..));
        while self.ask_boss(&["PING"]).starts_with(b"-LOADING ") {}
        assert_eq!(self.world.shared().loading.failure(), None);
        assert_eq!(self.ask_boss(&["DBSIZE"]), format!(":{}\r\n", saved.still_keys).into_bytes());
        self.ask_boss(&["SELECT", BUSY]);
        let keys = saved.texts.len() + saved.lists.len();
        assert_eq!(self.ask_boss(&["DBSIZE"]), format!(":{keys}\r\n").into_bytes());
        for (key, text) in &saved.texts {
            let expected = format!("${}\r\n{text}\r\n", text.len()).into_bytes();
            assert_eq!(self.ask_boss(&["GET", key]), expected, "{key}");
        }
        for (key, elements) in &saved.lists {
            let mut expected = format!("*{}\r\n", elements.len());
            for element in elements {
                expected += &format!("${}\r\n{element}\r\n", element.len());
            }
            assert_eq!(self.ask_boss(&["LRANGE", key, "0", "-1"]), expected.into_bytes(), "{key}");
        }
    }

    fn save_until_crash(&mut self) -> (u64, u64) {
        let mut span = (u64::MAX, 0);
        while !self.world.disk().has_stopped() {
            let (before, after) = self.save_under_load();
            span = (span.0.min(before), after);
        }
        span
    }
}

/// All files of the data directory.
pub(crate) fn contents(storage: &Storage) -> BTreeMap<String, Vec<u8>> {
    let path = |name: String| format!("/data/{name}");
    let paths = storage.list("/data").into_iter().map(path);
    paths.filter_map(|path| storage.contents(&path).map(<[u8]>::to_vec).map(|bytes| (path, bytes))).collect()
}
