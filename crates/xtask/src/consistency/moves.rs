//! Money between accounts, elements between sets and between lists, a key between names: all of it is moved, alone, in
//! transactions and under WATCH, and whoever reads all places at one moment finds as much as there was. And counters,
//! set to one more under WATCH, to each number once.

use super::player::Player;
use super::{SETTLE, all_at_once};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;
use tessera_consistency::resp::{Reply, parse};
use tessera_consistency::work::Words;

/// Places of each kind, of several shards.
const PLACES: u64 = 6;
/// What is in an account at first: no round makes it go below zero.
const BALANCE: i64 = 1_000_000;
/// Elements in all sets together, and in all lists.
const ELEMENTS: i64 = 5;
const COUNTERS: u64 = 3;
/// What a client does in a round.
const TURNS: usize = 60;
/// Of so many commands one is the last on its connection.
const COMMANDS_PER_LEAVING: u32 = 60;
/// Of so many turns one has the server close all other connections.
const TURNS_PER_KILL: u32 = 200;

/// What rounds came to.
#[derive(Default)]
pub struct Figures {
    /// Readings of all places of a kind.
    pub readings: usize,
    /// Counters set to one more.
    pub increments: usize,
    /// And not set, as somebody else had.
    pub in_vain: usize,
}

/// What a client did.
#[derive(Default)]
struct Done {
    readings: usize,
    in_vain: usize,
    /// Which counter was set to what, and which perhaps was.
    increments: Vec<(u64, i64)>,
    perhaps: Vec<u64>,
}

/// A client, and in which round.
struct Mover {
    player: Player,
    random: Rng,
    round: u32,
    done: Done,
}

fn words(text: &str) -> Words {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Plays it once.
///
/// # Errors
/// What there is too much of, or too little.
pub fn play_round(
    address: SocketAddr,
    clients: usize,
    round: u32,
    seed: u64,
    figures: &mut Figures,
) -> Result<(), String> {
    let began = Instant::now();
    let mover = |number: usize| -> Result<Mover, String> {
        let player = Player::new(address, number, seed, began)?;
        let random = Rng::with_seed(seed ^ (number as u64) << 24);
        Ok(Mover { player, random, round, done: Done::default() })
    };
    mover(clients)?.set_up()?;
    let mut all = Done::default();
    for done in all_at_once((0..clients).map(|number| move || mover(number)?.play()))? {
        figures.in_vain += done.in_vain;
        all.readings += done.readings;
        all.increments.extend(done.increments);
        all.perhaps.extend(done.perhaps);
    }
    std::thread::sleep(SETTLE);
    let mut last = mover(clients)?;
    for kind in 0..KINDS {
        last.read_all(kind)?;
    }
    figures.readings += all.readings;
    figures.increments += all.increments.len();
    let counters = last.counters()?;
    judge_counters(&all, &counters)
}

fn judge_counters(all: &Done, counters: &[i64]) -> Result<(), String> {
    let mut times: BTreeMap<(u64, i64), usize> = BTreeMap::new();
    for increment in &all.increments {
        *times.entry(*increment).or_default() += 1;
    }
    if let Some(((counter, value), times)) = times.iter().find(|(_, times)| **times > 1) {
        return Err(format!("counter {counter} was set to {value} {times} times, each time from one less"));
    }
    for (counter, last) in (0..).zip(counters) {
        let sure = all.increments.iter().filter(|(of, _)| *of == counter).count() as i64;
        let perhaps = all.perhaps.iter().filter(|of| **of == counter).count() as i64;
        if !(sure..=sure + perhaps).contains(last) {
            return Err(format!(
                "counter {counter} is {last} after {sure} increments and {perhaps} unanswered ones"
            ));
        }
    }
    Ok(())
}

fn judge_sum(texts: &[String], parts: &[i64], all: i64) -> Result<(), String> {
    let sum: i64 = parts.iter().sum();
    if sum == all { Ok(()) } else { Err(format!("{texts:?} found {parts:?}, which is {sum} and not {all}")) }
}

/// How many ways there are to read all places.
const KINDS: u8 = 7;

impl Mover {
    fn name(&self, kind: &str, number: u64) -> String {
        format!("{kind}:{}:{number}", self.round)
    }

    fn names(&self, kind: &str) -> Vec<String> {
        (0..PLACES).map(|number| self.name(kind, number)).collect()
    }

    fn two(&mut self, kind: &str) -> (String, String) {
        let from = self.random.u64(..PLACES);
        let to = (from + self.random.u64(1..PLACES)) % PLACES;
        (self.name(kind, from), self.name(kind, to))
    }

    fn set_up(mut self) -> Result<(), String> {
        let accounts: Vec<String> =
            self.names("account").into_iter().map(|name| format!("{name} {BALANCE}")).collect();
        let elements: Vec<String> = (0..ELEMENTS).map(|element| element.to_string()).collect();
        let elements = elements.join(" ");
        let (set, list, place) = (self.name("set", 0), self.name("pile", 0), self.name("place", 0));
        self.certainly(&format!("MSET {}", accounts.join(" ")))?;
        self.certainly(&format!("SADD {set} {elements}"))?;
        self.certainly(&format!("RPUSH {list} {elements}"))?;
        self.certainly(&format!("SET {place} token")).map(|_| ())
    }

    fn play(mut self) -> Result<Done, String> {
        for _ in 0..TURNS {
            if self.random.u32(..TURNS_PER_KILL) == 0 {
                self.say("CLIENT KILL TYPE normal SKIPME yes")?;
            }
            match self.random.u8(..12) {
                0 => self.transfer(false)?,
                1 | 2 => self.transfer(true)?,
                3 | 4 => self.increment()?,
                5..8 => self.move_one()?,
                _ => {
                    let kind = self.random.u8(..KINDS);
                    self.read_all(kind)?;
                }
            }
        }
        Ok(self.done)
    }

    /// Says one command, and hears the reply unless the connection ends, then or before.
    fn say(&mut self, text: &str) -> Result<Option<Reply>, String> {
        if self.random.u32(..COMMANDS_PER_LEAVING) == 0 {
            self.player.say_and_leave(&words(text))?;
            return Ok(None);
        }
        match self.player.say_and_hear(&words(text)) {
            Ok(reply) => Ok(parse(&reply).map(|(reply, _)| reply)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(format!("no answer to {text}")),
            Err(_) => self.player.reconnect().map(|()| None),
        }
    }

    /// Says what has to be answered, as nobody else is there.
    fn certainly(&mut self, text: &str) -> Result<Reply, String> {
        let reply = self.player.say_and_hear(&words(text)).map_err(|error| error.to_string())?;
        match parse(&reply) {
            Some((Reply::Error(error), _)) => Err(format!("{text} was answered {error}")),
            Some((reply, _)) => Ok(reply),
            None => Err(format!("{text} was answered {}", reply.escape_ascii())),
        }
    }

    /// Says one command after the other as long as the connection lives. Returns the last reply.
    fn say_all(&mut self, texts: &[String]) -> Result<Option<Reply>, String> {
        let mut last = None;
        for text in texts {
            last = self.say(text)?;
            match &last {
                None => return Ok(None),
                Some(Reply::Error(error)) => return Err(format!("{text} was answered {error}")),
                Some(_) => {}
            }
        }
        Ok(last)
    }

    fn transfer(&mut self, watches: bool) -> Result<(), String> {
        let (from, to) = self.two("account");
        let amount = self.random.u32(1..10);
        let mut texts = vec![
            "MULTI".to_owned(),
            format!("DECRBY {from} {amount}"),
            format!("INCRBY {to} {amount}"),
            "EXEC".to_owned(),
        ];
        if watches {
            texts.splice(..0, [format!("WATCH {from} {to}"), format!("GET {from}"), format!("GET {to}")]);
        }
        match self.say_all(&texts)? {
            None | Some(Reply::Array(Some(_))) => Ok(()),
            Some(Reply::Array(None)) if watches => Ok(()),
            other => Err(format!("EXEC of a transfer was answered {other:?}")),
        }
    }

    fn increment(&mut self) -> Result<(), String> {
        let counter = self.random.u64(..COUNTERS);
        let name = self.name("counter", counter);
        let Some(held) = self.say_all(&[format!("WATCH {name}"), format!("GET {name}")])? else {
            return Ok(());
        };
        let value = number(&held)? + 1;
        match self.say_all(&["MULTI".to_owned(), format!("SET {name} {value}"), "EXEC".to_owned()])? {
            None => self.done.perhaps.push(counter),
            Some(Reply::Array(None)) => self.done.in_vain += 1,
            Some(Reply::Array(Some(_))) => self.done.increments.push((counter, value)),
            other => return Err(format!("EXEC of an increment was answered {other:?}")),
        }
        Ok(())
    }

    fn move_one(&mut self) -> Result<(), String> {
        let ends = ["LEFT", "RIGHT"];
        let (one, other) = (ends[self.random.usize(..2)], ends[self.random.usize(..2)]);
        let element = self.random.i64(..ELEMENTS);
        let kind = self.random.u8(..7);
        let (from, to) = self.two(match kind {
            0 | 1 => "set",
            2..5 => "pile",
            _ => "place",
        });
        let text = match kind {
            0 | 1 => format!("SMOVE {from} {to} {element}"),
            2 => format!("LMOVE {from} {to} {one} {other}"),
            3 => format!("BLMOVE {from} {to} {one} {other} 0.02"),
            4 => format!("RPOPLPUSH {from} {to}"),
            5 => format!("RENAME {from} {to}"),
            _ => format!("RENAMENX {from} {to}"),
        };
        match self.say(&text)? {
            // It is elsewhere.
            Some(Reply::Error(error)) if error == "ERR no such key" => Ok(()),
            Some(Reply::Error(error)) => Err(format!("{text} was answered {error}")),
            _ => Ok(()),
        }
    }

    /// Reads all places of a kind at one moment, and looks whether all is there.
    fn read_all(&mut self, kind: u8) -> Result<(), String> {
        let each = |command: &str, names: Vec<String>| {
            let each = names.into_iter().map(|name| format!("{command} {name}"));
            [vec!["MULTI".to_owned()], each.collect(), vec!["EXEC".to_owned()]].concat()
        };
        let together = |command: &str, names: Vec<String>| vec![format!("{command} {}", names.join(" "))];
        let money = PLACES as i64 * BALANCE;
        let (texts, all) = match kind {
            0 => (together("MGET", self.names("account")), money),
            1 => (each("GET", self.names("account")), money),
            2 => (each("SCARD", self.names("set")), ELEMENTS),
            3 => (together("SUNION", self.names("set")), (0..ELEMENTS).sum()),
            4 => (each("LLEN", self.names("pile")), ELEMENTS),
            5 => (each("EXISTS", self.names("place")), 1),
            _ => (together("EXISTS", self.names("place")), 1),
        };
        let parts = match self.say_all(&texts)? {
            None => return Ok(()),
            Some(Reply::Array(Some(parts))) => parts,
            Some(one) => vec![one],
        };
        let parts = parts.iter().map(number).collect::<Result<Vec<i64>, String>>()?;
        self.done.readings += 1;
        judge_sum(&texts, &parts, all)
    }

    fn counters(&mut self) -> Result<Vec<i64>, String> {
        let mut values = Vec::new();
        for counter in 0..COUNTERS {
            let text = format!("GET {}", self.name("counter", counter));
            values.push(number(&self.certainly(&text)?)?);
        }
        Ok(values)
    }
}

/// The number in a reply; zero if there is nothing.
fn number(reply: &Reply) -> Result<i64, String> {
    let read = match reply {
        Reply::Integer(number) => Some(*number),
        Reply::Bulk(None) => Some(0),
        Reply::Bulk(Some(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
        _ => None,
    };
    read.ok_or_else(|| format!("{reply:?} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(increments: &[(u64, i64)], perhaps: &[u64], last: i64) -> bool {
        let done = Done { increments: increments.to_vec(), perhaps: perhaps.to_vec(), ..Done::default() };
        judge_counters(&done, &[last]).is_ok()
    }

    #[test]
    fn counters_go_up_by_one_for_each_increment() {
        assert!(judged(&[(0, 1), (0, 2)], &[], 2));
        assert!(!judged(&[(0, 1), (0, 1)], &[], 2), "both from nothing");
        assert!(!judged(&[(0, 1), (0, 2)], &[], 1), "one is lost");
        assert!(!judged(&[(0, 1), (0, 2)], &[], 3), "one is from nowhere");
    }

    #[test]
    fn what_was_not_answered_may_have_counted() {
        assert!(judged(&[(0, 1)], &[0], 1));
        assert!(judged(&[(0, 1)], &[0], 2));
        assert!(!judged(&[(0, 1)], &[0], 3));
        assert!(!judged(&[(0, 1)], &[1], 2), "that was another counter");
    }

    #[test]
    fn all_places_are_summed() {
        let found = |parts: &[i64]| judge_sum(&[], parts, 5).is_ok();
        assert!(found(&[2, 0, 3]));
        assert!(!found(&[2, 0, 2]));
        assert!(!found(&[2, 1, 3]));
    }
}
