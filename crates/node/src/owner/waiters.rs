//! Clients that wait for keys of this node's shard, in the order in which they came.
//!
//! They may be clients of any node, and may wait for keys of other shards as well: whoever takes a client's
//! [claim](crate::notes::waiting::Claim) first answers it.

use crate::notes::waiting::WaitRequest;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tessera_keyspace::Shard;
use tessera_routing::Ticket;

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

    /// There is nothing at this key: all who are in its queue wait for something from now on.
    pub fn note_wait(&self, db: u16, key: &[u8]) {
        let queue = self.by_key.get(&(db, key.into()));
        queue.into_iter().flatten().for_each(|request| request.claim.note_wait());
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
