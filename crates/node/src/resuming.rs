//! What had to wait for keys of the node's shard goes on: clients of this node, calls of its peers, steps of commands
//! over several shards, and blocking commands. [`crate::owner::admission`] says whether they must wait.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use crate::owner::aside::AsideCall;
use tessera_routing::TransactionId;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has writers ask again, because the snapshot has got on, or something was kept.
    pub(crate) fn let_writers_go(&mut self) {
        // They came before those whose commands were held.
        self.let_unkept_go();
        self.home.release(Gate::Unsaved);
        self.let_aside_go();
    }

    /// Has steps and blocking commands try again that waited for a value to be saved or kept.
    fn let_unkept_go(&mut self) {
        if self.owner.unkept.is_empty() {
            return;
        }
        for errand in self.owner.unkept.take_errands() {
            self.retry_errand(errand);
        }
        for (db, key) in self.owner.unkept.take_unserved() {
            self.owner.shard.waited_keys().note(db, &key);
        }
        self.serve_waiters();
        for request in self.owner.unkept.take_requests() {
            self.take_wait(request);
        }
    }

    /// Runs those calls of peers that need wait no longer.
    fn let_aside_go(&mut self) {
        for aside in self.owner.aside.take() {
            let AsideCall { home, call, words } = &aside;
            let args = words.as_args();
            let waits_for_holder = self.owner.must_wait_for_holder(call.command, args);
            if waits_for_holder {
                let wants = self.owner.wants_of(call.command, args);
                self.owner.held.queue_up(*home, call.ticket.connection, wants);
            }
            if waits_for_holder
                || self.owner.aside.has(*home, call.ticket.connection)
                || self.must_wait_to_write(call.command, args, call.db)
            {
                self.owner.aside.put_back(aside);
                continue;
            }
            let mut out = self.mesh.take_outgoing(*home);
            self.answer_call(*home, call, args, &mut out);
            self.mesh.restore_outgoing(*home, out);
        }
        // There may be room for more, or they need wait no longer.
        self.mesh.let_calls_go();
    }

    /// Lets go of what a transaction holds.
    pub(crate) fn release_keys(&mut self, id: TransactionId) {
        let has_waiters = self.has_held_back();
        self.owner.held.release(id, has_waiters);
    }

    /// There are clients or calls that wait for keys which are held.
    pub(crate) fn has_held_back(&self) -> bool {
        self.home.holds.waiting(Gate::Held) > 0 || !self.owner.aside.is_empty()
    }

    /// Tells everybody who waited for keys that have been let go of, but those that will hold them.
    pub(crate) fn let_held_go(&mut self) {
        if !self.owner.held.take_released() {
            return;
        }
        // They came before those whose commands were held.
        for (db, key) in self.owner.held.take_unserved() {
            self.owner.shard.waited_keys().note(db, &key);
        }
        self.serve_waiters();
        self.home.release(Gate::Held);
        self.let_aside_go();
        for request in self.owner.held.take_requests() {
            self.take_wait(request);
        }
    }

    /// Hands free keys to those who wait to hold them, and to blocking commands. Comes after [`Core::let_held_go`] and
    /// what followed from it, so that commands on single keys are not kept away by those that hold them in turn.
    pub(crate) fn hand_out_keys(&mut self) {
        self.owner.held.stop_giving_way();
        while let Some(errand) = self.owner.held.next_ready() {
            let (home, ticket) = (usize::from(errand.transaction.home), errand.ticket);
            if let Some(answer) = self.have_granted(errand) {
                self.answer_errand(home, ticket, answer);
            }
        }
        self.serve_waiters();
        self.run_own_notes();
    }
}
