//! Clients that wait for keys of this node's shard, in the order in which they came.
//!
//! They may be clients of any node, and may wait for keys of other shards as well: whoever takes a client's [`Claim`]
//! first answers it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tessera_command::Command;
use tessera_keyspace::Shard;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Ticket;

/// The right to answer a waiting client, which only one has: a shard with something for it, or its home when time is
/// up, the client is to be unblocked or is gone.
#[derive(Clone, Debug, Default)]
pub struct Claim(Arc<AtomicU8>);

const FREE: u8 = 0;
const TAKEN: u8 = 1;
/// The client's home is trying to move an element for it, and has the right unless there is none to move.
const MOVING: u8 = 2;

// What is done with the right is told by messages, which order everything else.
impl Claim {
    fn turn(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Takes the right; false if somebody else has.
    pub fn take(&self) -> bool {
        self.turn(FREE, TAKEN)
    }

    /// Somebody has taken it, or is about to.
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed) != FREE
    }

    /// Gives the right to the client's home for as long as it tries to move an element; false if somebody has it.
    pub fn begin_move(&self) -> bool {
        self.turn(FREE, MOVING)
    }

    /// The client's home is trying to move an element.
    pub fn is_moving(&self) -> bool {
        self.0.load(Ordering::Relaxed) == MOVING
    }

    /// The client's home is done: for good, or there was nothing to move and whoever comes first has the right.
    pub fn end_move(&self, is_done: bool) {
        self.turn(MOVING, if is_done { TAKEN } else { FREE });
    }
}

/// A blocking command on its way to the owner of some of its keys.
#[derive(Debug)]
pub struct WaitRequest {
    /// The client's node.
    pub home: usize,
    /// Where the reply belongs.
    pub ticket: Ticket,
    /// Who may answer.
    pub claim: Claim,
    /// Which command.
    pub command: &'static Command,
    /// All its words.
    pub words: Arc<OwnedArgs>,
    /// Those of its keys that this is about, in order.
    pub keys: Arc<[Box<[u8]>]>,
    /// The client's database.
    pub db: u16,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Uses of keys are noted.
    pub touch: bool,
}

/// What a client gets of the owner of a key that it waited for.
#[derive(Debug)]
pub struct Served {
    /// Its reply.
    pub reply: Vec<u8>,
    /// How long that took, in nanoseconds.
    pub duration_ns: u64,
}

/// Keys of whose owner a client wants to know which is the first that holds something.
#[derive(Debug)]
pub struct LookRequest {
    /// Where the answer belongs.
    pub ticket: Ticket,
    /// The client's database.
    pub db: u16,
    /// The keys, in order.
    pub keys: Arc<[Box<[u8]>]>,
}

/// A waiting client and which of its commands: its node, the connection there, the sequence number.
type Who = (usize, u64, u32);

fn who(home: usize, ticket: Ticket) -> Who {
    (home, ticket.connection, ticket.sequence)
}

/// In the order in which they came.
type Queue = VecDeque<Arc<WaitRequest>>;

/// All that wait for keys of one shard.
#[derive(Debug, Default)]
pub struct Waiters {
    by_key: BTreeMap<(u16, Box<[u8]>), Queue>,
    by_client: BTreeMap<Who, Vec<Arc<WaitRequest>>>,
}

impl Waiters {
    /// Has a client wait behind those that wait already.
    pub fn add(&mut self, shard: &mut Shard, request: WaitRequest) {
        let request = Arc::new(request);
        for key in request.keys.iter() {
            shard.waited_keys().add(request.db, key);
            self.by_key.entry((request.db, key.clone())).or_default().push_back(request.clone());
        }
        self.by_client.entry(who(request.home, request.ticket)).or_default().push(request);
    }

    /// Who waits for the only key of a client's command may have their turn now.
    pub fn wake_others(&self, shard: &mut Shard, home: usize, ticket: Ticket) {
        for request in self.by_client.get(&who(home, ticket)).into_iter().flatten() {
            if let [key] = &*request.keys {
                shard.waited_keys().note(request.db, key);
            }
        }
    }

    /// Forgets a client's command, if it waits here.
    pub fn remove(&mut self, shard: &mut Shard, home: usize, ticket: Ticket) {
        let who_waits = who(home, ticket);
        for request in self.by_client.remove(&who_waits).unwrap_or_default() {
            for key in request.keys.iter() {
                shard.waited_keys().remove(request.db, key);
                let place = (request.db, key.clone());
                let Some(queue) = self.by_key.get_mut(&place) else { continue };
                if let Some(index) = queue.iter().position(|other| Arc::ptr_eq(other, &request)) {
                    queue.remove(index);
                }
                if queue.is_empty() {
                    self.by_key.remove(&place);
                }
            }
        }
    }

    /// The client that is number `index` in the queue for a key.
    pub fn get(&self, db: u16, key: &[u8], index: usize) -> Option<Arc<WaitRequest>> {
        self.by_key.get(&(db, key.into()))?.get(index).cloned()
    }

    /// How many keys are waited for.
    pub fn keys_len(&self) -> usize {
        self.by_key.len()
    }
}
