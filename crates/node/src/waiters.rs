//! Clients that wait for keys of this node's shard, in the order in which they came.
//!
//! They may be clients of any node, and may wait for keys of other shards as well: whoever takes a client's [`Claim`]
//! first answers it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tessera_command::Command;
use tessera_keyspace::Shard;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Ticket;

/// The right to answer a waiting client, which only one has: a shard with something for it, or its home when time is
/// up, the client is to be unblocked or is gone.
#[derive(Clone, Debug, Default)]
pub struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes the right; false if somebody else has.
    pub fn take(&self) -> bool {
        // What is done with the right is told by messages, which order everything else.
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Somebody has taken it.
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
    pub keys: Vec<Box<[u8]>>,
    /// The client's database.
    pub db: u16,
    /// What the client speaks.
    pub protocol: Protocol,
    /// Uses of keys are noted.
    pub touch: bool,
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
        for key in &request.keys {
            shard.waited_keys().add(request.db, key);
            self.by_key.entry((request.db, key.clone())).or_default().push_back(request.clone());
        }
        self.by_client.entry(who(request.home, request.ticket)).or_default().push(request);
    }

    /// Forgets a client's command, if it waits here.
    pub fn remove(&mut self, shard: &mut Shard, home: usize, ticket: Ticket) {
        let who_waits = who(home, ticket);
        for request in self.by_client.remove(&who_waits).unwrap_or_default() {
            for key in &request.keys {
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
