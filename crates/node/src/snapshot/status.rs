//! What is asked for of snapshots, and what is told of them: the same for all nodes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a snapshot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Nobody waits for it: BGSAVE, a save point, FLUSHALL.
    Background,
    /// A client waits for it.
    Save,
    /// A client is to be sent it.
    Transfer,
    /// All is to be loaded again after it.
    Reload {
        /// Or after its cut alone.
        saves: bool,
    },
    /// The server is to end with it.
    End {
        /// Also if it fails.
        force: bool,
    },
}

/// How the server is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndOrder {
    /// With a snapshot or without; as there are save points or not if this does not say.
    pub save: Option<bool>,
    /// Also if the snapshot fails.
    pub force: bool,
}

/// How snapshots went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaveFacts {
    /// One that nobody waits for is under way, since this time in Unix seconds.
    pub background_since_unix_s: Option<i64>,
    /// When the last one succeeded, in Unix seconds.
    pub last_save_unix_s: i64,
    /// When the last one in the background began, in Unix seconds.
    pub last_try_unix_s: i64,
    /// How long the last one in the background took, in seconds.
    pub last_duration_s: Option<i64>,
    /// How many were begun. CONFIG RESETSTAT resets it.
    pub saves: u64,
    /// What was counted of changes at the cut of the last one that succeeded.
    pub saved_changes: u64,
    /// For how long clients were held for the last cut, in nanoseconds.
    pub last_cut_ns: u64,
    /// How often a cut was given up because it took too long.
    pub cuts_given_up: u64,
    /// The moment that the last set, or what was loaded, is of, in Unix milliseconds.
    pub last_cut_ms: i64,
    /// The last set's length, in bytes.
    pub last_len_bytes: u64,
    /// The most that was saved ahead in the one under way, or in the last, in bytes.
    pub peak_ahead_bytes: u64,
    /// The most that was saved ahead in the last that ended, in bytes.
    pub last_peak_ahead_bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    requested: Option<Purpose>,
    end: Option<EndOrder>,
    /// One is requested or under way.
    is_busy: bool,
    facts: SaveFacts,
}

/// What all nodes know of snapshots.
#[derive(Debug, Default)]
pub struct Persistence {
    /// Something is requested.
    has_request: AtomicBool,
    /// The last one in the background failed.
    has_failed: AtomicBool,
    /// How often the server was to end and went on, because it could not save.
    failed_ends: AtomicU64,
    state: Mutex<State>,
}

impl Persistence {
    /// Of a server that started at this time, in Unix seconds.
    pub fn new(started_at_unix_s: i64) -> Persistence {
        let persistence = Persistence::default();
        persistence.state().facts.last_save_unix_s = started_at_unix_s;
        persistence
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a snapshot. False if one is requested or under way. Node 0 has to be woken.
    pub(crate) fn request(&self, purpose: Purpose, unix_s: i64) -> bool {
        let mut state = self.state();
        if state.is_busy {
            return false;
        }
        state.is_busy = true;
        if purpose == Purpose::Background {
            // Who has been told that it begins must not be told that it is over.
            state.facts.background_since_unix_s = Some(unix_s);
        }
        state.requested = Some(purpose);
        self.has_request.store(true, Ordering::Release);
        true
    }

    /// Something like a snapshot begins, unless one is requested or under way: then false.
    pub(crate) fn become_busy(&self) -> bool {
        let mut state = self.state();
        !std::mem::replace(&mut state.is_busy, true)
    }

    /// Asks for the server's end. Node 0 has to be woken.
    pub(crate) fn request_end(&self, order: EndOrder) {
        self.state().end = Some(order);
        self.has_request.store(true, Ordering::Release);
    }

    /// Something is requested.
    #[inline]
    pub(crate) fn has_request(&self) -> bool {
        self.has_request.load(Ordering::Acquire)
    }

    /// What is requested; nothing is any more.
    pub(crate) fn take_requests(&self) -> (Option<Purpose>, Option<EndOrder>) {
        let mut state = self.state();
        self.has_request.store(false, Ordering::Relaxed);
        (state.requested.take(), state.end.take())
    }

    /// How the server is to end, if that is asked for. A snapshot that is requested stays so.
    pub(crate) fn take_end(&self) -> Option<EndOrder> {
        self.state().end.take()
    }

    /// One is under way, or none.
    pub(crate) fn set_busy(&self, is_busy: bool) {
        self.state().is_busy = is_busy;
    }

    /// How often the server was to end and went on, because it could not save. May be asked from any thread.
    pub fn failed_ends(&self) -> u64 {
        self.failed_ends.load(Ordering::Acquire)
    }

    pub(crate) fn note_failed_end(&self) {
        self.failed_ends.fetch_add(1, Ordering::Release);
    }

    /// The last snapshot in the background failed.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    pub(crate) fn set_failed(&self, has_failed: bool) {
        self.has_failed.store(has_failed, Ordering::Relaxed);
    }

    /// How snapshots went.
    pub fn facts(&self) -> SaveFacts {
        self.state().facts.clone()
    }

    /// CONFIG RESETSTAT.
    pub(crate) fn reset_statistics(&self) {
        self.change(|facts| (facts.saves, facts.cuts_given_up) = (0, 0));
    }

    /// One has ended; another is requested or not. Whoever sees that it has ended can ask for another.
    pub(crate) fn end(&self, is_busy: bool, change: impl FnOnce(&mut SaveFacts)) {
        let mut state = self.state();
        state.is_busy = is_busy;
        change(&mut state.facts);
    }

    /// Changes what is told.
    pub(crate) fn change(&self, change: impl FnOnce(&mut SaveFacts)) {
        change(&mut self.state().facts);
    }
}
