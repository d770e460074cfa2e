//! A client whose writes keep sums that every consistent snapshot must have.
//!
//! All its keys are spread over the shards, and none is touched by others:
//!
//! * accounts, between which MSET moves amounts: their sum stays;
//! * two lists, between which LMOVE moves elements: their number stays;
//! * a key that RENAME moves between two names: one of them is there;
//! * two counters, of which the second is set when the first has been answered: it is equal or one behind.

use super::client::{Client, Reply};
use std::io;

const ACCOUNTS: usize = 8;
const AMOUNT: i64 = 1000;
const ELEMENTS: usize = 20;

/// One writer's keys and what they hold.
pub struct Writer {
    number: usize,
    accounts: [i64; ACCOUNTS],
    /// What both counters have reached, as far as that was answered.
    reached: i64,
    random: fastrand::Rng,
}

fn unexpected(what: &str, reply: &Reply) -> io::Error {
    io::Error::other(format!("{what}: {reply:?}"))
}

impl Writer {
    /// A writer whose keys are not there yet.
    pub fn new(number: usize, seed: u64) -> Writer {
        let random = fastrand::Rng::with_seed(seed);
        Writer { number, accounts: [AMOUNT; ACCOUNTS], reached: 0, random }
    }

    fn key(&self, what: &str) -> String {
        format!("writer:{}:{what}", self.number)
    }

    /// Makes the keys.
    ///
    /// # Errors
    /// The connection broke, or the server refused.
    pub fn create(&mut self, client: &mut Client) -> io::Result<()> {
        for account in 0..ACCOUNTS {
            ok(client, &["SET", &self.key(&format!("account:{account}")), &AMOUNT.to_string()])?;
        }
        for element in 0..ELEMENTS {
            client.call(&["RPUSH", &self.key("list:a"), &element.to_string()])?;
        }
        ok(client, &["SET", &self.key("name:a"), "here"])?;
        ok(client, &["SET", &self.key("counter:a"), "0"])?;
        ok(client, &["SET", &self.key("counter:b"), "0"])
    }

    /// One change of each kind.
    ///
    /// # Errors
    /// The connection broke, or the server answered what it must not.
    pub fn write(&mut self, client: &mut Client) -> io::Result<()> {
        let (from, to) = (self.random.usize(..ACCOUNTS), self.random.usize(..ACCOUNTS));
        if from != to {
            let amount = self.random.i64(1..50);
            let after = (self.accounts[from] - amount, self.accounts[to] + amount);
            let (from_key, to_key) =
                (self.key(&format!("account:{from}")), self.key(&format!("account:{to}")));
            ok(client, &["MSET", &from_key, &after.0.to_string(), &to_key, &after.1.to_string()])?;
            (self.accounts[from], self.accounts[to]) = after;
        }
        let (a, b) = (self.key("list:a"), self.key("list:b"));
        let (from, to) = if self.random.bool() { (&a, &b) } else { (&b, &a) };
        client.call(&["LMOVE", from, to, "LEFT", "RIGHT"])?;
        let (a, b) = (self.key("name:a"), self.key("name:b"));
        // Only one of the two finds its key.
        client.call(&["RENAME", &a, &b])?;
        if self.random.bool() {
            client.call(&["RENAME", &b, &a])?;
        }
        let counter = (self.reached + 1).to_string();
        ok(client, &["SET", &self.key("counter:a"), &counter])?;
        ok(client, &["SET", &self.key("counter:b"), &counter])?;
        self.reached += 1;
        Ok(())
    }

    /// Reads what a snapshot had of the keys, and goes on from there. `at_least`: the counter had been answered to have
    /// reached that before the snapshot began.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn recover(&mut self, client: &mut Client, at_least: i64) -> io::Result<()> {
        for account in 0..ACCOUNTS {
            let reply = client.call(&["GET", &self.key(&format!("account:{account}"))])?;
            self.accounts[account] = reply.number().ok_or_else(|| unexpected("an account", &reply))?;
        }
        let sum: i64 = self.accounts.iter().sum();
        self.check(sum == AMOUNT * ACCOUNTS as i64, || {
            format!("accounts have {sum} in all: {:?}", self.accounts)
        })?;
        let mut elements = 0;
        for list in ["list:a", "list:b"] {
            elements += client.call(&["LLEN", &self.key(list)])?.number().unwrap_or(0);
        }
        self.check(elements == ELEMENTS as i64, || format!("the lists have {elements} elements"))?;
        let names = client.call(&["EXISTS", &self.key("name:a"), &self.key("name:b")])?;
        self.check(names == Reply::Integer(1), || format!("{names:?} of the names"))?;
        let first = client.call(&["GET", &self.key("counter:a")])?.number();
        let second = client.call(&["GET", &self.key("counter:b")])?.number();
        let (Some(first), Some(second)) = (first, second) else {
            return Err(io::Error::other(format!("writer {}: a counter is missing", self.number)));
        };
        self.check(first == second || first == second + 1, || {
            format!("the counters are {first} and {second}")
        })?;
        self.check(second >= at_least, || format!("the counter is {second}, though {at_least} was saved"))?;
        // If the first is ahead, the next write sets it to what it is; to go on from there would put it two ahead.
        self.reached = second;
        Ok(())
    }

    /// What both counters have reached, as far as that was answered.
    pub fn reached(&self) -> i64 {
        self.reached
    }

    fn check(&self, holds: bool, what: impl FnOnce() -> String) -> io::Result<()> {
        if holds {
            return Ok(());
        }
        Err(io::Error::other(format!("writer {}: {}", self.number, what())))
    }
}

fn ok(client: &mut Client, words: &[&str]) -> io::Result<()> {
    match client.call(words)? {
        Reply::Simple(text) if text == "OK" => Ok(()),
        other => Err(unexpected(words[0], &other)),
    }
}
