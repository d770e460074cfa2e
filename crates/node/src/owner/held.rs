//! Keys of this node's shard that commands over several shards hold, see [`tessera_routing::held_keys`], and what waits for
//! them meanwhile: clients of this node, calls of its peers (set aside as those are that wait for a snapshot), errands of other
//! such commands, and blocking commands, whether they have yet to look at the keys or wait for them already.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use crate::notes::waiting::WaitRequest;
use std::collections::BTreeSet;
use tessera_command::Command;
use tessera_command::keys::{KeyAt, find_keys};
use tessera_resp::Args;
use tessera_routing::held_keys::{Admission, KeyHolder};
use tessera_routing::message::ErrandKind;
use tessera_routing::{Answer, Errand, HeldKeys, Ticket};

/// See the module.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) holds: HeldKeys,
    /// Keys have been let go of, and nobody has been told.
    is_released: bool,
    /// Among those who are to be told are some that only want to use the keys: before they have run nobody may hold any, or a
    /// client that holds a key again and again would keep them away for as long as it likes.
    gives_way: bool,
    requests: Vec<WaitRequest>,
    /// Keys that have something for those who wait for them, which may not be taken or not be put where it is to go.
    unserved: BTreeSet<(u16, Box<[u8]>)>,
    /// Room to find keys in.
    keys: Vec<KeyAt>,
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

    /// One of these keys is held.
    pub(crate) fn holds_any(&self, keys: &[Box<[u8]>]) -> bool {
        !self.holds.is_empty() && keys.iter().any(|key| self.holds.is_held(key))
    }

    /// Puts off a blocking command until the key that it is to look at is free.
    pub(crate) fn put_off(&mut self, request: WaitRequest) {
        self.requests.push(request);
    }

    /// Puts off whoever waits for this key until keys are let go of.
    pub(crate) fn put_off_waiters(&mut self, db: u16, key: &[u8]) {
        self.unserved.insert((db, key.into()));
    }

    /// Whether one of a command's keys is held. Those of other shards are not known here.
    #[cold]
    fn holds_key_of(&mut self, command: &'static Command, args: Args<'_>) -> bool {
        self.keys.clear();
        // A command whose keys the words do not tell is refused when it runs.
        find_keys(command, args, &mut self.keys);
        self.keys.iter().any(|key| args.get(key.index).is_some_and(|key| self.holds.is_held(key)))
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Whether a command, or part of one, has to wait until one of its keys is let go of.
    #[inline]
    pub(crate) fn must_wait_for_holder(&mut self, command: &'static Command, args: Args<'_>) -> bool {
        !self.owner.held.holds.is_empty() && self.owner.held.holds_key_of(command, args)
    }

    /// Takes in an errand for this shard. Of this node's own it returns the answer, if there is one already.
    pub(crate) fn take_errand(&mut self, home: usize, errand: Errand) -> Option<Answer> {
        if matches!(errand.kind, ErrandKind::Release) {
            self.release(KeyHolder::of(home, &errand));
            return None;
        }
        let (ticket, answer) = match self.owner.held.holds.admit(home, errand, self.owner.held.gives_way) {
            Admission::Run(errand) if self.must_wait_with_errand(&errand) => {
                self.owner.unkept.put_off_errand(home, errand);
                return None;
            }
            Admission::Run(errand) => (errand.ticket, self.run_errand(errand)),
            Admission::Refused(errand) => (errand.ticket, Answer::default()),
            Admission::Waits => return None,
        };
        if home == self.server.me {
            return Some(answer);
        }
        self.mesh.outgoing(home).answers.push((ticket, answer));
        None
    }

    /// Lets go of what a command holds.
    fn release(&mut self, holder: KeyHolder) {
        if !self.owner.held.holds.release(holder) {
            return;
        }
        self.owner.held.is_released = true;
        self.owner.held.gives_way |= self.home.holds.waiting(Gate::Held) > 0
            || !self.owner.held.requests.is_empty()
            || !self.owner.held.unserved.is_empty()
            || !self.owner.aside.is_empty();
    }

    /// Tells everybody who waited for keys that have been let go of, but those that will hold them.
    pub(crate) fn let_held_go(&mut self) {
        if !std::mem::take(&mut self.owner.held.is_released) {
            return;
        }
        // They came before those whose commands were held.
        for (db, key) in std::mem::take(&mut self.owner.held.unserved) {
            self.owner.shard.waited_keys().note(db, &key);
        }
        self.serve_waiters();
        self.home.release(Gate::Held);
        self.let_aside_go();
        for request in std::mem::take(&mut self.owner.held.requests) {
            self.take_wait(request);
        }
    }

    /// Hands free keys to those who wait to hold them, and to blocking commands. Comes after [`Core::let_held_go`] and what followed from it, so that
    /// commands on single keys are not kept away by those that hold them in turn.
    pub(crate) fn hand_out_keys(&mut self) {
        // Those have run who were told. If not all have been, that comes in the next turn.
        self.owner.held.gives_way &= self.owner.held.is_released;
        while !self.owner.held.is_released
            && let Some((home, errand)) = self.owner.held.holds.next_ready()
        {
            let (ticket, holder) = (errand.ticket, KeyHolder::of(home, &errand));
            let reads =
                matches!(errand.kind, ErrandKind::Look { hold: tessera_routing::message::HoldMode::Not, .. });
            let answer = self.run_errand(errand);
            if reads {
                self.release(holder);
            }
            self.answer_errand(home, ticket, answer);
        }
        self.serve_waiters();
        self.run_own_notes();
    }

    pub(crate) fn answer_errand(&mut self, home: usize, ticket: Ticket, answer: Answer) {
        if home == self.server.me {
            self.take_answer(ticket, answer);
        } else {
            self.mesh.outgoing(home).answers.push((ticket, answer));
        }
    }
}
