//! A transaction at its home: which shards it has asked for their keys, which have given them, and whether its outcome
//! is decided. What it does with the keys is its owner's business: see [`crate::gather`], [`crate::parts`].
//!
//! All owners are asked at once, and the question carries what is to be read, so that a transaction that is in nobody's
//! way takes one round to be decided, whatever the number of shards. Until it is, it has changed nothing, and gives way
//! to an older one that wants its keys: it lets go of that shard's and asks for them anew, as old as it was. Once
//! decided it waits for nobody.

use crate::intents::{TransactionId, Wants};
use crate::message::Errand;
use crate::slots::ShardId;

/// Errands to send, or the end. None is answered of those that only let go of keys.
#[derive(Debug)]
pub enum Step {
    /// Send these; answers will come. Perhaps none: then others are still out.
    Send(Vec<(ShardId, Errand)>),
    /// The whole reply, and the last errands.
    Done(Vec<u8>, Vec<(ShardId, Errand)>),
    /// There was no element to move, see [`crate::Gathering::start_moving`]; and the last errands.
    Absent(Vec<(ShardId, Errand)>),
}

/// How far a shard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has not been asked.
    Idle,
    /// It has been asked.
    Asked,
    /// It holds the keys.
    Held,
    /// It has let go of them, or was told to.
    Done,
}

#[derive(Debug)]
struct Participant {
    shard: ShardId,
    wants: Wants,
    state: State,
    /// An older transaction wants its keys; what is to be done is decided when it is known how far others are.
    is_wounded: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Transaction {
    id: TransactionId,
    /// In the order of the shards, each once.
    participants: Vec<Participant>,
    /// Some shard may be carrying out all of it already: nothing can be taken back until that is known.
    is_committing: bool,
    is_decided: bool,
}

impl Transaction {
    /// One that wants this of these shards, each named once.
    pub fn new(id: TransactionId, wants: impl IntoIterator<Item = (ShardId, Wants)>) -> Transaction {
        let participant =
            |(shard, wants)| Participant { shard, wants, state: State::Idle, is_wounded: false };
        let mut participants: Vec<Participant> = wants.into_iter().map(participant).collect();
        participants.sort_unstable_by_key(|participant| participant.shard);
        debug_assert!(participants.windows(2).all(|pair| pair[0].shard != pair[1].shard));
        Transaction { id, participants, is_committing: false, is_decided: false }
    }

    /// Its name at all owners.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// The shards that it wants something of, in order.
    pub fn shards(&self) -> impl ExactSizeIterator<Item = ShardId> {
        self.participants.iter().map(|participant| participant.shard)
    }

    fn at(&mut self, shard: ShardId) -> Option<&mut Participant> {
        let index = self.participants.binary_search_by_key(&shard, |participant| participant.shard);
        self.participants.get_mut(index.ok()?)
    }

    /// The shard has not been asked.
    pub fn is_idle(&self, shard: ShardId) -> bool {
        self.participants.iter().any(|other| other.shard == shard && other.state == State::Idle)
    }

    /// The shard is asked: for this.
    pub fn ask(&mut self, shard: ShardId) -> Wants {
        let Some(participant) = self.at(shard) else { return Wants::default() };
        participant.state = State::Asked;
        participant.is_wounded = false;
        participant.wants.clone()
    }

    /// This shard alone may carry out all of the transaction as soon as it has the keys, or will say that it cannot at
    /// once: until then the others' keys are not given away.
    pub fn leave_to(&mut self, shard: ShardId) -> Wants {
        self.is_committing = true;
        self.ask(shard)
    }

    /// The shard that all was left to cannot do it at once. Returns those whose keys older ones have wanted meanwhile.
    pub fn is_left_to_nobody(&mut self) -> Vec<ShardId> {
        self.is_committing = false;
        let wounded = self.participants.iter_mut().filter(|participant| participant.is_wounded);
        wounded.map(|participant| participant.shard).collect()
    }

    /// The shard has the keys. True if all have.
    pub fn note_held(&mut self, shard: ShardId) -> bool {
        if let Some(participant) = self.at(shard) {
            participant.state = State::Held;
        }
        self.participants.iter().all(|participant| participant.state == State::Held)
    }

    /// The shard has done its part and let go of its keys.
    pub fn note_done(&mut self, shard: ShardId) {
        if let Some(participant) = self.at(shard) {
            participant.state = State::Done;
        }
    }

    /// An older transaction wants what this shard holds for this one. True if it is to be let go of and asked for anew.
    pub fn must_yield(&mut self, shard: ShardId) -> bool {
        let (is_decided, is_committing) = (self.is_decided, self.is_committing);
        let Some(participant) = self.at(shard) else { return false };
        if is_decided || participant.state != State::Held {
            return false;
        }
        participant.is_wounded = true;
        !is_committing
    }

    /// From now on it gives way to nobody.
    pub fn decide(&mut self) {
        debug_assert!(!self.is_decided);
        self.is_decided = true;
    }

    /// Its outcome is decided.
    pub fn is_decided(&self) -> bool {
        self.is_decided
    }

    /// The shards that hold keys for it, which are let go of from now on.
    pub fn let_go(&mut self) -> Vec<ShardId> {
        let holding = self.participants.iter_mut().filter(|participant| participant.state == State::Held);
        holding
            .map(|participant| {
                participant.state = State::Done;
                participant.shard
            })
            .collect()
    }
}
