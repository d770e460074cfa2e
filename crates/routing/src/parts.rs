//! A transaction that consists of commands, or parts of one, which each shard runs by itself: MSET and MGET of keys of
//! several shards, commands for whole shards.
//!
//! If nothing is changed, each shard answers as soon as it holds its keys, and when all do the reply is known: one
//! round. If two shards have a part in it and one is the home's own, that holds its keys first, and the other does
//! everything as soon as it can; then the first does: one round. Otherwise the words go along with the question for the
//! keys, and when all hold theirs each is told to go on: if the reply is known then it leaves at once.

use crate::intents::{Access, TransactionId, Wants};
use crate::message::{Acquire, Answer, Errand, ErrandKind, Part, Progress, Ticket, When, Work};
use crate::slots::ShardId;
use crate::transaction::Transaction;

/// What one shard has to do with it.
#[derive(Debug)]
pub struct Share {
    /// Which.
    pub shard: ShardId,
    /// Its keys.
    pub wants: Wants,
    /// What it runs.
    pub parts: Vec<Part>,
}

/// What it is, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct PartsAsker {
    /// Whether any of it may change something.
    pub access: Access,
    /// Whatever it changes, the reply is known once all keys are held.
    pub is_foreknown: bool,
    /// The client's database.
    pub db: u16,
    /// Uses of keys are noted.
    pub touch: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Parts {
    transaction: Transaction,
    asker: PartsAsker,
    /// The home's own shard.
    me: ShardId,
    /// What has not been sent, or may have to be sent once more.
    shares: Vec<(ShardId, Vec<Part>)>,
    /// So many shards have not done what there is to do.
    undone: usize,
    /// What has been answered.
    replies: Vec<(u32, Vec<u8>)>,
}

impl Parts {
    /// Begins: the first errands. `me`: the home's own shard.
    pub fn start(
        id: TransactionId,
        me: ShardId,
        asker: PartsAsker,
        shares: Vec<Share>,
    ) -> (Parts, Vec<(ShardId, Errand)>) {
        let mut wants = Vec::with_capacity(shares.len());
        let mut kept = Vec::with_capacity(shares.len());
        for share in shares {
            wants.push((share.shard, share.wants));
            kept.push((share.shard, share.parts));
        }
        kept.sort_unstable_by_key(|(shard, _)| *shard);
        let undone = kept.len();
        let transaction = Transaction::new(id, wants);
        let mut parts = Parts { transaction, asker, me, shares: kept, undone, replies: Vec::new() };
        let first: Vec<ShardId> = match parts.other() {
            Some(_) if parts.is_left_to_other() => vec![me],
            _ => parts.transaction.shards().collect(),
        };
        let errands = first.into_iter().map(|shard| parts.ask(shard)).collect();
        (parts, errands)
    }

    /// All of it is done as soon as the one other shard besides the home's own has its keys.
    fn is_left_to_other(&self) -> bool {
        self.asker.access == Access::Write && self.other().is_some()
    }

    /// The other of two shards of which one is the home's own.
    fn other(&self) -> Option<ShardId> {
        let mut shards = self.transaction.shards();
        match (shards.len(), shards.next()?, shards.next()?) {
            (2, first, second) if first == self.me => Some(second),
            (2, first, second) if second == self.me => Some(first),
            _ => None,
        }
    }

    fn when(&self) -> When {
        match self.asker.access {
            _ if self.shares.len() == 1 => When::Alone,
            Access::Read => When::Held,
            Access::Write => When::Committed,
        }
    }

    fn ask(&mut self, shard: ShardId) -> (ShardId, Errand) {
        let wants = self.transaction.ask(shard);
        self.acquire(shard, wants, self.when())
    }

    fn acquire(&mut self, shard: ShardId, wants: Wants, when: When) -> (ShardId, Errand) {
        let share = self.shares.iter_mut().find(|(other, _)| *other == shard).map(|(_, parts)| parts);
        let parts = match (share, when) {
            // They are sent once more if the shard has to give its keys away.
            (Some(parts), When::Held) => parts.clone(),
            (Some(parts), _) => std::mem::take(parts),
            (None, _) => Vec::new(),
        };
        let acquire = Acquire { wants, work: Work::Run(parts), when };
        self.errand(shard, ErrandKind::Acquire(Box::new(acquire)))
    }

    fn errand(&self, shard: ShardId, kind: ErrandKind) -> (ShardId, Errand) {
        let transaction = self.transaction.id();
        let TransactionId { connection, sequence, .. } = transaction;
        let ticket = Ticket { connection, sequence, part: u32::from(shard) };
        let PartsAsker { db, touch, .. } = self.asker;
        (shard, Errand { transaction, ticket, db, touch, key: Box::default(), kind })
    }

    fn errands(&self, shards: Vec<ShardId>, kind: fn() -> ErrandKind) -> Vec<(ShardId, Errand)> {
        shards.into_iter().map(|shard| self.errand(shard, kind())).collect()
    }

    /// Takes in what a shard answered: errands to send, and whether the outcome is known and all replies are there. Of
    /// those that are to be sent then no answer is awaited.
    pub fn answer(&mut self, shard: ShardId, answer: Answer) -> (Vec<(ShardId, Errand)>, bool) {
        // What was read before the keys were given away is read again.
        self.replies.retain(|(number, _)| answer.replies.iter().all(|(other, _)| other != number));
        self.replies.extend(answer.replies);
        match answer.progress {
            Some(Progress::Held) => self.have_held(shard),
            Some(Progress::Waits) => {
                let wounded = self.transaction.is_left_to_nobody();
                (wounded.into_iter().flat_map(|shard| self.give_way(shard)).collect(), false)
            }
            Some(Progress::Done) => {
                self.transaction.note_done(shard);
                self.undone -= 1;
                if !self.transaction.is_decided() {
                    self.transaction.decide();
                }
                let holders = self.transaction.let_go();
                (self.errands(holders, || ErrandKind::Commit), self.undone == 0)
            }
            None => (Vec::new(), false),
        }
    }

    fn have_held(&mut self, shard: ShardId) -> (Vec<(ShardId, Errand)>, bool) {
        let is_held_by_all = self.transaction.note_held(shard);
        if is_held_by_all {
            self.transaction.decide();
            let holders = self.transaction.let_go();
            return match self.asker.access {
                Access::Read => (self.errands(holders, || ErrandKind::Release), true),
                Access::Write => (self.errands(holders, || ErrandKind::Commit), self.asker.is_foreknown),
            };
        }
        match self.other() {
            Some(other) if self.is_left_to_other() && shard == self.me && self.transaction.is_idle(other) => {
                let wants = self.transaction.leave_to(other);
                (vec![self.acquire(other, wants, When::IfFree)], false)
            }
            _ => (Vec::new(), false),
        }
    }

    /// An older transaction wants what this shard holds for this one.
    pub fn yield_at(&mut self, shard: ShardId) -> Vec<(ShardId, Errand)> {
        if self.transaction.must_yield(shard) { self.give_way(shard) } else { Vec::new() }
    }

    fn give_way(&mut self, shard: ShardId) -> Vec<(ShardId, Errand)> {
        match self.asker.access {
            Access::Read => vec![self.errand(shard, ErrandKind::Release), self.ask(shard)],
            Access::Write => {
                // What is to be done has been sent.
                self.transaction.ask(shard);
                vec![self.errand(shard, ErrandKind::Yield)]
            }
        }
    }

    /// Bytes of what has been answered.
    pub fn held_bytes(&self) -> usize {
        self.replies.iter().map(|(_, reply)| reply.len()).sum()
    }

    /// What all parts answered, in the order of their numbers.
    pub fn take_replies(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.replies.sort_unstable_by_key(|(number, _)| *number);
        std::mem::take(&mut self.replies)
    }
}
