//! Calls of peers that may not run yet: one of their keys is to be saved or kept first, or is held.

use std::collections::{BTreeSet, VecDeque};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;
use tessera_routing::Call;

/// Calls set aside at most, and their words in bytes. Past that their homes' batches wait.
const ASIDE_MAX_CALLS: usize = 1024;
const ASIDE_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;

/// A call of a peer that waits.
#[derive(Debug)]
pub(crate) struct AsideCall {
    pub(crate) home: usize,
    pub(crate) call: Call,
    pub(crate) words: OwnedArgs,
}

/// Calls of peers that wait for a key, and later ones of the same connections, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    calls: VecDeque<AsideCall>,
    /// Whose they are: homes and connections.
    callers: BTreeSet<(usize, u64)>,
    words_len_bytes: usize,
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

impl Aside {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// There is room for another call with so many bytes of words. One alone may be longer.
    pub(crate) fn has_room(&self, len_bytes: usize) -> bool {
        self.calls.len() < ASIDE_MAX_CALLS && self.words_len_bytes + len_bytes <= ASIDE_MAX_LEN_BYTES
            || self.is_empty()
    }

    /// An earlier call of the same connection waits.
    pub(crate) fn has(&self, home: usize, connection: u64) -> bool {
        self.callers.contains(&(home, connection))
    }

    /// A call of this node waits.
    pub(crate) fn has_of(&self, home: usize) -> bool {
        self.callers.range((home, 0)..=(home, u64::MAX)).next().is_some()
    }

    /// Sets a call aside.
    pub(crate) fn add(&mut self, home: usize, call: &Call, args: Args<'_>) {
        self.put_back(AsideCall { home, call: *call, words: OwnedArgs::from_words(args.iter()) });
    }

    /// Sets a call aside that was already, behind those that have come back before it.
    pub(crate) fn put_back(&mut self, aside: AsideCall) {
        self.words_len_bytes += aside.words.as_args().total_len_bytes();
        self.callers.insert((aside.home, aside.call.ticket.connection));
        self.calls.push_back(aside);
    }

    /// All calls, in their order: each is to be run now or to be put back.
    pub(crate) fn take(&mut self) -> VecDeque<AsideCall> {
        self.callers.clear();
        self.words_len_bytes = 0;
        std::mem::take(&mut self.calls)
    }
}
