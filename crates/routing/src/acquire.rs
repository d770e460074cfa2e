//! What a transaction wants of a shard, and how far that is with it.

use crate::intents::Wants;
use tessera_command::Command;
use tessera_command::gather::{self, What};
use tessera_keyspace::{Shard, WatchStamp};
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_values::{Type, Value, ValueRef};

/// What a transaction wants of a shard, and what is to be done there.
#[derive(Debug)]
pub struct Acquire {
    /// The keys.
    pub wants: Wants,
    /// Keys that must be as they were; if any is not, nothing is done.
    pub watched: Vec<WatchedKey>,
    /// What to do.
    pub work: Work,
    /// When to do it.
    pub when: When,
}

/// A key that a client watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedKey {
    /// Its database.
    pub db: u16,
    /// The key.
    pub key: Box<[u8]>,
    /// How it was.
    pub stamp: WatchStamp,
}

impl WatchedKey {
    /// It is as it was.
    pub fn is_unchanged(&self, shard: &Shard) -> bool {
        shard.is_unchanged(self.db, &self.key, self.stamp)
    }
}

/// Keys with their databases.
pub type WatchedNames = Vec<(u16, Box<[u8]>)>;

/// What is done with keys that are held.
#[derive(Debug)]
pub enum Work {
    /// Watch these from now on, and tell how they are.
    Watch(WatchedNames),
    /// Tell what is there.
    Look(Vec<Look>),
    /// Run commands, or parts of some.
    Run(Vec<Part>),
}

/// When that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as the keys are held. They are held on.
    Held,
    /// By [`ErrandKind::Commit`](crate::message::ErrandKind::Commit).
    Committed,
    /// At once, if the keys are free, and they are let go of again: all others are held already. If they are not, that
    /// is told, and then it is as with `Committed`.
    IfFree,
    /// As soon as the keys are held, and they are let go of again: no other shard has any part in it.
    Alone,
}

/// A command, or what one shard does of it, within a transaction.
#[derive(Clone, Debug)]
pub struct Part {
    /// Tells it from the others of the transaction.
    pub number: u32,
    /// Which command.
    pub command: &'static Command,
    /// Its words.
    pub words: OwnedArgs,
    /// What the client speaks.
    pub protocol: Protocol,
}

/// What a part answered.
#[derive(Clone, Debug)]
pub struct Replied {
    /// Which part.
    pub number: u32,
    /// The reply.
    pub reply: Vec<u8>,
    /// How long it ran, in nanoseconds.
    pub duration_ns: u64,
}

/// How far a shard is with what a transaction wants of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It holds the keys; what was to be done then is done.
    Held,
    /// It was to do everything at once and cannot: others hold the keys. It waits for them.
    Waits,
    /// It has done everything and let go of the keys.
    Done,
}

/// One key to look at.
#[derive(Debug)]
pub struct Look {
    /// The key.
    pub key: Box<[u8]>,
    /// Its database.
    pub db: u16,
    /// How much of it is wanted.
    pub what: What,
    /// Its value is read where it is, and not sent.
    pub stays: bool,
}

/// What was seen at a key.
#[derive(Debug, Default)]
pub struct Seen {
    /// The key is there.
    pub present: bool,
    /// What it holds, if asked for and to be sent.
    pub value: Option<Value>,
    /// Its type, if that or the value was asked for.
    pub value_type: Option<Type>,
    /// Its expiry in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

impl Look {
    pub(crate) fn look(&self, shard: &mut Shard, touch: bool) -> Seen {
        let Look { key, db, what, stays } = self;
        gather::prepare(shard, *db, key, *what);
        let found = gather::find(shard, *db, touch, key, None, *what);
        Seen {
            present: found.present,
            value: found.value.filter(|_| !stays).map(ValueRef::to_value),
            value_type: found.value_type,
            expire_at_ms: found.expire_at_ms,
        }
    }
}
