//! The half of a node that has the shard: what runs on it, for whomever, who waits for its keys, and what it does by itself.

pub(crate) mod aside;
pub(crate) mod calls;
pub(crate) mod defragmentation;
pub(crate) mod held;
pub(crate) mod memory;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod unkept;
pub mod waiters;

use self::aside::Aside;
use self::defragmentation::passes::Defragmentation;
use self::held::Held;
use self::memory::watch::MemoryWatch;
use self::unkept::Unkept;
use self::waiters::Waiters;
use crate::direct::RemoteSend;
use crate::streaming::Reading;
use tessera_command::gather::Context;
use tessera_keyspace::{Shard, Wanted};
use tessera_routing::Ticket;

/// The shard, and what is done to it.
pub(crate) struct Owner {
    pub(crate) shard: Shard,
    pub(crate) random: fastrand::Rng,
    /// Who waits for keys of this shard.
    pub(crate) waiters: Waiters,
    /// Which keys of this shard are held, and who waits for that to end.
    pub(crate) held: Held,
    pub(crate) remote_sends: Vec<Option<RemoteSend>>,
    pub(crate) free_remote_sends: Vec<u32>,
    pub(crate) memory: MemoryWatch,
    pub(crate) defragmentation: Defragmentation,
    pub(crate) reading: Reading,
    pub(crate) active_expire: bool,
    /// The search for expired keys was cut short.
    pub(crate) expire_more: bool,
    /// Calls of peers that wait for a key.
    pub(crate) aside: Aside,
    /// What waits for a value to be saved or kept, and is no command.
    pub(crate) unkept: Unkept,
}

impl Owner {
    /// A shard with so many databases. Everything random in it follows from `seed`.
    pub(crate) fn new(databases: u16, seed: u64) -> Owner {
        Owner {
            shard: Shard::new(databases, seed),
            random: fastrand::Rng::with_seed(seed.rotate_left(32)),
            waiters: Waiters::default(),
            held: Held::default(),
            remote_sends: Vec::new(),
            free_remote_sends: Vec::new(),
            memory: MemoryWatch::default(),
            defragmentation: Defragmentation::default(),
            reading: Reading::default(),
            active_expire: true,
            expire_more: false,
            aside: Aside::default(),
            unkept: Unkept::default(),
        }
    }

    /// What commands over several shards have to know of a shard, which is the same of all.
    pub(crate) fn context(&self, db: u16) -> Context {
        Context::of(&self.shard, db)
    }

    /// Looks for the keys and elements of commands that will run soon.
    #[inline]
    pub(crate) fn warm<'a>(&self, db: u16, wanted: impl Iterator<Item = Wanted<'a>>) {
        self.shard.warm(db, wanted);
    }

    /// Nobody wants what a stream would still make.
    pub(crate) fn close_stream(&mut self, stream: u64) {
        self.shard.close_stream(stream);
    }

    /// A client whose turn it was has found nothing, and waits as before: its keys are the others' now.
    pub(crate) fn wake_others(&mut self, home: usize, ticket: Ticket) {
        self.waiters.wake_others(&mut self.shard, home, ticket);
    }
}
