//! What homes and owners tell each other of blocking commands.

use crate::mesh::NoteLen;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use tessera_command::Command;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Ticket;

/// About a blocking command.
pub enum WaitNote {
    /// It wants something of your shard; answer with `Served` or `Waiting`.
    Wait(Box<WaitRequest>),
    /// Which of these keys is the first that holds something? Answer with `Looked`.
    Look(Box<LookRequest>),
    /// That one.
    Looked(Ticket, Option<usize>),
    /// There is nothing for that client yet; it waits.
    Waiting(Ticket),
    /// The reply.
    Served(Ticket, Served),
    /// That client waits no more.
    Forget(Ticket),
    /// It is that client's turn at its key: move the element that it waits for to where that goes.
    Move(Ticket),
    /// There was none left. The client waits as before.
    StillWaits(Ticket),
}

impl WaitNote {
    /// It may change a shard, or lead to something else that does.
    pub(super) fn is_request(&self) -> bool {
        matches!(self, WaitNote::Wait(_) | WaitNote::Move(_) | WaitNote::StillWaits(_))
    }

    pub(super) fn len_bytes(&self) -> NoteLen {
        match self {
            WaitNote::Wait(request) => NoteLen::Request(request.words.as_args().total_len_bytes()),
            WaitNote::Served(_, served) => NoteLen::Reply(served.reply.len()),
            _ => NoteLen::Short,
        }
    }
}

/// The right to answer a waiting client, which only one has: a shard with something for it, or its home when time is
/// up, the client is to be unblocked or is gone.
#[derive(Clone, Debug, Default)]
pub struct Claim(Arc<Claimed>);

#[derive(Debug, Default)]
struct Claimed {
    by: AtomicU8,
    /// There was a moment at which the client could only wait.
    has_waited: AtomicBool,
}

const FREE: u8 = 0;
const TAKEN: u8 = 1;
/// The client's home is trying to move an element for it, and has the right unless there is none to move.
const MOVING: u8 = 2;

// What is done with the right is told by messages, which order everything else.
impl Claim {
    fn turn(&self, from: u8, to: u8) -> bool {
        self.0.by.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Takes the right; false if somebody else has.
    pub fn take(&self) -> bool {
        self.turn(FREE, TAKEN)
    }

    /// Somebody has taken it, or is about to.
    pub fn is_taken(&self) -> bool {
        self.0.by.load(Ordering::Relaxed) != FREE
    }

    /// Gives the right to the client's home for as long as it tries to move an element; false if somebody has it.
    pub fn begin_move(&self) -> bool {
        self.turn(FREE, MOVING)
    }

    /// The client's home is trying to move an element.
    pub fn is_moving(&self) -> bool {
        self.0.by.load(Ordering::Relaxed) == MOVING
    }

    /// There is nothing for the client: whatever comes to its keys now, it came before.
    pub fn note_wait(&self) {
        self.0.has_waited.store(true, Ordering::Relaxed);
    }

    /// There was nothing for the client at some moment. Until then it has only been behind others, whom it has to let
    /// move their elements first, and still gets what it would have got at once.
    pub fn has_waited(&self) -> bool {
        self.0.has_waited.load(Ordering::Relaxed)
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

/// What became of a client at an owner of its keys.
#[derive(Debug)]
pub enum Attempt {
    /// Here is its reply.
    Served(Served),
    /// It waits.
    Waiting,
    /// Somebody else answers it.
    Elsewhere,
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
