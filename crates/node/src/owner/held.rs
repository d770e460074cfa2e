//! Keys of this node's shard that transactions hold, see [`tessera_routing::intents`], and what waits for them
//! meanwhile: clients of this node, calls of its peers (set aside as those are that wait for a snapshot), other
//! transactions, and blocking commands, whether they have yet to look at the keys or wait for them already.

use crate::notes::waiting::WaitRequest;
use std::collections::{BTreeMap, BTreeSet};
use tessera_routing::intents::{Access, Admission, Wants};
use tessera_routing::message::{Acquire, ErrandKind, Part, WatchedKey, When, Work};
use tessera_routing::{Errand, Intents, TransactionId};

/// What a transaction will have done once its outcome is decided, and the keys that had to be as they were, which may
/// have to be looked at again.
#[derive(Default)]
pub(crate) struct Staged {
    pub(crate) watched: Vec<WatchedKey>,
    pub(crate) parts: Vec<Part>,
}

/// Who has keys in their turn.
enum InTurn {
    /// A transaction, which holds them and does this.
    Transaction(Errand),
    /// Those whose single commands wait for them: all of these are told.
    Singles,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Held {
    intents: Intents<InTurn>,
    /// Clients whose single commands wait for keys, by home and connection, and since when.
    singles: BTreeMap<(usize, u64), TransactionId>,
    /// The time of the turn, in monotonic nanoseconds.
    now_ns: u64,
    /// What transactions will have done once their outcome is decided.
    staged: BTreeMap<TransactionId, Staged>,
    /// Since when, in Unix milliseconds, transactions hold keys here that take steps of which this shard knows nothing.
    since_ms: BTreeMap<TransactionId, i64>,
    /// Keys have been let go of, and nobody has been told.
    is_released: bool,
    /// Among those who are to be told are some that only want to use the keys: before they have run nobody may hold
    /// any, or a client that holds a key again and again would keep them away for as long as it likes.
    gives_way: bool,
    requests: Vec<WaitRequest>,
    /// Keys that have something for those who wait for them, which may not be taken or not be put where it is to go.
    unserved: BTreeSet<(u16, Box<[u8]>)>,
}

impl Held {
    /// Nobody holds anything or waits for it.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.intents.is_empty() && !self.is_released
    }

    /// Somebody can go on who does not know it.
    pub(crate) fn has_work(&self) -> bool {
        self.is_released || self.intents.has_ready()
    }

    /// Somebody holds a key.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        !self.intents.is_empty()
    }

    /// This key is held, so that others cannot have it for this.
    pub(crate) fn holds(&self, key: &[u8], access: Access) -> bool {
        self.intents.is_held(key, access)
    }

    /// What is wanted can be had, and given back, at once.
    pub(crate) fn are_free(&self, id: TransactionId, wants: &Wants) -> bool {
        !self.gives_way && self.intents.are_free(id, wants)
    }

    /// Has a transaction hold what it wants: now, or when it can.
    pub(crate) fn admit(&mut self, mut errand: Errand) -> Admission<Errand> {
        let wants = match &mut errand.kind {
            ErrandKind::Acquire(acquire) => std::mem::take(&mut acquire.wants),
            _ => Wants::default(),
        };
        let id = errand.transaction;
        match self.intents.admit(id, wants, InTurn::Transaction(errand), self.gives_way) {
            Admission::Granted(InTurn::Transaction(errand)) => Admission::Granted(errand),
            _ => Admission::Waits,
        }
    }

    /// A turn begins, at this time in monotonic nanoseconds.
    pub(crate) fn begin_turn(&mut self, now_ns: u64) {
        self.now_ns = now_ns;
    }

    /// A client's single command has to wait for these keys. It is not left to whether they happen to be free when it
    /// is told of others that were let go of: it has a place among those that wait for them, and whoever comes later
    /// comes after it.
    pub(crate) fn queue_up(&mut self, home: usize, connection: u64, wants: Wants) {
        if wants.is_empty() || self.singles.contains_key(&(home, connection)) {
            return;
        }
        // Others have read the clock since the turn began.
        let youngest_ns = self.intents.youngest().map_or(0, |id| id.began_ns);
        let began_ns = self.now_ns.max(youngest_ns + 1);
        let id = TransactionId { began_ns, home: home as u16, connection, sequence: u32::MAX };
        self.singles.insert((home, connection), id);
        self.intents.wait(id, wants, InTurn::Singles);
    }

    /// Keeps what a transaction that has its keys will have done.
    pub(crate) fn stage(&mut self, id: TransactionId, staged: Staged) {
        self.staged.insert(id, staged);
    }

    /// From now on (in Unix milliseconds) a transaction has its keys, and takes steps that are told one by one.
    pub(crate) fn note_steps(&mut self, id: TransactionId, now_ms: i64) {
        self.since_ms.insert(id, now_ms);
    }

    /// Since when, in Unix milliseconds, such a transaction has its keys: its steps are of this moment or a later one.
    pub(crate) fn steps_since_ms(&self) -> Option<i64> {
        self.since_ms.values().min().copied()
    }

    /// What a transaction is to have done now.
    pub(crate) fn take_staged(&mut self, id: TransactionId) -> Vec<Part> {
        self.staged.remove(&id).unwrap_or_default().parts
    }

    /// Lets go of what a transaction holds: that; what it would have done is not done. `has_waiters`: there are clients
    /// or calls that wait for such keys.
    pub(crate) fn release(&mut self, id: TransactionId, has_waiters: bool) -> Option<Wants> {
        self.staged.remove(&id);
        self.since_ms.remove(&id);
        let wants = self.intents.release(id)?;
        self.is_released = true;
        self.gives_way |= has_waiters || !self.requests.is_empty() || !self.unserved.is_empty();
        Some(wants)
    }

    /// Has a transaction give its keys to those who are older, and hold them anew in its turn. `errand` says what it
    /// wants done then; if it only says that it yields, that is what was staged.
    pub(crate) fn requeue(&mut self, errand: Errand, has_waiters: bool) -> Admission<Errand> {
        let id = errand.transaction;
        let staged = self.staged.remove(&id);
        let wants = self.release(id, has_waiters).unwrap_or_default();
        let kind = match (errand.kind, staged) {
            (ErrandKind::Acquire(acquire), _) => ErrandKind::Acquire(Box::new(Acquire { wants, ..*acquire })),
            (_, staged) => {
                let Staged { watched, parts } = staged.unwrap_or_default();
                let work = Work::Run(parts);
                ErrandKind::Acquire(Box::new(Acquire { wants, watched, work, when: When::Committed }))
            }
        };
        self.admit(Errand { kind, ..errand })
    }

    /// Transactions that hold what older ones want, and have not been told.
    pub(crate) fn take_wounded(&mut self) -> Vec<TransactionId> {
        if self.intents.has_wounded() { self.intents.take_wounded() } else { Vec::new() }
    }

    /// An older transaction wants what this one holds.
    pub(crate) fn is_wounded(&self, id: TransactionId) -> bool {
        self.intents.is_wounded(id)
    }

    /// Keys have been let go of since this was asked last: all who wait are to be told.
    pub(crate) fn take_released(&mut self) -> bool {
        std::mem::take(&mut self.is_released)
    }

    /// Those who have been told of free keys have run: they may be held again. If not all have been told, that comes in
    /// the next turn.
    pub(crate) fn stop_giving_way(&mut self) {
        self.gives_way &= self.is_released;
    }

    /// The next request of a transaction that can have its keys, if nobody has to be told of keys first.
    pub(crate) fn next_ready(&mut self) -> Option<Errand> {
        while !self.is_released {
            match self.intents.next_ready()? {
                (_, InTurn::Transaction(errand)) => return Some(errand),
                (id, InTurn::Singles) => {
                    self.singles.remove(&(usize::from(id.home), id.connection));
                    self.intents.release(id);
                    (self.is_released, self.gives_way) = (true, true);
                }
            }
        }
        None
    }

    /// Puts off a blocking command until the key that it is to look at is free.
    pub(crate) fn put_off(&mut self, request: WaitRequest) {
        self.requests.push(request);
    }

    /// Puts off whoever waits for this key until keys are let go of.
    pub(crate) fn put_off_waiters(&mut self, db: u16, key: &[u8]) {
        self.unserved.insert((db, key.into()));
    }

    /// All blocking commands that were put off.
    pub(crate) fn take_requests(&mut self) -> Vec<WaitRequest> {
        std::mem::take(&mut self.requests)
    }

    /// All keys for which those who wait were put off.
    pub(crate) fn take_unserved(&mut self) -> BTreeSet<(u16, Box<[u8]>)> {
        std::mem::take(&mut self.unserved)
    }
}
