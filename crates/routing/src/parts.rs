//! A transaction that consists of commands, or parts of one, which each shard runs by itself: MSET and MGET of keys of
//! several shards, commands for whole shards.
//!
//! If two shards have a part in it and one is the home's own, that holds its keys first, and the other does everything
//! as soon as it can; then the first does: one round. If nothing is changed, each shard answers as soon as it holds its
//! keys, and when all do the reply is known: one round. Otherwise the words go along with the question for the
//! keys, and when all hold theirs each is told to go on: if the reply is known then it leaves at once.

use crate::intents::{TransactionId, Wants};
use crate::message::{
    Acquire, Answer, Errand, ErrandKind, Part, Progress, Replied, Ticket, WatchedKey, When, Work,
};
use crate::slots::ShardId;
use crate::transaction::Transaction;
use std::collections::BTreeSet;
use tessera_command::Command;

/// What one shard has to do with it.
#[derive(Debug)]
pub struct Share {
    /// Which.
    pub shard: ShardId,
    /// Its keys.
    pub wants: Wants,
    /// Keys of its that must be as they were.
    pub watched: Vec<WatchedKey>,
    /// What it runs.
    pub parts: Vec<Part>,
}

/// What becomes of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// None of them changes anything.
    Read,
    /// Some may change something.
    Write,
    /// Some do, and whatever they change, the reply is known once all keys are held.
    WriteForeknown,
    /// There are none: the keys are held until [`Parts::release`], and what is done meanwhile is another's business.
    Hold,
}

impl Mode {
    /// Of the parts of this command.
    pub fn of(command: &Command) -> Mode {
        match (command.is_write(), command.spec.always_succeeds) {
            (false, _) => Mode::Read,
            (true, true) => Mode::WriteForeknown,
            (true, false) => Mode::Write,
        }
    }
}

/// What it is, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct PartsAsker {
    /// What becomes of the parts.
    pub mode: Mode,
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
    shares: Vec<(ShardId, Vec<WatchedKey>, Vec<Part>)>,
    /// A key that is watched is not as it was.
    is_changed: bool,
    /// So many shards have not done what there is to do.
    undone: usize,
    /// What has been answered.
    replies: Vec<Replied>,
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
            kept.push((share.shard, share.watched, share.parts));
        }
        kept.sort_unstable_by_key(|(shard, ..)| *shard);
        let undone = kept.len();
        let transaction = Transaction::new(id, wants);
        let (is_changed, replies) = (false, Vec::new());
        let mut parts = Parts { transaction, asker, me, shares: kept, is_changed, undone, replies };
        let first: Vec<ShardId> = match parts.other() {
            Some(_) if parts.is_left_to_other() => vec![me],
            _ => parts.transaction.shards().collect(),
        };
        let errands = first.into_iter().map(|shard| parts.ask(shard)).collect();
        (parts, errands)
    }

    /// All of it is done as soon as the one other shard besides the home's own has its keys.
    fn is_left_to_other(&self) -> bool {
        self.asker.mode != Mode::Hold && self.other().is_some()
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
        match self.asker.mode {
            Mode::Hold => When::Held,
            _ if self.shares.len() == 1 => When::Alone,
            Mode::Read if !self.is_left_to_other() => When::Held,
            _ => When::Committed,
        }
    }

    fn ask(&mut self, shard: ShardId) -> (ShardId, Errand) {
        let wants = self.transaction.ask(shard);
        self.acquire(shard, wants, self.when())
    }

    fn acquire(&mut self, shard: ShardId, wants: Wants, when: When) -> (ShardId, Errand) {
        let share = self.shares.iter_mut().find(|(other, ..)| *other == shard);
        let (watched, parts) = match (share, when) {
            // They are sent once more if the shard has to give its keys away.
            (Some((_, watched, parts)), When::Held) => (watched.clone(), parts.clone()),
            (Some((_, watched, parts)), _) => (std::mem::take(watched), std::mem::take(parts)),
            (None, _) => (Vec::new(), Vec::new()),
        };
        let acquire = Acquire { wants, watched, work: Work::Run(parts), when };
        self.errand(shard, ErrandKind::Acquire(Box::new(acquire)))
    }

    fn errand(&self, shard: ShardId, kind: ErrandKind) -> (ShardId, Errand) {
        let transaction = self.transaction.id();
        let TransactionId { connection, sequence, .. } = transaction;
        let ticket = Ticket { connection, sequence, part: u32::from(shard) };
        let PartsAsker { db, touch, .. } = self.asker;
        (shard, Errand { transaction, ticket, db, touch, moment_ms: None, key: Box::default(), kind })
    }

    fn errands(&self, shards: Vec<ShardId>, kind: fn() -> ErrandKind) -> Vec<(ShardId, Errand)> {
        shards.into_iter().map(|shard| self.errand(shard, kind())).collect()
    }

    /// Takes in what a shard answered: errands to send, and whether the outcome is known and all replies are there. Of
    /// those that are to be sent then no answer is awaited.
    pub fn answer(&mut self, shard: ShardId, answer: Answer) -> (Vec<(ShardId, Errand)>, bool) {
        // What was read before the keys were given away is read again.
        if !answer.replies.is_empty() && !self.replies.is_empty() {
            let numbers: BTreeSet<u32> = answer.replies.iter().map(|replied| replied.number).collect();
            self.replies.retain(|replied| !numbers.contains(&replied.number));
        }
        self.replies.extend(answer.replies);
        self.is_changed |= answer.is_changed;
        match answer.progress {
            Some(Progress::Held) => self.have_held(shard),
            Some(Progress::Waits) => {
                let wounded = self.transaction.is_left_to_nobody();
                (wounded.into_iter().flat_map(|shard| self.give_way(shard)).collect(), false)
            }
            Some(Progress::Done) => self.have_done(shard),
            None => (Vec::new(), false),
        }
    }

    /// A shard has done its share, or found that nothing is to be done.
    fn have_done(&mut self, shard: ShardId) -> (Vec<(ShardId, Errand)>, bool) {
        self.transaction.note_done(shard);
        self.undone -= 1;
        if !self.transaction.is_decided() {
            self.transaction.decide();
        }
        if self.is_changed {
            return (self.release(), true);
        }
        let holders = self.transaction.let_go();
        (self.errands(holders, || ErrandKind::Commit), self.undone == 0)
    }

    /// A shard has its keys. If one of them says that a watched key is not as it was, that is the outcome: once all who
    /// have been asked have answered, so that all can be told to let go.
    fn have_held(&mut self, shard: ShardId) -> (Vec<(ShardId, Errand)>, bool) {
        if self.transaction.note_held(shard) {
            self.transaction.decide();
            return match self.asker.mode {
                _ if self.is_changed => (self.release(), true),
                Mode::Hold => (Vec::new(), true),
                Mode::Read if !self.is_left_to_other() => (self.release(), true),
                Mode::Read | Mode::Write | Mode::WriteForeknown => {
                    let holders = self.transaction.let_go();
                    let is_foreknown = self.asker.mode == Mode::WriteForeknown;
                    (self.errands(holders, || ErrandKind::Commit), is_foreknown)
                }
            };
        }
        match self.other() {
            Some(other) if self.is_left_to_other() && shard == self.me && self.transaction.is_idle(other) => {
                if self.is_changed {
                    self.transaction.decide();
                    return (self.release(), true);
                }
                let wants = self.transaction.leave_to(other);
                (vec![self.acquire(other, wants, When::IfFree)], false)
            }
            _ => (Vec::new(), false),
        }
    }

    /// Lets go of all keys.
    pub fn release(&mut self) -> Vec<(ShardId, Errand)> {
        let holders = self.transaction.let_go();
        self.errands(holders, || ErrandKind::Release)
    }

    /// Its name at the owners.
    pub fn id(&self) -> TransactionId {
        self.transaction.id()
    }

    /// What becomes of the parts.
    pub fn mode(&self) -> Mode {
        self.asker.mode
    }

    /// A key that was watched is not as it was: nothing was done.
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// An older transaction wants what this shard holds for this one.
    pub fn yield_at(&mut self, shard: ShardId) -> Vec<(ShardId, Errand)> {
        if self.transaction.must_yield(shard) { self.give_way(shard) } else { Vec::new() }
    }

    fn give_way(&mut self, shard: ShardId) -> Vec<(ShardId, Errand)> {
        match self.when() {
            When::Held => vec![self.errand(shard, ErrandKind::Release), self.ask(shard)],
            _ => {
                // What is to be done has been sent.
                self.transaction.ask(shard);
                vec![self.errand(shard, ErrandKind::Yield)]
            }
        }
    }

    /// Bytes of what has been answered.
    pub fn held_bytes(&self) -> usize {
        self.replies.iter().map(|replied| replied.reply.len()).sum()
    }

    /// What all parts answered, in the order of their numbers.
    pub fn take_replies(&mut self) -> Vec<Replied> {
        self.replies.sort_unstable_by_key(|replied| replied.number);
        std::mem::take(&mut self.replies)
    }
}
