//! Keys of this node's shard that commands over several shards hold, see [`tessera_routing::held_keys`], and what waits
//! for them meanwhile: clients of this node, calls of its peers (set aside as those are that wait for a snapshot),
//! errands of other such commands, and blocking commands, whether they have yet to look at the keys or wait for them
//! already.

use crate::notes::waiting::WaitRequest;
use std::collections::BTreeSet;
use tessera_routing::held_keys::{Admission, KeyHolder};
use tessera_routing::{Errand, HeldKeys};

/// See the module.
#[derive(Default)]
pub(crate) struct Held {
    holds: HeldKeys,
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
        self.holds.is_empty() && !self.is_released
    }

    /// Somebody can go on who does not know it.
    pub(crate) fn has_work(&self) -> bool {
        self.is_released || self.holds.has_ready()
    }

    /// Somebody holds a key.
    #[inline]
    pub(crate) fn holds_any(&self) -> bool {
        !self.holds.is_empty()
    }

    /// This key is held.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        self.holds.is_held(key)
    }

    /// HeldKeys what an errand wants held, if nobody else does.
    pub(crate) fn admit(&mut self, home: usize, errand: Errand) -> Admission {
        self.holds.admit(home, errand, self.gives_way)
    }

    /// Lets go of what a command holds. `has_waiters`: there are clients or calls that wait for such keys.
    pub(crate) fn release(&mut self, holder: KeyHolder, has_waiters: bool) {
        if self.holds.release(holder) {
            self.is_released = true;
            self.gives_way |= has_waiters || !self.requests.is_empty() || !self.unserved.is_empty();
        }
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

    /// The next errand that can have its keys, and its home, if nobody has to be told of keys first.
    pub(crate) fn next_ready(&mut self) -> Option<(usize, Errand)> {
        if self.is_released { None } else { self.holds.next_ready() }
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
