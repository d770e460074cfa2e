//! Blocking commands at an owner of their keys: who is served at once, who waits, and who is served when a key comes to
//! hold something. [`super::waiters`] has the queues.
//!
//! At the client's home, see [`crate::home::blocking`].

use super::Owner;
use crate::clock::{Clock, Time};
use crate::core::Core;
use crate::notes::waiting::{Attempt, LookRequest, Served, WaitNote, WaitRequest};
use crate::server::Server;
use std::sync::Arc;
use tessera_command::Run;
use tessera_command::blocking::Target;
use tessera_keyspace::Effect;
use tessera_resp::Reply;
use tessera_routing::Ticket;
use tessera_routing::intents::{Access, Wants};

/// What is to be done with a blocking command that has come.
enum Verdict {
    /// Serve it: its claim has been taken.
    Serve(WaitRequest),
    /// Nothing: there is nothing for it, and it waits.
    Waits,
    /// It waits, and may be the first to do so for this key, whose element is to go to another shard.
    HasTurn(u16, Box<[u8]>),
    /// Nothing: somebody else answers it, or it comes again when what is in its way has gone.
    Elsewhere,
}

/// What is to be done for those who wait for a key.
enum Next {
    /// Serve this one: its claim has been taken, and it waits no more.
    Serve(Arc<WaitRequest>),
    /// Tell that home that it is its client's turn.
    Move(usize, Ticket),
    /// Nothing, for now.
    Nobody,
}

impl Owner {
    /// Which of these keys is the first that holds something.
    pub(crate) fn first_that_holds(&self, db: u16, keys: &[Box<[u8]>]) -> Option<usize> {
        let view = self.shard.view(db, false);
        keys.iter().position(|key| view.peek(key).is_some())
    }

    /// A client whose turn it was has found nothing, and waits as before: its keys are the others' now.
    pub(crate) fn wake_others(&mut self, home: usize, ticket: Ticket) {
        self.waiters.wake_others(&mut self.shard, home, ticket);
    }

    /// Forgets a client that waited, and lets those who wait for the same have their turn.
    pub(crate) fn forget_waiter(&mut self, home: usize, ticket: Ticket) {
        self.wake_others(home, ticket);
        self.waiters.remove(&mut self.shard, home, ticket);
    }

    /// What is to be done with a blocking command. `writes_ask`: see [`Core::must_writes_ask`].
    fn judge(&mut self, request: WaitRequest, server: &Server, writes_ask: bool) -> Verdict {
        if request.claim.is_taken() {
            return Verdict::Elsewhere;
        }
        if self.is_held_for(&request) {
            self.queue_up(&request);
            self.held.put_off(request);
            return Verdict::Elsewhere;
        }
        if self.first_that_holds(request.db, &request.keys).is_none() {
            request.claim.note_wait();
            self.waiters.add(&mut self.shard, request);
            return Verdict::Waits;
        }
        if self.moves_elsewhere(&request, server)
            && let Some(key) = request.keys.first().cloned()
        {
            let db = request.db;
            self.waiters.add(&mut self.shard, request);
            return Verdict::HasTurn(db, key);
        }
        if writes_ask && self.must_wait_to_serve(&request, server) {
            self.unkept.put_off(request);
            return Verdict::Elsewhere;
        }
        if !request.claim.take() {
            return Verdict::Elsewhere;
        }
        Verdict::Serve(request)
    }

    /// Who is to have what a key holds. Those before `index` wait for another type.
    fn next_waiter(
        &mut self,
        db: u16,
        key: &[u8],
        index: &mut usize,
        server: &Server,
        writes_ask: bool,
    ) -> Next {
        while let Some(request) = self.waiters.get(db, key, *index) {
            let Some(entry) = self.shard.view(db, false).peek(key) else {
                self.waiters.note_wait(db, key);
                return Next::Nobody;
            };
            let Run::Blocking(steps) = request.command.run else { return Next::Nobody };
            let is_of_type = entry.value().value_type() == steps.waits_for;
            if !is_of_type && (request.claim.has_waited() || request.claim.is_taken()) {
                *index += 1;
                continue;
            }
            if request.claim.is_moving() {
                // Those behind wait until it is known what is left.
                return Next::Nobody;
            }
            if self.is_held_for(&request) {
                self.queue_up(&request);
                self.held.put_off_waiters(db, key);
                return Next::Nobody;
            }
            if self.moves_elsewhere(&request, server) && request.claim.begin_move() {
                return Next::Move(request.home, request.ticket);
            }
            if writes_ask && self.must_wait_to_serve(&request, server) {
                self.unkept.put_off_waiters(db, key);
                return Next::Nobody;
            }
            let is_ours = request.claim.take();
            self.waiters.remove(&mut self.shard, request.home, request.ticket);
            if is_ours {
                return Next::Serve(request);
            }
        }
        Next::Nobody
    }

    /// Somebody holds a key that a client waits for, or the one that what it waits for is to go to. If that is another
    /// shard's, it will be held there.
    fn is_held_for(&self, request: &WaitRequest) -> bool {
        if !self.held.holds_any() {
            return false;
        }
        let Run::Blocking(steps) = request.command.run else { return false };
        let target = (steps.wait)(request.words.as_args()).ok().and_then(|wait| wait.target);
        request.keys.iter().any(|key| self.held.holds(key, Access::Write))
            || target.is_some_and(|target| self.held.holds(target.key, Access::Write))
    }

    /// Has a blocking command wait in turn for the keys that somebody holds.
    fn queue_up(&mut self, request: &WaitRequest) {
        let Run::Blocking(steps) = request.command.run else { return };
        let target = (steps.wait)(request.words.as_args()).ok().and_then(|wait| wait.target);
        let keys = request.keys.iter().map(|key| &**key).chain(target.map(|target| target.key));
        let wants = Wants::keys(keys.map(|key| (key, Access::Write)));
        self.held.queue_up(request.home, request.ticket.connection, wants);
    }

    /// What a client waits for is to go to a key of another shard, and is of the right type.
    fn moves_elsewhere(&self, request: &WaitRequest, server: &Server) -> bool {
        let Run::Blocking(steps) = request.command.run else { return false };
        let Ok(wait) = (steps.wait)(request.words.as_args()) else { return false };
        let leaves = |target: Target<'_>| !server.has_key(target.key);
        let view = self.shard.view(request.db, false);
        let entry = request.keys.first().and_then(|key| view.peek(key));
        wait.target.is_some_and(leaves)
            && entry.is_some_and(|entry| entry.value().value_type() == steps.waits_for)
    }

    /// Whether a blocking command that may be served has to wait for what it would change on this shard to be saved, or
    /// kept for who reads it: the first of its keys that holds something, and where the element is to go.
    #[cold]
    fn must_wait_to_serve(&mut self, request: &WaitRequest, server: &Server) -> bool {
        let Run::Blocking(steps) = request.command.run else { return false };
        let view = self.shard.view(request.db, false);
        let first = request.keys.iter().find_map(|key| Some((key, view.peek(key)?.value().value_type())));
        let Some((source, _)) = first.filter(|(_, value_type)| *value_type == steps.waits_for) else {
            // It is told of the wrong type, or finds nothing.
            return false;
        };
        let target = (steps.wait)(request.words.as_args()).ok().and_then(|wait| wait.target);
        let target = target.map(|target| target.key).filter(|key| server.has_key(key));
        [Some(&**source), target].into_iter().flatten().any(|key| {
            self.shard.must_wait_for_snapshot(request.db, key)
                || self.shard.must_wait_for_readers(request.db, key)
        })
    }

    /// Does a blocking command whose claim has been taken.
    fn serve<C: Clock>(&mut self, request: &WaitRequest, time: &mut Time<C>) -> Served {
        let WaitRequest { command, words, db, protocol, touch, .. } = request;
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, *protocol);
        let Run::Blocking(steps) = command.run else { return Served { reply: out, duration_ns: 0 } };
        let args = words.as_args();
        let keys: Vec<&[u8]> = request.keys.iter().map(|key| &**key).collect();
        let mut view = self.shard.view_mut(*db, *touch);
        let result = steps.try_keys(args, &keys, &mut view, &mut reply).map(|effect| {
            effect.unwrap_or_else(|| {
                (steps.give_up)(&mut reply);
                Effect::None
            })
        });
        match result {
            Ok(Effect::None) => {}
            Ok(effect) => {
                self.shard.effects_mut().note(*db, effect, args);
                self.shard.note_dirty();
            }
            Err(error) => {
                out.clear();
                Reply::new(&mut out, *protocol).error(error.text(command.full_name));
            }
        }
        Served { reply: out, duration_ns: time.read() }
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A client wants something of this shard, or to wait for it: one of another node, or one of this node's that was
    /// put off.
    pub(crate) fn take_wait(&mut self, request: WaitRequest) {
        let (home, ticket) = (request.home, request.ticket);
        match self.attempt(request) {
            Attempt::Served(served) => self.tell_served(home, ticket, served),
            Attempt::Waiting if home == self.server.me => self.take_waiting(ticket),
            Attempt::Waiting => self.mesh.note(home, WaitNote::Waiting(ticket)),
            Attempt::Elsewhere => {}
        }
        self.serve_waiters();
    }

    /// A client of another node wants to know what there is before it waits.
    pub(crate) fn take_look(&mut self, home: usize, request: &LookRequest) {
        let found = self.owner.first_that_holds(request.db, &request.keys);
        self.mesh.note(home, WaitNote::Looked(request.ticket, found));
    }

    /// Serves a client if there is something for it, and has it wait if there is not.
    pub(crate) fn attempt(&mut self, request: WaitRequest) -> Attempt {
        // What goes for want of memory is not to be taken for there.
        if self.owner.first_that_holds(request.db, &request.keys).is_some() {
            self.make_room_for_growth();
        }
        let writes_ask = self.must_writes_ask();
        match self.owner.judge(request, &self.server, writes_ask) {
            Verdict::Serve(request) => Attempt::Served(self.owner.serve(&request, &mut self.time)),
            Verdict::Waits => Attempt::Waiting,
            Verdict::HasTurn(db, key) => {
                // Others may be having their turn. If not it is this one's, before its home hears that it waits and
                // perhaps ends that, because the client has gone.
                self.serve_key(db, &key);
                Attempt::Waiting
            }
            Verdict::Elsewhere => Attempt::Elsewhere,
        }
    }

    /// Serves those who wait for keys that have come to hold something, and those who wait for what that leads to.
    #[inline]
    pub(crate) fn serve_waiters(&mut self) {
        if self.owner.shard.waited_keys().has_ready() {
            self.serve_all_ready();
        }
    }

    #[cold]
    fn serve_all_ready(&mut self) {
        while self.owner.shard.waited_keys().has_ready() {
            for (db, key) in self.owner.shard.waited_keys().take_ready() {
                self.serve_key(db, &key);
            }
        }
        // The next command does not begin before this is over, and is no slower for it.
        self.time.read();
    }

    #[cold]
    fn serve_key(&mut self, db: u16, key: &[u8]) {
        let mut index = 0;
        loop {
            // Likewise.
            self.make_room_for_growth();
            let writes_ask = self.must_writes_ask();
            match self.owner.next_waiter(db, key, &mut index, &self.server, writes_ask) {
                Next::Serve(request) => {
                    let served = self.owner.serve(&request, &mut self.time);
                    self.tell_served(request.home, request.ticket, served);
                }
                Next::Move(home, ticket) => return self.tell_move(home, ticket),
                Next::Nobody => return,
            }
        }
    }

    fn tell_served(&mut self, home: usize, ticket: Ticket, served: Served) {
        if home == self.server.me {
            self.take_served(ticket, &served);
        } else {
            self.mesh.note(home, WaitNote::Served(ticket, served));
        }
    }

    fn tell_move(&mut self, home: usize, ticket: Ticket) {
        if home == self.server.me {
            self.move_later(ticket);
        } else {
            self.mesh.note(home, WaitNote::Move(ticket));
        }
    }
}
