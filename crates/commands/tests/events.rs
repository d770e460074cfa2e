//! What commands tell of the keys that they change, against what a real server told: see `events/README.md`.

#[path = "support/engine.rs"]
mod engine;
#[path = "support/event_differences.rs"]
mod event_differences;

use engine::{DATABASES, Engine};
use event_differences::{DIFFERENCES, expected};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tessera_command::{Command, Flags, Run};
use tessera_commands::COMMANDS;
use tessera_golden::events::{KeyEvent, Outcome, Recording, Step};
use tessera_golden::{find_recordings, load_recording};
use tessera_keyspace::{Event, EventClass, EvictionPolicy, ShardSettings};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Protocol, Reply};

/// When every case begins, in Unix milliseconds.
const BEGIN_MS: i64 = 1_800_000_000_000;

/// Commands about whole databases, which tell nothing of keys.
const TELL_NOTHING: &[&str] = &["flushall", "flushdb", "swapdb"];

/// A client that waits.
struct Waiter {
    command: &'static Command,
    words: OwnedArgs,
    keys: Vec<Box<[u8]>>,
}

/// Which events came of which command.
type Met = BTreeMap<&'static str, BTreeSet<Event>>;

/// One shard, and the clients that wait for its keys.
struct Player {
    engine: Engine,
    now_ms: i64,
    waiters: Vec<Waiter>,
    met: Met,
}

impl Player {
    fn new() -> Player {
        let mut engine = Engine::new(BEGIN_MS);
        engine.shard.events_mut().set_listened(true);
        Player { engine, now_ms: BEGIN_MS, waiters: Vec::new(), met: Met::new() }
    }

    fn step(&mut self, step: &Step) -> Outcome {
        let mut outcome = Outcome::default();
        match step {
            Step::None => {}
            Step::EndOfCase => self.begin_case(),
            Step::Command { connection, words } => {
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                let command = self.engine.resolve(&words);
                let reply = if connection == "main" {
                    self.engine.run_words(&words)
                } else {
                    self.run_on_other(command, &words)
                };
                let text = String::from_utf8_lossy(&reply).into_owned();
                outcome.error = text.strip_prefix('-').map(|error| error.trim_end().to_owned());
                self.take_events(Some(command), &mut outcome);
                self.serve_waiters(&mut outcome);
            }
            Step::Time { duration_ms } => {
                self.now_ms += *duration_ms as i64;
                self.engine.set_now_ms(self.now_ms);
            }
            Step::Expire => while self.engine.shard.expire_cycle(|| true) > 0 {},
            Step::Evict => {
                let settings = self.engine.shard.settings();
                let eviction_policy = EvictionPolicy::AllKeysLru;
                self.engine.shard.set_settings(ShardSettings { eviction_policy, ..settings });
                while self.engine.shard.evict().is_some() {}
                self.engine.shard.set_settings(settings);
            }
        }
        self.take_events(None, &mut outcome);
        outcome
    }

    fn begin_case(&mut self) {
        for waiter in std::mem::take(&mut self.waiters) {
            self.forget(&waiter);
        }
        for db in 0..DATABASES {
            self.engine.shard.flush(db, false);
        }
        self.engine.client.db = 0;
    }

    /// Runs a blocking command of a client in database 0, which waits if there is nothing for it.
    fn run_on_other(&mut self, command: &'static Command, words: &[&[u8]]) -> Vec<u8> {
        let Run::Blocking(steps) = command.run else { panic!("only `main` does not block: {words:?}") };
        let words = OwnedArgs::from_words(words);
        let wait = (steps.wait)(words.as_args()).expect("words that can be read");
        let mut out = Vec::new();
        let mut view = self.engine.shard.view_mut(0, true);
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        let served = steps.try_keys(words.as_args(), &wait.keys, &mut view, &mut reply);
        assert!(matches!(served, Ok(None)), "a client on another connection than `main` is there to wait");
        let keys: Vec<Box<[u8]>> = wait.keys.iter().map(|key| (*key).into()).collect();
        keys.iter().for_each(|key| self.engine.shard.waited_keys().add(0, key));
        self.waiters.push(Waiter { command, words, keys });
        out
    }

    fn forget(&mut self, waiter: &Waiter) {
        waiter.keys.iter().for_each(|key| self.engine.shard.waited_keys().remove(0, key));
    }

    /// Has those who wait served in the order in which they came, as a node does.
    fn serve_waiters(&mut self, outcome: &mut Outcome) {
        while self.engine.shard.waited_keys().has_ready() {
            for (_, key) in self.engine.shard.waited_keys().take_ready() {
                while let Some(index) = self.next_for(&key) {
                    let waiter = self.waiters.remove(index);
                    self.forget(&waiter);
                    let Run::Blocking(steps) = waiter.command.run else { unreachable!("others do not wait") };
                    let mut out = Vec::new();
                    let mut view = self.engine.shard.view_mut(0, true);
                    let mut reply = Reply::new(&mut out, Protocol::Resp2);
                    let keys: Vec<&[u8]> = waiter.keys.iter().map(|key| &**key).collect();
                    // Who is refused is told so, and does not wait any longer.
                    let _ = steps.try_keys(waiter.words.as_args(), &keys, &mut view, &mut reply);
                    self.take_events(Some(waiter.command), outcome);
                }
            }
        }
    }

    /// The first of those who wait for `key` and for what it holds.
    fn next_for(&self, key: &[u8]) -> Option<usize> {
        let held = self.engine.shard.view(0, false).peek(key)?.value().value_type();
        self.waiters.iter().position(|waiter| {
            let Run::Blocking(steps) = waiter.command.run else { return false };
            steps.waits_for == held && waiter.keys.iter().any(|waited| **waited == *key)
        })
    }

    /// Adds the events since the last call, which came of `command`.
    fn take_events(&mut self, command: Option<&'static Command>, outcome: &mut Outcome) {
        for told in self.engine.shard.events_mut().take() {
            if let Some(command) = command {
                self.met.entry(command.full_name).or_default().insert(told.event);
            }
            if told.event.class() != EventClass::Unpublished {
                let (db, name, key) = (told.db, told.event.name().to_owned(), told.key.into());
                outcome.events.push(KeyEvent { db, name, key });
            }
        }
    }
}

fn recordings() -> Vec<(PathBuf, Recording)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let files = find_recordings(&folder).expect("the folder");
    assert!(!files.is_empty());
    files.into_iter().map(|path| (path.clone(), load_recording(&path).expect("a recording"))).collect()
}

/// Plays all recordings. Returns what differs, and which events came of which command.
fn play_all() -> (Vec<String>, Met) {
    let mut differences = Vec::new();
    let mut player = Player::new();
    for (path, recording) in recordings() {
        let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
        player.begin_case();
        for line in &recording.lines {
            let got = player.step(&line.step).to_string();
            let expected = expected(&file, line);
            if got != expected {
                differences.push(format!(
                    "{file}:{} {}\n expected:\n{expected} got:\n{got}",
                    line.number, line.source
                ));
            }
        }
    }
    (differences, player.met)
}

#[test]
fn commands_tell_what_a_real_server_told() {
    let (differences, _) = play_all();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

fn all_commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().flat_map(|command| std::iter::once(command).chain(command.subcommands))
}

#[test]
fn every_write_declares_its_events_and_each_was_met() {
    let (_, met) = play_all();
    let none = BTreeSet::new();
    let mut faults = Vec::new();
    for command in all_commands() {
        let (name, declared) = (command.full_name, command.spec.events);
        let tells_nothing = !command.flags.has(Flags::WRITE) || TELL_NOTHING.contains(&name);
        if declared.is_empty() != tells_nothing && !command.flags.has(Flags::READONLY) {
            faults.push(format!("{name} declares {declared:?}"));
        }
        let met = met.get(name).unwrap_or(&none);
        let missing: Vec<_> = declared.iter().filter(|event| !met.contains(event)).collect();
        if !missing.is_empty() {
            faults.push(format!("{name} declares what no recording has of it: {missing:?}"));
        }
        // Whoever meets what is over tells of that, whether it may change keys or not.
        let of_expiry = |event: &Event| match event {
            Event::Expired | Event::HExpired => true,
            Event::Del => met.contains(&Event::HExpired),
            _ => false,
        };
        let undeclared: Vec<_> =
            met.iter().filter(|event| !declared.contains(event) && !of_expiry(event)).collect();
        if !undeclared.is_empty() {
            faults.push(format!("{name} tells what it does not declare: {undeclared:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_known_difference_is_one() {
    let recordings = recordings();
    for (_, file, at, _) in DIFFERENCES {
        let (_, recording) = recordings
            .iter()
            .find(|(path, _)| path.file_stem().is_some_and(|stem| stem.to_string_lossy() == *file))
            .expect("the file");
        let lines: Vec<_> = recording.lines.iter().filter(|line| line.source == *at).collect();
        assert_eq!(lines.len(), 1, "{file}: {at} is not one line");
        assert_ne!(lines[0].outcome.to_string(), expected(file, lines[0]), "{file}: {at} is no difference");
    }
}
