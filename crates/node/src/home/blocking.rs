//! Blocking commands at the client's home: it asks the owners of the keys one after the other, and if none has anything
//! has the client wait until one has, or its time is up, or it is to wait no more.
//!
//! At the owners, see [`crate::owner::waiting`].

use super::OwnNote;
use super::blocked::{Blocked, KeyRun};
use super::connection::{Connection, Running};
use super::dispatch::take_reply_mode;
use super::holds::{Flow, Hold};
use crate::clock::Clock;
use crate::core::Core;
use crate::network::ConnectionId;
use crate::notes::waiting::{Attempt, LookRequest, Served, WaitNote, WaitRequest};
use std::sync::Arc;
use tessera_command::host::UnblockReason;
use tessera_command::{Command, Error, Run};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::{Gathering, Ticket};

/// How long a client whose time is up, and who has still to learn whether it waits, is left alone.
const LOOK_AGAIN_NS: u64 = 1_000_000;
const UNBLOCKED: &[u8] = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Begins a blocking command.
    pub(crate) fn block(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        let Run::Blocking(steps) = command.run else {
            return self.refuse(connection, &Error::Arity.text(command.full_name));
        };
        if !connection.replies.is_settled() {
            return self.home.hold(connection, Hold::UntilSettled);
        }
        if self.is_out_of_memory_for(command) {
            return self.refuse_for_memory(connection, command);
        }
        // Any of them may own a key.
        if let Some(peer) = self.mesh.congested_of(0..self.mesh.nodes()) {
            return self.hold_for_peer(connection, peer);
        }
        let now_ms = self.now_ms();
        let wait = match (steps.wait)(args).and_then(|wait| wait.check(now_ms).map(|()| wait)) {
            Ok(wait) => wait,
            Err(error) => return self.fail(connection, command, args, &error),
        };
        self.note_start(connection, command, args);
        let words = Arc::new(OwnedArgs::from_words(args.iter()));
        let slots = &self.server.shared.slots;
        let blocked =
            Blocked::new(steps, words, &wait.keys, wait.timeout_ms, |key| usize::from(slots.owner_of(key)));
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let running = Running::Blocked(Box::new(blocked));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.ask_next_owner(connection);
        self.serve_waiters();
        Flow::Next
    }

    /// Asks one owner after the other, until one has something for the client or all know that it waits.
    pub(crate) fn ask_next_owner(&mut self, connection: &mut Connection) {
        if self.look_at_owners(connection) {
            return;
        }
        loop {
            let (home, db, protocol, touch) = (
                self.server.me,
                connection.client.db,
                connection.client.protocol,
                !connection.client.no_touch,
            );
            let id = connection.id;
            let Some(under) = connection.running.as_deref_mut() else { return };
            let Running::Blocked(blocked) = &mut under.running else { return };
            let Some(KeyRun { owner, keys, .. }) = blocked.runs.get(blocked.asked) else {
                let deadline_ns = blocked.begin_waiting(under.account.began_ns);
                under.account.pause(self.time.now_ns);
                self.home.blocked_clients += 1;
                if let Some(deadline_ns) = deadline_ns {
                    self.home.wait_deadlines.insert((deadline_ns, id.pack()));
                }
                // The client's end may have been seen before its command ran, or lie behind what is not received.
                self.receive_again(connection);
                return self.end_vain_wait(connection);
            };
            let ticket =
                Ticket { connection: id.pack(), sequence: under.sequence, part: blocked.asked as u32 };
            let request = WaitRequest {
                home,
                ticket,
                claim: blocked.claim.clone(),
                command: under.account.command,
                words: blocked.words.clone(),
                keys: keys.clone(),
                db,
                protocol,
                touch,
            };
            blocked.asked += 1;
            let owner = *owner;
            if owner != self.server.me {
                self.server.counters.forwarded += 1;
                return self.mesh.note(owner, WaitNote::Wait(Box::new(request)));
            }
            match self.attempt(request) {
                Attempt::Served(served) => return self.end_wait(connection, &served.reply),
                Attempt::Waiting => {}
                Attempt::Elsewhere => return,
            }
        }
    }

    /// Has one owner after the other tell which of its keys is the first that holds something, if that is to be known.
    /// True if an answer is awaited.
    fn look_at_owners(&mut self, connection: &mut Connection) -> bool {
        let (id, db) = (connection.id, connection.client.db);
        let Some(under) = connection.running.as_deref_mut() else { return false };
        let Running::Blocked(blocked) = &mut under.running else { return false };
        let Blocked { look: Some(look), runs, .. } = blocked.as_mut() else { return false };
        while let Some(KeyRun { owner, keys, .. }) = runs.get(look.looked) {
            look.looked += 1;
            if *owner != self.server.me {
                let ticket = Ticket { connection: id.pack(), sequence: under.sequence, part: 0 };
                self.server.counters.forwarded += 1;
                self.mesh
                    .note(*owner, WaitNote::Look(Box::new(LookRequest { ticket, db, keys: keys.clone() })));
                return true;
            }
            let found = self.owner.first_that_holds(db, keys);
            look.note(runs, found);
        }
        if let Some((_, first)) = look.first {
            runs[..=first].rotate_right(1);
        }
        blocked.look = None;
        false
    }

    /// An owner has looked.
    pub(crate) fn take_looked(&mut self, ticket: Ticket, found: Option<usize>) {
        self.with_connection(ticket, |core, connection| {
            if let Some(Running::Blocked(blocked)) = connection.awaited()
                && let Blocked { look: Some(look), runs, .. } = blocked.as_mut()
            {
                look.note(runs, found);
                core.ask_next_owner(connection);
            }
        });
    }

    /// An owner has noted that a client waits.
    pub(crate) fn take_waiting(&mut self, ticket: Ticket) {
        self.with_connection(ticket, |core, connection| core.ask_next_owner(connection));
    }

    /// An owner has something for a client.
    pub(crate) fn take_served(&mut self, ticket: Ticket, served: &Served) {
        self.with_connection(ticket, |core, connection| {
            if let Some(under) = &mut connection.running {
                under.account.add_work_of_other(served.duration_ns);
            }
            core.end_wait(connection, &served.reply);
        });
    }

    /// Answers a client that waited, whose claim has been taken.
    pub(crate) fn end_wait(&mut self, connection: &mut Connection, reply: &[u8]) {
        self.forget_wait(connection);
        self.finish(connection, reply);
    }

    /// The client of a command whose claim has been taken for nobody has gone. As in Redis nothing is written down of
    /// it.
    pub(crate) fn drop_wait(&mut self, connection: &mut Connection) {
        self.forget_wait(connection);
        let Some(under) = connection.running.take() else { return };
        connection.hold = None;
        connection.replies.arrive(under.sequence, &[]);
        connection.close_after_reply = true;
    }

    /// Has all owners forget that a client waits.
    pub(crate) fn forget_wait(&mut self, connection: &mut Connection) {
        let id = connection.id;
        let Some(under) = connection.running.as_deref_mut() else { return };
        let Running::Blocked(blocked) = &mut under.running else { return };
        if blocked.is_waiting {
            self.home.blocked_clients -= 1;
            if let Some(deadline_ns) = blocked.deadline_ns {
                self.home.wait_deadlines.remove(&(deadline_ns, id.pack()));
            }
        }
        let ticket = Ticket { connection: id.pack(), sequence: under.sequence, part: 0 };
        for owner in blocked.owners_asked() {
            if owner == self.server.me {
                self.owner.forget_waiter(owner, ticket);
            } else {
                self.mesh.note(owner, WaitNote::Forget(ticket));
            }
        }
    }

    /// Gives the claim of a client that goes away to nobody. A move that is under way is brought to its end first.
    pub(crate) fn abandon_wait(&mut self, connection: &mut Connection) {
        if let Some(Running::Blocked(blocked)) = connection.awaited() {
            if blocked.claim.is_moving() {
                return;
            }
            blocked.claim.take();
            self.forget_wait(connection);
            connection.running = None;
        }
    }

    /// It is the turn of a client of this node at its key, and whoever says so is in the middle of something.
    pub(crate) fn move_later(&mut self, ticket: Ticket) {
        self.home.own_notes.push_back(OwnNote::Move(ticket));
    }

    /// It is a client's turn at its key: moves the element from there to another shard.
    pub(crate) fn take_move(&mut self, ticket: Ticket) {
        self.with_connection(ticket, |core, connection| {
            let asker = core.gather_asker(connection);
            let is_gone = connection.gone;
            let Some(under) = connection.running.as_deref_mut() else { return };
            let command = under.account.command;
            let id = core.transaction_id(ticket);
            under.account.resume(core.time.now_ns);
            let Running::Blocked(blocked) = &mut under.running else { return };
            let wait = (blocked.steps.wait)(blocked.words.as_args()).ok();
            let way = wait.and_then(|wait| Some((*wait.keys.first()?, wait.target?)));
            let Some((key, target)) = way.filter(|_| !is_gone) else {
                return core.wait_again(connection);
            };
            let (gathering, step) = Gathering::start_moving(
                command,
                [key, target.key],
                target.transfer,
                blocked.steps.waits_for,
                asker,
                (id, None),
                &core.server.shared.slots,
            );
            blocked.moving = Some(Box::new(gathering));
            core.take_step(connection, step);
        });
    }

    /// Answers a client whose element has been moved, or could not be.
    pub(crate) fn end_move(&mut self, connection: &mut Connection, reply: &[u8]) {
        if let Some(Running::Blocked(blocked)) = connection.awaited() {
            blocked.claim.end_move(true);
            blocked.moving = None;
        }
        self.end_wait(connection, reply);
    }

    /// Others have taken what a client was to have: it waits as before, in its old place, unless its time is up
    /// meanwhile.
    pub(crate) fn wait_again(&mut self, connection: &mut Connection) {
        let (id, is_over) = (connection.id, connection.gone || connection.peer_has_ended());
        let Some(under) = connection.running.as_deref_mut() else { return };
        let ticket = Ticket { connection: id.pack(), sequence: under.sequence, part: 0 };
        let Running::Blocked(blocked) = &mut under.running else { return };
        blocked.moving = None;
        under.account.pause(self.time.now_ns);
        let is_late = blocked.deadline_ns.is_some_and(|deadline_ns| deadline_ns <= self.time.now_ns);
        blocked.claim.note_wait();
        blocked.claim.end_move(is_over || is_late);
        if is_over {
            return self.drop_wait(connection);
        }
        if is_late {
            let (mut out, protocol) = (Vec::new(), connection.client.protocol);
            (blocked.steps.give_up)(&mut Reply::new(&mut out, protocol));
            return self.end_wait(connection, &out);
        }
        if let Some(deadline_ns) = blocked.deadline_ns {
            self.home.wait_deadlines.insert((deadline_ns, id.pack()));
        }
        match blocked.runs.first().map(|run| run.owner) {
            Some(owner) if owner == self.server.me => self.owner.wake_others(owner, ticket),
            Some(owner) => self.mesh.note(owner, WaitNote::StillWaits(ticket)),
            None => {}
        }
    }

    /// Answers clients whose time is up.
    pub(crate) fn end_waits(&mut self) {
        while let Some((deadline_ns, connection)) = self.home.wait_deadlines.first().copied()
            && deadline_ns <= self.time.now_ns
        {
            self.home.wait_deadlines.remove(&(deadline_ns, connection));
            if !self.put_off_deadline(connection) {
                self.unblock(ConnectionId::unpack(connection), UnblockReason::Timeout);
            }
        }
    }

    /// A client that is behind others whose elements are being moved does not wait yet: there was something for it when
    /// it came. False if it is no such client.
    fn put_off_deadline(&mut self, connection: u64) -> bool {
        let deadline_ns = self.time.now_ns + LOOK_AGAIN_NS;
        let Some(place) = self.connection(ConnectionId::unpack(connection)) else { return false };
        let Some(Running::Blocked(blocked)) = place.awaited() else { return false };
        if blocked.claim.has_waited() {
            return false;
        }
        blocked.deadline_ns = Some(deadline_ns);
        self.home.wait_deadlines.insert((deadline_ns, connection));
        true
    }

    /// Answers a client that waits. False if it does not, or is being served.
    pub(crate) fn unblock(&mut self, id: ConnectionId, reason: UnblockReason) -> bool {
        let Some(mut connection) = self.take(id) else { return false };
        let protocol = connection.protocol();
        let reply = match connection.awaited() {
            Some(Running::Blocked(blocked)) if blocked.claim.take() => {
                let mut out = Vec::new();
                let mut reply = Reply::new(&mut out, protocol);
                match reason {
                    UnblockReason::Timeout => (blocked.steps.give_up)(&mut reply),
                    UnblockReason::Error => reply.error(UNBLOCKED),
                }
                out
            }
            _ => {
                self.put(connection);
                return false;
            }
        };
        self.end_wait(&mut connection, &reply);
        self.home.holds.runnable.push_back(id);
        self.put(connection);
        true
    }
}
