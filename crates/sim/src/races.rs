//! Several clients want the same keys at once, by commands over several shards: what they are answered, and what is
//! left, is what one order of their commands leads to. So one of those that want a free name gets it, what cannot be
//! put somewhere stays where it was, and nothing is lost.

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
type State = BTreeMap<&'static str, Entry>;

#[derive(Clone, Debug)]
enum Command {
    Set(&'static str, String),
    SetNx(&'static str, String),
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
}

fn text(value: &str) -> Entry {
    Entry { held: Held::Text(value.to_owned()), expires: false }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

impl Command {
    fn draw(random: &mut fastrand::Rng, value: String) -> Command {
        let from = random.usize(..KEYS.len());
        let to = (from + random.usize(1..KEYS.len())) % KEYS.len();
        let (from, to) = (KEYS[from], KEYS[to]);
        match random.u8(..17) {
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
            _ => Command::BlockingPop(from),
        }
    }

    fn action(&self) -> Action {
        let words: Vec<&str> = match self {
            Command::Set(key, value) => vec!["SET", key, value],
            Command::SetNx(key, value) => vec!["SETNX", key, value],
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
        Action::call(&words, Check::Exact)
    }

    /// Does it on one shard, and says what the client is told.
    fn apply(&self, state: &mut State) -> String {
        let number = |happened: bool| format!(":{}\r\n", u8::from(happened));
        match self {
            Command::Set(key, value) => {
                state.insert(key, text(value));
                "+OK\r\n".to_owned()
            }
            Command::SetNx(key, value) => {
                let free = !state.contains_key(key);
                if free {
                    state.insert(key, text(value));
                }
                number(free)
            }
            Command::MSetNx(pairs) => {
                let free = pairs.iter().all(|(key, _)| !state.contains_key(key));
                if free {
                    state.extend(pairs.iter().map(|(key, value)| (*key, text(value))));
                }
                number(free)
            }
            Command::Rename(from, to) => match state.remove(from) {
                None => NO_SUCH_KEY.to_owned(),
                Some(entry) => {
                    state.insert(to, entry);
                    "+OK\r\n".to_owned()
                }
            },
            Command::RenameNx(from, _) if !state.contains_key(from) => NO_SUCH_KEY.to_owned(),
            Command::RenameNx(from, to) => {
                let free = !state.contains_key(to);
                if free && let Some(entry) = state.remove(from) {
                    state.insert(to, entry);
                }
                number(free)
            }
            Command::Copy(from, to, replaces) => match state.get(from) {
                Some(entry) if *replaces || !state.contains_key(to) => {
                    state.insert(to, entry.clone());
                    number(true)
                }
                _ => number(false),
            },
            Command::Delete(key) => number(state.remove(key).is_some()),
            Command::Get(key) => match state.get(key).map(|entry| &entry.held) {
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

fn push(state: &mut State, key: &'static str, value: &str) -> String {
    let entry = state.entry(key).or_insert(Entry { held: Held::List(Vec::new()), expires: false });
    let Held::List(list) = &mut entry.held else { return WRONG_TYPE.to_owned() };
    list.push(value.to_owned());
    format!(":{}\r\n", list.len())
}

fn popped(state: &mut State, key: &'static str) -> String {
    let list = match state.get_mut(key) {
        None => return "*-1\r\n".to_owned(),
        Some(Entry { held: Held::List(list), .. }) => list,
        Some(_) => return WRONG_TYPE.to_owned(),
    };
    let element = list.remove(0);
    if list.is_empty() {
        state.remove(key);
    }
    format!("*2\r\n{}{}", bulk(key), bulk(&element))
}

fn moved(state: &mut State, from: &'static str, to: &'static str, nothing: &str) -> String {
    let target_is_text = matches!(state.get(to), Some(Entry { held: Held::Text(_), .. }));
    let list = match state.get_mut(from) {
        None => return nothing.to_owned(),
        Some(Entry { held: Held::List(list), .. }) if !target_is_text => list,
        Some(_) => return WRONG_TYPE.to_owned(),
    };
    let element = list.remove(0);
    if list.is_empty() {
        state.remove(from);
    }
    push(state, to, &element);
    bulk(&element)
}

/// What is there at the start, and the commands that make it so.
fn prepare(random: &mut fastrand::Rng) -> (State, Vec<Action>) {
    let mut state = State::new();
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
        state.insert(key, Entry { held, expires });
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
    let answer = |key: &&str| match state.get(key) {
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
        if command.apply(&mut after) != *told {
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
        let commands: Vec<Vec<Command>> = (0..random.usize(2..6))
            .map(|client| {
                let draw = |number| Command::draw(&mut random, format!("{round}.{client}.{number}"));
                (0..2).map(draw).collect()
            })
            .collect();
        let scripts: Vec<Vec<Action>> =
            commands.iter().map(|commands| commands.iter().map(Command::action).collect()).collect();
        let got = script::play(&mut world, &scripts, 1, random.u64(..));
        let end = script::play(&mut world, &[questions()], 1, random.u64(..)).remove(0);
        let as_text = |replies: Vec<Vec<u8>>| {
            replies.into_iter().map(|reply| String::from_utf8_lossy(&reply).into_owned()).collect::<Vec<_>>()
        };
        let told: Vec<Told> = commands
            .into_iter()
            .zip(got)
            .map(|(commands, replies)| commands.into_iter().zip(as_text(replies)).collect())
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
