//! Blocking commands: at the client's home, which asks the owners of the keys one after the other, and at an owner, which serves
//! who waits for a key. [`crate::waiters`] has the queues.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::OwnNote;
use crate::home::connection::{Connection, Running, pack};
use crate::home::dispatch::take_wanted;
use crate::home::feed::Flow;
use crate::home::holds::Hold;
use crate::network::ConnectionId;
use crate::notes::waiting::{Claim, LookRequest, Served, WaitNote, WaitRequest};
use std::sync::Arc;
use tessera_command::blocking::{BlockingSteps, Target};
use tessera_command::host::UnblockReason;
use tessera_command::{Command, Error, Run};
use tessera_keyspace::Effect;
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::{Gathering, Ticket};

const UNBLOCKED: &[u8] = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";

/// A blocking command at its home.
pub struct Blocked {
    claim: Claim,
    steps: BlockingSteps,
    words: Arc<OwnedArgs>,
    /// The owners to be asked, in the order of the keys, and which keys of theirs.
    runs: Vec<KeyRun>,
    /// How many of them have been.
    asked: usize,
    /// How far they are looked at before they are asked, if that is needed.
    look: Option<LookAtOwners>,
    timeout_ms: Option<u64>,
    /// When time is up, in monotonic nanoseconds, once all have been asked in vain.
    deadline_ns: Option<u64>,
    /// All have been asked in vain.
    is_waiting: bool,
    /// It is its turn at its key, and the element is on its way to another shard.
    pub(crate) moving: Option<Box<Gathering>>,
}

/// Keys of one owner.
struct KeyRun {
    owner: usize,
    keys: Arc<[Box<[u8]>]>,
    /// Where each of them is among all keys of the command; not needed where no owner has two runs.
    places: Vec<usize>,
}

/// Where keys of several owners alternate, to ask for them in their order would take as many messages as there are keys. So each owner
/// gets all its keys at once. For the right one to be asked first, all tell beforehand which of their keys is the first that holds something. What
/// changes meanwhile may have come before or after this command.
#[derive(Default)]
struct LookAtOwners {
    /// How many runs have been looked at.
    looked: usize,
    /// The first place of a key that holds something, and its run.
    first: Option<(usize, usize)>,
}

impl LookAtOwners {
    /// The run that was looked at last has this as its first key that holds something.
    fn note(&mut self, runs: &[KeyRun], found: Option<usize>) {
        let run = self.looked - 1;
        let place = found.and_then(|index| runs[run].places.get(index));
        if let Some(place) = place
            && self.first.is_none_or(|(first, _)| *place < first)
        {
            self.first = Some((*place, run));
        }
    }
}

/// Divides keys into runs of one owner each, in their order; or, where these would be more than two for each owner, by owner. Then the
/// owners have to be looked at first.
fn divide(keys: &[&[u8]], owner_of: impl Fn(&[u8]) -> usize) -> (Vec<KeyRun>, bool) {
    let mut runs: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut by_owner: Vec<(usize, Vec<usize>)> = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let owner = owner_of(key);
        match runs.last_mut() {
            Some((last, places)) if *last == owner => places.push(place),
            _ => runs.push((owner, vec![place])),
        }
        match by_owner.iter_mut().find(|(other, _)| *other == owner) {
            Some((_, places)) => places.push(place),
            None => by_owner.push((owner, vec![place])),
        }
    }
    let looks = runs.len() > 2 * by_owner.len();
    let divided = if looks { by_owner } else { runs };
    let divided = divided.into_iter().map(|(owner, places)| {
        let keys = places.iter().map(|place| keys[*place].into()).collect();
        KeyRun { owner, keys, places }
    });
    (divided.collect(), looks)
}

impl Blocked {
    /// All owners know of it, and none had anything.
    pub fn is_waiting(&self) -> bool {
        self.is_waiting && !self.claim.is_moving()
    }

    /// Takes its claim, if nobody has anything for it yet.
    pub fn take_claim(&self) -> bool {
        self.claim.take()
    }
}

/// What became of a client at an owner of its keys.
enum Attempt {
    /// Here is its reply.
    Served(Served),
    /// It waits.
    Waiting,
    /// Somebody else answers it.
    Elsewhere,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes in what another node says of a blocking command.
    pub(crate) fn take_wait_note(&mut self, peer: usize, note: WaitNote) {
        match note {
            WaitNote::Wait(request) => self.take_wait(*request),
            WaitNote::Look(request) => self.take_look(peer, &request),
            WaitNote::Looked(ticket, found) => self.take_looked(ticket, found),
            WaitNote::Waiting(ticket) => self.take_waiting(ticket),
            WaitNote::Served(ticket, served) => self.take_served(ticket, &served),
            WaitNote::Forget(ticket) => self.forget_waiter(peer, ticket),
            WaitNote::Move(ticket) => self.take_move(ticket),
            WaitNote::StillWaits(ticket) => {
                self.owner.wake_others(peer, ticket);
                self.serve_waiters();
            }
        }
    }
}

/// The client's home.
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
        let now_ms = self.owner.shard.now_ms();
        let wait = match (steps.wait)(args).and_then(|wait| wait.check(now_ms).map(|()| wait)) {
            Ok(wait) => wait,
            Err(error) => return self.fail(connection, command, args, &error),
        };
        self.note_start(connection, command, args);
        let (runs, looks) = divide(&wait.keys, |key| usize::from(self.server.shared.slots.owner_of(key)));
        let words = Arc::new(OwnedArgs::from_words(args.iter()));
        let blocked = Blocked {
            claim: Claim::default(),
            steps,
            words,
            runs,
            asked: 0,
            look: looks.then(LookAtOwners::default),
            timeout_ms: wait.timeout_ms,
            deadline_ns: None,
            is_waiting: false,
            moving: None,
        };
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
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
                blocked.is_waiting = true;
                let began_ns = under.account.began_ns;
                blocked.deadline_ns =
                    blocked.timeout_ms.map(|ms| began_ns.saturating_add(ms.saturating_mul(1_000_000)));
                under.account.pause(self.time.now_ns);
                self.home.blocked_clients += 1;
                if let Some(deadline_ns) = blocked.deadline_ns {
                    self.home.wait_deadlines.insert((deadline_ns, pack(id)));
                }
                // The client's end may have been seen before its command ran, or lie behind what is not received.
                self.receive_again(connection);
                return self.end_vain_wait(connection);
            };
            let ticket =
                Ticket { connection: pack(id), sequence: under.sequence, part: blocked.asked as u32 };
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

    /// Has one owner after the other tell which of its keys is the first that holds something, if that is to be known. True if an
    /// answer is awaited.
    fn look_at_owners(&mut self, connection: &mut Connection) -> bool {
        let (id, db) = (connection.id, connection.client.db);
        let Some(under) = connection.running.as_deref_mut() else { return false };
        let Running::Blocked(blocked) = &mut under.running else { return false };
        let Blocked { look: Some(look), runs, .. } = blocked.as_mut() else { return false };
        while let Some(KeyRun { owner, keys, .. }) = runs.get(look.looked) {
            look.looked += 1;
            if *owner != self.server.me {
                let ticket = Ticket { connection: pack(id), sequence: under.sequence, part: 0 };
                self.server.counters.forwarded += 1;
                self.mesh
                    .note(*owner, WaitNote::Look(Box::new(LookRequest { ticket, db, keys: keys.clone() })));
                return true;
            }
            let found = self.first_of(db, keys);
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

    /// The client of a command whose claim has been taken for nobody has gone. As in Redis nothing is written down of it.
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
                self.home.wait_deadlines.remove(&(deadline_ns, pack(id)));
            }
        }
        let ticket = Ticket { connection: pack(id), sequence: under.sequence, part: 0 };
        let mut owners: Vec<usize> = blocked.runs[..blocked.asked].iter().map(|run| run.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        for owner in owners {
            if owner == self.server.me {
                self.forget_waiter(owner, ticket);
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

    /// It is a client's turn at its key: moves the element from there to another shard.
    pub(crate) fn take_move(&mut self, ticket: Ticket) {
        self.with_connection(ticket, |core, connection| {
            let (protocol, touch) = (connection.protocol(), !connection.client.no_touch);
            let context = core.owner.context(connection.client.db);
            let is_gone = connection.gone;
            let Some(under) = connection.running.as_deref_mut() else { return };
            let (sequence, command) = (under.sequence, under.account.command);
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
                context,
                protocol,
                touch,
                Ticket { sequence, ..ticket },
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

    /// Others have taken what a client was to have: it waits as before, in its old place, unless its time is up meanwhile.
    pub(crate) fn wait_again(&mut self, connection: &mut Connection) {
        let (id, is_over) = (connection.id, connection.gone || connection.peer_has_ended());
        let Some(under) = connection.running.as_deref_mut() else { return };
        let ticket = Ticket { connection: pack(id), sequence: under.sequence, part: 0 };
        let Running::Blocked(blocked) = &mut under.running else { return };
        blocked.moving = None;
        under.account.pause(self.time.now_ns);
        let is_late = blocked.deadline_ns.is_some_and(|deadline_ns| deadline_ns <= self.time.now_ns);
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
            self.home.wait_deadlines.insert((deadline_ns, pack(id)));
        }
        match blocked.runs.first().map(|run| run.owner) {
            Some(owner) if owner == self.server.me => {
                self.owner.waiters.wake_others(&mut self.owner.shard, owner, ticket)
            }
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
            self.unblock(crate::home::connection::unpack(connection), UnblockReason::Timeout);
        }
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

/// The owner of the keys.
impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A client of another node wants something of this shard, or to wait for it.
    pub(crate) fn take_wait(&mut self, request: WaitRequest) {
        let (home, ticket) = (request.home, request.ticket);
        match self.attempt(request) {
            Attempt::Served(served) => self.tell_served(home, ticket, served),
            // One of this node's own clients, which was put off.
            Attempt::Waiting if home == self.server.me => self.take_waiting(ticket),
            Attempt::Waiting => self.mesh.note(home, WaitNote::Waiting(ticket)),
            Attempt::Elsewhere => {}
        }
        self.serve_waiters();
    }

    /// Which of these keys is the first that holds something.
    fn first_of(&self, db: u16, keys: &[Box<[u8]>]) -> Option<usize> {
        let view = self.owner.shard.view(db, false);
        keys.iter().position(|key| view.peek(key).is_some())
    }

    /// A client of another node wants to know what there is before it waits.
    pub(crate) fn take_look(&mut self, home: usize, request: &LookRequest) {
        let found = self.first_of(request.db, &request.keys);
        self.mesh.note(home, WaitNote::Looked(request.ticket, found));
    }

    fn attempt(&mut self, request: WaitRequest) -> Attempt {
        if request.claim.is_taken() {
            return Attempt::Elsewhere;
        }
        if self.is_held_for(&request) {
            self.owner.held.put_off(request);
            return Attempt::Elsewhere;
        }
        if !self.has_something_for(request.db, &request.keys) {
            self.owner.waiters.add(&mut self.owner.shard, request);
            return Attempt::Waiting;
        }
        if self.moves_elsewhere(&request)
            && let Some(key) = request.keys.first().cloned()
        {
            // Others may be having their turn. If not it is this one's, before its home hears that it waits and perhaps
            // ends that, because the client has gone.
            let db = request.db;
            self.owner.waiters.add(&mut self.owner.shard, request);
            self.serve_key(db, &key);
            return Attempt::Waiting;
        }
        if self.must_wait_to_serve(&request) {
            self.owner.unkept.put_off(request);
            return Attempt::Elsewhere;
        }
        if !request.claim.take() {
            return Attempt::Elsewhere;
        }
        Attempt::Served(self.serve(&request))
    }

    /// Some of these keys hold something, also when there is room for what becomes of it: what goes for want of memory is not to be
    /// taken for there.
    fn has_something_for(&mut self, db: u16, keys: &[Box<[u8]>]) -> bool {
        if self.first_of(db, keys).is_none() {
            return false;
        }
        self.make_room_for_growth();
        self.first_of(db, keys).is_some()
    }

    /// Somebody holds a key that a client waits for, or the one that what it waits for is to go to. If that is another shard's,
    /// it will be held there.
    fn is_held_for(&self, request: &WaitRequest) -> bool {
        if self.owner.held.holds.is_empty() {
            return false;
        }
        let Run::Blocking(steps) = request.command.run else { return false };
        let target = (steps.wait)(request.words.as_args()).ok().and_then(|wait| wait.target);
        self.owner.held.holds_any(&request.keys)
            || target.is_some_and(|target| self.owner.held.holds.is_held(target.key))
    }

    /// What a client waits for is to go to a key of another shard, and is of the right type.
    fn moves_elsewhere(&self, request: &WaitRequest) -> bool {
        let Run::Blocking(steps) = request.command.run else { return false };
        let Ok(wait) = (steps.wait)(request.words.as_args()) else { return false };
        let leaves =
            |target: Target<'_>| usize::from(self.server.shared.slots.owner_of(target.key)) != self.server.me;
        let view = self.owner.shard.view(request.db, false);
        let entry = request.keys.first().and_then(|key| view.peek(key));
        wait.target.is_some_and(leaves)
            && entry.is_some_and(|entry| entry.value().value_type() == steps.waits_for)
    }

    /// Forgets a client that waited, and lets those who wait for the same have their turn.
    pub(crate) fn forget_waiter(&mut self, home: usize, ticket: Ticket) {
        self.owner.waiters.wake_others(&mut self.owner.shard, home, ticket);
        self.owner.waiters.remove(&mut self.owner.shard, home, ticket);
    }

    /// Serves those who wait for keys that have come to hold something, and those who wait for what that leads to.
    #[inline]
    pub(crate) fn serve_waiters(&mut self) {
        if !self.owner.shard.waited_keys().has_ready() {
            return;
        }
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
        while let Some(request) = self.owner.waiters.get(db, key, index) {
            let Some(entry) = self.owner.shard.view(db, false).peek(key) else { return };
            let Run::Blocking(steps) = request.command.run else { return };
            if entry.value().value_type() != steps.waits_for {
                index += 1;
                continue;
            }
            if request.claim.is_moving() {
                // Those behind wait until it is known what is left.
                return;
            }
            if self.is_held_for(&request) {
                return self.owner.held.put_off_waiters(db, key);
            }
            if !self.has_something_for(db, &[key.into()]) {
                return;
            }
            if self.moves_elsewhere(&request) && request.claim.begin_move() {
                return self.tell_move(request.home, request.ticket);
            }
            if self.must_wait_to_serve(&request) {
                return self.owner.unkept.put_off_waiters(db, key);
            }
            let is_ours = request.claim.take();
            self.owner.waiters.remove(&mut self.owner.shard, request.home, request.ticket);
            if is_ours {
                let served = self.serve(&request);
                self.tell_served(request.home, request.ticket, served);
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
            self.home.own_notes.push_back(OwnNote::Move(ticket));
        } else {
            self.mesh.note(home, WaitNote::Move(ticket));
        }
    }

    /// Does a blocking command whose claim has been taken.
    fn serve(&mut self, request: &WaitRequest) -> Served {
        let WaitRequest { command, words, db, protocol, touch, .. } = request;
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, *protocol);
        let Run::Blocking(steps) = command.run else { return Served { reply: out, duration_ns: 0 } };
        let args = words.as_args();
        let keys: Vec<&[u8]> = request.keys.iter().map(|key| &**key).collect();
        let mut view = self.owner.shard.view_mut(*db, *touch);
        let result = steps.try_keys(args, &keys, &mut view, &mut reply).map(|effect| {
            effect.unwrap_or_else(|| {
                (steps.give_up)(&mut reply);
                Effect::None
            })
        });
        match result {
            Ok(Effect::None) => {}
            Ok(effect) => {
                self.owner.shard.effects_mut().note(*db, effect, args);
                self.owner.shard.note_dirty();
            }
            Err(error) => {
                out.clear();
                Reply::new(&mut out, *protocol).error(error.text(command.full_name));
            }
        }
        Served { reply: out, duration_ns: self.time.read() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number in a key is its owner's.
    fn owner(key: &[u8]) -> usize {
        usize::from(key[0] - b'0')
    }

    fn keys_of(run: &KeyRun) -> Vec<&[u8]> {
        run.keys.iter().map(|key| &**key).collect()
    }

    #[test]
    fn keys_that_do_not_alternate_are_asked_for_in_their_order() {
        let (runs, looks) = divide(&[b"0a", b"0b", b"1a", b"0c"], owner);
        assert!(!looks);
        let runs: Vec<_> = runs.iter().map(|run| (run.owner, keys_of(run))).collect();
        assert_eq!(runs, [(0, vec![&b"0a"[..], b"0b"]), (1, vec![b"1a"]), (0, vec![b"0c"])]);
    }

    #[test]
    fn keys_that_alternate_are_asked_for_once_per_owner() {
        let keys: Vec<Vec<u8>> =
            (0..3000).map(|number| format!("{}:{number}", number % 3).into_bytes()).collect();
        let words: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let (runs, looks) = divide(&words, owner);
        assert!(looks);
        assert_eq!(
            runs.iter().map(|run| (run.owner, run.keys.len())).collect::<Vec<_>>(),
            [(0, 1000), (1, 1000), (2, 1000)]
        );
        // Keys 1502 (the 500th of its owner) and 601 (the 200th of its) hold something.
        let mut look = LookAtOwners::default();
        for found in [None, Some(200), Some(500)] {
            look.looked += 1;
            look.note(&runs, found);
        }
        assert_eq!(look.first, Some((601, 1)));
    }
}
