//! Several clients want the same keys at once, by commands and transactions over several shards: what they are
//! answered, and what is left, is what one order of these leads to. So one of those that want a free name gets it, what
//! cannot be put somewhere stays where it was, nothing is lost, and EXEC runs nothing if and only if a watched key has
//! changed.

use crate::kernel::Sights;
use crate::script::{self, Action, Check};
use crate::weather::Weather;
use crate::world::World;
use std::collections::BTreeMap;

/// On different shards, if there are several.
const KEYS: [&str; 5] = ["race:0", "race:1", "race:2", "race:3", "race:4"];
/// A time in Unix milliseconds that does not come.
const FAR_MS: &str = "9000000000000";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const NO_SUCH_KEY: &str = "-ERR no such key\r\n";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Text(String),
    List(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    held: Held,
    expires: bool,
}

/// What there is on one shard.
#[derive(Clone, Debug, Default)]
struct State {
    entries: BTreeMap<&'static str, Entry>,
    /// How often each key has changed.
    changes: BTreeMap<&'static str, u64>,
    /// What each client watches, and how often that had changed by then.
    watched: BTreeMap<usize, Vec<(&'static str, u64)>>,
}

impl State {
    fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    fn changes_of(&self, key: &str) -> u64 {
        self.changes.get(key).copied().unwrap_or(0)
    }

    fn note(&mut self, key: &'static str) {
        *self.changes.entry(key).or_default() += 1;
    }

    fn put(&mut self, key: &'static str, entry: Entry) {
        self.note(key);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &'static str) -> Option<Entry> {
        let removed = self.entries.remove(key)?;
        self.note(key);
        Some(removed)
    }
}

#[derive(Clone, Debug)]
enum Command {
    Set(&'static str, String),
    SetNx(&'static str, String),
    MSet([(&'static str, String); 2]),
    MSetNx([(&'static str, String); 2]),
    Rename(&'static str, &'static str),
    RenameNx(&'static str, &'static str),
    Copy(&'static str, &'static str, bool),
    Delete(&'static str),
    Get(&'static str),
    Push(&'static str, String),
    Move(&'static str, &'static str),
    BlockingMove(&'static str, &'static str),
    BlockingPop(&'static str),
    Watch([&'static str; 2]),
    /// Between MULTI and EXEC.
    Transaction(Vec<Command>),
}

fn text(value: &str) -> Entry {
    Entry { held: Held::Text(value.to_owned()), expires: false }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

impl Command {
    /// What a client says in a row.
    fn draw_some(random: &mut fastrand::Rng, value: &str) -> Vec<Command> {
        let mut some = Vec::new();
        if random.u8(..3) == 0 {
            let first = random.usize(..KEYS.len());
            let second = (first + random.usize(1..KEYS.len())) % KEYS.len();
            some.push(Command::Watch([KEYS[first], KEYS[second]]));
        }
        for number in 0..2 - some.len() {
            some.push(Command::draw(random, format!("{value}.{number}")));
        }
        if random.bool() || some.len() < 2 {
            let len = random.usize(..5);
            let draw = |number| Command::draw(random, format!("{value}.in.{number}"));
            some.push(Command::Transaction((0..len).map(draw).collect()));
        }
        some
    }

    fn draw(random: &mut fastrand::Rng, value: String) -> Command {
        let from = random.usize(..KEYS.len());
        let to = (from + random.usize(1..KEYS.len())) % KEYS.len();
        let (from, to) = (KEYS[from], KEYS[to]);
        match random.u8(..19) {
            0 => Command::Set(to, value),
            1 | 2 => Command::SetNx(to, value),
            3 | 4 => Command::MSetNx([(from, value.clone()), (to, value)]),
            5 | 6 => Command::Rename(from, to),
            7 | 8 => Command::RenameNx(from, to),
            9 => Command::Copy(from, to, random.bool()),
            10 => Command::Delete(to),
            11 => Command::Get(to),
            12 => Command::Push(to, value),
            13 => Command::Move(from, to),
            14 => Command::BlockingMove(from, to),
            15 | 16 => Command::MSet([(from, value.clone()), (to, value)]),
            _ => Command::BlockingPop(from),
        }
    }

    /// What is said for it.
    fn actions(&self) -> Vec<Action> {
        let words: Vec<&str> = match self {
            Command::Transaction(commands) => {
                let exact = |word| Action::call(&[word], Check::Exact);
                let queued = commands.iter().flat_map(Command::actions);
                return [exact("MULTI")].into_iter().chain(queued).chain([exact("EXEC")]).collect();
            }
            Command::Watch([first, second]) => vec!["WATCH", first, second],
            Command::Set(key, value) => vec!["SET", key, value],
            Command::SetNx(key, value) => vec!["SETNX", key, value],
            Command::MSet([(first, one), (second, two)]) => vec!["MSET", first, one, second, two],
            Command::MSetNx([(first, one), (second, two)]) => vec!["MSETNX", first, one, second, two],
            Command::Rename(from, to) => vec!["RENAME", from, to],
            Command::RenameNx(from, to) => vec!["RENAMENX", from, to],
            Command::Copy(from, to, false) => vec!["COPY", from, to],
            Command::Copy(from, to, true) => vec!["COPY", from, to, "REPLACE"],
            Command::Delete(key) => vec!["DEL", key],
            Command::Get(key) => vec!["GET", key],
            Command::Push(key, value) => vec!["RPUSH", key, value],
            Command::Move(from, to) => vec!["LMOVE", from, to, "LEFT", "RIGHT"],
            Command::BlockingMove(from, to) => vec!["BLMOVE", from, to, "LEFT", "RIGHT", "0.05"],
            Command::BlockingPop(key) => vec!["BLPOP", key, "0.05"],
        };
        vec![Action::call(&words, Check::Exact)]
    }

    /// Does it on one shard for a client, and says what that is told.
    fn apply(&self, state: &mut State, client: usize) -> String {
        let number = |happened: bool| format!(":{}\r\n", u8::from(happened));
        match self {
            Command::Watch(keys) => {
                watch(state, client, keys);
                "+OK\r\n".to_owned()
            }
            Command::Transaction(commands) => execute(state, client, commands),
            Command::Set(key, value) => {
                state.put(key, text(value));
                "+OK\r\n".to_owned()
            }
            Command::SetNx(key, value) => {
                let free = !state.contains(key);
                if free {
                    state.put(key, text(value));
                }
                number(free)
            }
            Command::MSet(pairs) => {
                pairs.iter().for_each(|(key, value)| state.put(key, text(value)));
                "+OK\r\n".to_owned()
            }
            Command::MSetNx(pairs) => {
                let free = pairs.iter().all(|(key, _)| !state.contains(key));
                if free {
                    pairs.iter().for_each(|(key, value)| state.put(key, text(value)));
                }
                number(free)
            }
            Command::Rename(from, to) => match state.remove(from) {
                None => NO_SUCH_KEY.to_owned(),
                Some(entry) => {
                    state.put(to, entry);
                    "+OK\r\n".to_owned()
                }
            },
            Command::RenameNx(from, _) if !state.contains(from) => NO_SUCH_KEY.to_owned(),
            Command::RenameNx(from, to) => {
                let free = !state.contains(to);
                if free && let Some(entry) = state.remove(from) {
                    state.put(to, entry);
                }
                number(free)
            }
            Command::Copy(from, to, replaces) => match state.entries.get(from).cloned() {
                Some(entry) if *replaces || !state.contains(to) => {
                    state.put(to, entry);
                    number(true)
                }
                _ => number(false),
            },
            Command::Delete(key) => number(state.remove(key).is_some()),
            Command::Get(key) => match state.entries.get(key).map(|entry| &entry.held) {
                None => "$-1\r\n".to_owned(),
                Some(Held::Text(text)) => bulk(text),
                Some(Held::List(_)) => WRONG_TYPE.to_owned(),
            },
            Command::Push(key, value) => push(state, key, value),
            Command::Move(from, to) => moved(state, from, to, "$-1\r\n"),
            Command::BlockingMove(from, to) => moved(state, from, to, "*-1\r\n"),
            Command::BlockingPop(key) => popped(state, key),
        }
    }
}

fn watch(state: &mut State, client: usize, keys: &[&'static str]) {
    for key in keys {
        let changes = state.changes_of(key);
        let watched = state.watched.entry(client).or_default();
        if watched.iter().all(|(other, _)| other != key) {
            watched.push((key, changes));
        }
    }
}

/// All that is told from MULTI to EXEC.
fn execute(state: &mut State, client: usize, commands: &[Command]) -> String {
    let mut told = "+OK\r\n".to_owned() + &"+QUEUED\r\n".repeat(commands.len());
    let watched = state.watched.remove(&client).unwrap_or_default();
    if watched.iter().any(|(key, changes)| state.changes_of(key) != *changes) {
        return told + "*-1\r\n";
    }
    told.push_str(&format!("*{}\r\n", commands.len()));
    for command in commands {
        told.push_str(&match command {
            // Which does not wait, and says so in another way than one whose time is up.
            Command::BlockingMove(from, to) => moved(state, from, to, "$-1\r\n"),
            _ => command.apply(state, client),
        });
    }
    told
}

fn push(state: &mut State, key: &'static str, value: &str) -> String {
    let new = Entry { held: Held::List(Vec::new()), expires: false };
    let Held::List(list) = &mut state.entries.entry(key).or_insert(new).held else {
        return WRONG_TYPE.to_owned();
    };
    list.push(value.to_owned());
    let len = list.len();
    state.note(key);
    format!(":{len}\r\n")
}

/// Takes the first element of a list.
fn take_first(state: &mut State, key: &'static str) -> Option<String> {
    let Some(Entry { held: Held::List(list), .. }) = state.entries.get_mut(key) else { return None };
    let element = list.remove(0);
    if list.is_empty() {
        state.entries.remove(key);
    }
    state.note(key);
    Some(element)
}

fn popped(state: &mut State, key: &'static str) -> String {
    match take_first(state, key) {
        Some(element) => format!("*2\r\n{}{}", bulk(key), bulk(&element)),
        None if state.contains(key) => WRONG_TYPE.to_owned(),
        None => "*-1\r\n".to_owned(),
    }
}

fn moved(state: &mut State, from: &'static str, to: &'static str, nothing: &str) -> String {
    let is_text = |key| matches!(state.entries.get(key), Some(Entry { held: Held::Text(_), .. }));
    if !state.contains(from) {
        return nothing.to_owned();
    }
    if is_text(to) {
        return WRONG_TYPE.to_owned();
    }
    let Some(element) = take_first(state, from) else { return WRONG_TYPE.to_owned() };
    push(state, to, &element);
    bulk(&element)
}

/// What is there at the start, and the commands that make it so.
fn prepare(random: &mut fastrand::Rng) -> (State, Vec<Action>) {
    let mut state = State::default();
    let mut script = vec![Action::call(&["DEL", KEYS[0], KEYS[1], KEYS[2], KEYS[3], KEYS[4]], Check::Kind)];
    for key in KEYS {
        let held = match random.u8(..4) {
            0 => Held::Text(format!("text of {key}")),
            1 => Held::List(vec![format!("only of {key}")]),
            2 => Held::List(vec![format!("first of {key}"), format!("second of {key}")]),
            _ => continue,
        };
        match &held {
            Held::Text(text) => script.push(Action::call(&["SET", key, text], Check::Exact)),
            Held::List(list) => {
                script.extend(list.iter().map(|value| Action::call(&["RPUSH", key, value], Check::Exact)));
            }
        }
        let expires = random.bool();
        if expires {
            script.push(Action::call(&["PEXPIREAT", key, FAR_MS], Check::Exact));
        }
        state.entries.insert(key, Entry { held, expires });
    }
    (state, script)
}

/// What is asked when all is over, and what is answered if this is what there is.
fn questions() -> Vec<Action> {
    let ask = |key: &&str| {
        [vec!["GET", key], vec!["LRANGE", key, "0", "-1"], vec!["PEXPIRETIME", key]]
            .map(|words| Action::call(&words, Check::Exact))
    };
    KEYS.iter().flat_map(ask).collect()
}

fn answers(state: &State) -> Vec<String> {
    let answer = |key: &&str| match state.entries.get(key) {
        None => ["$-1\r\n".to_owned(), "*0\r\n".to_owned(), ":-2\r\n".to_owned()],
        Some(Entry { held, expires }) => {
            let (text, list) = match held {
                Held::Text(text) => (bulk(text), WRONG_TYPE.to_owned()),
                Held::List(list) => {
                    let elements: String = list.iter().map(|value| bulk(value)).collect();
                    (WRONG_TYPE.to_owned(), format!("*{}\r\n{elements}", list.len()))
                }
            };
            [text, list, if *expires { format!(":{FAR_MS}\r\n") } else { ":-1\r\n".to_owned() }]
        }
    };
    KEYS.iter().flat_map(answer).collect()
}

/// One client's commands and what it was told of each.
type Told = Vec<(Command, String)>;

/// Whether some order of all commands, in which those of each client keep theirs, leads to just these answers.
fn has_order(state: &State, clients: &[&[(Command, String)]], end: &[String]) -> bool {
    if clients.iter().all(|left| left.is_empty()) {
        return answers(state) == end;
    }
    (0..clients.len()).any(|next| {
        let [(command, told), rest @ ..] = clients[next] else { return false };
        let mut after = state.clone();
        if command.apply(&mut after, next) != *told {
            return false;
        }
        let mut left = clients.to_vec();
        left[next] = rest;
        has_order(&after, &left, end)
    })
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    for round in 0..random.usize(1..6) {
        let (state, setting) = prepare(&mut random);
        script::play(&mut world, &[setting], 1, random.u64(..));
        let commands: Vec<Vec<Command>> = (0..random.usize(2..5))
            .map(|client| Command::draw_some(&mut random, &format!("{round}.{client}")))
            .collect();
        let scripts: Vec<Vec<Action>> =
            commands.iter().map(|commands| commands.iter().flat_map(Command::actions).collect()).collect();
        let got = script::play(&mut world, &scripts, 1, random.u64(..));
        let end = script::play(&mut world, &[questions()], 1, random.u64(..)).remove(0);
        let as_text = |replies: Vec<Vec<u8>>| {
            replies.into_iter().map(|reply| String::from_utf8_lossy(&reply).into_owned()).collect::<Vec<_>>()
        };
        let told: Vec<Told> = commands
            .into_iter()
            .zip(got)
            .map(|(commands, replies)| {
                let mut replies = as_text(replies).into_iter();
                let told = |command: Command| {
                    let told = replies.by_ref().take(command.actions().len()).collect();
                    (command, told)
                };
                commands.into_iter().map(told).collect()
            })
            .collect();
        let end = as_text(end);
        let clients: Vec<&[(Command, String)]> = told.iter().map(Vec::as_slice).collect();
        assert!(
            has_order(&state, &clients, &end),
            "no order of the commands leads to this:\nbefore: {state:#?}\n{told:#?}\nafter: {end:?}"
        );
    }
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}
