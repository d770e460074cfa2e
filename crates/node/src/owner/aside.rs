//! Writes that have to wait: their key is not saved yet, and saving it at once would take too long, or more memory than
//! there is for that; or clients are in the middle of what it holds, and keeping that for them takes several steps. Calls of
//! peers that wait for other reasons, see [`crate::held`], wait in the same place.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use std::collections::{BTreeSet, VecDeque};
use tessera_command::keys::{KeyAt, find_keys};
use tessera_command::{Command, KeyFlags};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Call;

/// Calls set aside at most, and their words in bytes. Past that their homes' batches wait.
const ASIDE_MAX_CALLS: usize = 1024;
const ASIDE_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;

/// A call of a peer that waits.
#[derive(Debug)]
struct AsideCall {
    home: usize,
    call: Call,
    words: OwnedArgs,
}

/// Calls of peers that wait for a key to be saved, and later ones of the same connections, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    calls: VecDeque<AsideCall>,
    /// Whose they are: homes and connections.
    callers: BTreeSet<(usize, u64)>,
    words_len_bytes: usize,
    /// Room to find keys in.
    keys: Vec<KeyAt>,
}

impl Aside {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    fn has(&self, home: usize, connection: u64) -> bool {
        self.callers.contains(&(home, connection))
    }
}

/// What is to be done with a call of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Run it.
    Now,
    /// It has been set aside.
    Aside,
    /// It must wait, and there is no more room to set it aside.
    Full,
}

/// A command may change a large value of this key where it is, or take it away to use it; others replace or remove it.
fn changes_in_place(command: &Command, flags: KeyFlags) -> bool {
    !command.spec.leaves_values && flags.has(KeyFlags::RW)
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The shard is being walked, so that writes have to ask.
    #[inline]
    pub(crate) fn is_walking(&self) -> bool {
        self.snapshot.part.as_ref().is_some_and(|part| part.is_walking())
    }

    /// Somebody has still to save, or to read, what the shard holds, so that writes have to ask.
    #[inline]
    pub(crate) fn must_writes_ask(&self) -> bool {
        self.owner.shard.has_readers() || self.is_walking()
    }

    /// Whether a command, or part of one, has to wait for one of its keys on this shard to be saved, or kept for who reads it.
    #[cold]
    pub(crate) fn must_wait_to_write(&mut self, command: &'static Command, args: Args<'_>, db: u16) -> bool {
        if !command.is_write() {
            return false;
        }
        let mut keys = std::mem::take(&mut self.owner.aside.keys);
        keys.clear();
        // A command whose keys the words do not tell is refused when it runs.
        find_keys(command, args, &mut keys);
        let must_wait = keys.iter().any(|found| {
            let key = &args[found.index];
            usize::from(self.server.shared.slots.owner_of(key)) == self.server.me
                && (self.owner.shard.must_wait_for_snapshot(db, key)
                    || changes_in_place(command, found.flags)
                        && self.owner.shard.must_wait_for_readers(db, key))
        });
        self.owner.aside.keys = keys;
        must_wait
    }

    /// Whether a peer's call may run now. One that may not is set aside, and with it what its connection sends later.
    #[cold]
    pub(crate) fn turn_of_call(&mut self, home: usize, call: &Call, args: Args<'_>) -> Turn {
        let aside = &self.owner.aside;
        let is_behind = aside.has(home, call.ticket.connection);
        let waits_to_write = self.must_writes_ask() && self.must_wait_to_write(call.command, args, call.db);
        if !is_behind && !waits_to_write && !self.must_wait_for_holder(call.command, args) {
            return Turn::Now;
        }
        let aside = &mut self.owner.aside;
        let len_bytes = args.total_len_bytes();
        if aside.calls.len() >= ASIDE_MAX_CALLS || aside.words_len_bytes + len_bytes > ASIDE_MAX_LEN_BYTES {
            // One call alone may be longer.
            if !aside.is_empty() {
                return Turn::Full;
            }
        }
        aside.words_len_bytes += len_bytes;
        aside.callers.insert((home, call.ticket.connection));
        aside.calls.push_back(AsideCall { home, call: *call, words: OwnedArgs::from_words(args.iter()) });
        self.server.counters.snapshot_writers_waited += u64::from(waits_to_write);
        Turn::Aside
    }

    /// Has writers ask again, because the snapshot has got on, or something was kept.
    pub(crate) fn let_writers_go(&mut self) {
        // They came before those whose commands were held.
        self.let_unkept_go();
        self.home.release(Gate::Unsaved);
        self.let_aside_go();
    }

    /// Runs those calls of peers that need wait no longer.
    pub(crate) fn let_aside_go(&mut self) {
        let calls = std::mem::take(&mut self.owner.aside.calls);
        let mut behind: BTreeSet<(usize, u64)> = BTreeSet::new();
        for aside in calls {
            let AsideCall { home, call, words } = &aside;
            let who = (*home, call.ticket.connection);
            let waits = behind.contains(&who)
                || self.must_writes_ask() && self.must_wait_to_write(call.command, words.as_args(), call.db)
                || self.must_wait_for_holder(call.command, words.as_args());
            if waits {
                behind.insert(who);
                self.owner.aside.calls.push_back(aside);
                continue;
            }
            self.owner.aside.words_len_bytes -= words.as_args().total_len_bytes();
            let mut out = self.mesh.take_outgoing(*home);
            self.answer_call(*home, call, words.as_args(), &mut out);
            self.mesh.restore_outgoing(*home, out);
        }
        self.owner.aside.callers = behind;
        // There may be room for more, or they need wait no longer.
        self.mesh.let_calls_go();
    }
}
