//! The half of a node that has the shard: what runs on it, for whomever, who waits for its keys, and what it does by
//! itself.

pub(crate) mod admission;
pub(crate) mod aside;
pub(crate) mod calls;
pub(crate) mod defragmentation;
pub(crate) mod direct;
pub(crate) mod errands;
pub(crate) mod held;
pub(crate) mod memory;
pub(crate) mod readers;
pub(crate) mod remote_sends;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod streaming;
pub(crate) mod unkept;
pub mod waiters;
pub(crate) mod waiting;
pub(crate) mod watching;

use self::aside::Aside;
use self::defragmentation::passes::Defragmentation;
use self::held::Held;
use self::memory::watch::MemoryWatch;
use self::readers::Readers;
use self::remote_sends::RemoteSends;
use self::unkept::Unkept;
use self::waiters::Waiters;
use tessera_command::gather::Context;
use tessera_command::keys::KeyAt;
use tessera_keyspace::{Lookup, Shard};
use tessera_routing::slots::SlotTable;
use tessera_routing::{Answer, Gathering, Step};

/// The shard, and what is done to it.
pub(crate) struct Owner {
    pub(crate) shard: Shard,
    pub(crate) random: fastrand::Rng,
    /// Who waits for keys of this shard.
    pub(crate) waiters: Waiters,
    /// Which keys of this shard are held, and who waits for that to end.
    pub(crate) held: Held,
    /// Replies that this node's network writes to clients of other nodes.
    pub(crate) remote_sends: RemoteSends,
    pub(crate) memory: MemoryWatch,
    pub(crate) defragmentation: Defragmentation,
    /// Who reads the streams of this shard.
    pub(crate) readers: Readers,
    pub(crate) active_expire: bool,
    /// The search for expired keys was cut short.
    pub(crate) expire_more: bool,
    /// Calls of peers that wait for a key.
    pub(crate) aside: Aside,
    /// What waits for a value to be saved or kept, and is no command.
    pub(crate) unkept: Unkept,
    /// Room to find the keys of a command in.
    found_keys: Vec<KeyAt>,
}

impl Owner {
    /// A shard with so many databases. Everything random in it follows from `seed`.
    pub(crate) fn new(databases: u16, seed: u64) -> Owner {
        Owner {
            shard: Shard::new(databases, seed),
            random: fastrand::Rng::with_seed(seed.rotate_left(32)),
            waiters: Waiters::default(),
            held: Held::default(),
            remote_sends: RemoteSends::default(),
            memory: MemoryWatch::default(),
            defragmentation: Defragmentation::default(),
            readers: Readers::default(),
            active_expire: true,
            expire_more: false,
            aside: Aside::default(),
            unkept: Unkept::default(),
            found_keys: Vec::new(),
        }
    }

    /// What commands over several shards have to know of a shard, which is the same of all.
    pub(crate) fn context(&self, db: u16) -> Context {
        Context::of(&self.shard, db)
    }

    /// Goes on with a command of one of this node's clients that brings keys together: this shard's values are read
    /// where they are.
    pub(crate) fn go_on_with(
        &self,
        gathering: &mut Gathering,
        part: u32,
        answer: Answer,
        table: &SlotTable,
    ) -> Step {
        gathering.answer(part, answer, table, &self.shard)
    }

    /// Has what is over go by itself, but nothing that a transaction in the midst of its steps may still find.
    pub(crate) fn expire_with<T>(&mut self, expire: impl FnOnce(&mut Shard) -> T) -> T {
        let now_ms = self.shard.now_ms();
        let since_ms = self.held.steps_since_ms().unwrap_or(now_ms);
        self.shard.set_now_ms(since_ms.min(now_ms));
        let expired = expire(&mut self.shard);
        self.shard.set_now_ms(now_ms);
        expired
    }

    /// Looks for the keys and elements of commands that will run soon.
    #[inline]
    pub(crate) fn prefetch<'a>(&self, db: u16, lookups: impl Iterator<Item = Lookup<'a>>) {
        self.shard.prefetch(db, lookups);
    }
}
