//! Keys that clients of this node watch. Whether they have changed since is their owners' to know: each is told before
//! WATCH is answered, and again when the client watches no more, whatever the reason.

use super::connection::{Connection, Running};
use super::dispatch::take_reply_mode;
use super::holds::{Flow, Hold};
use crate::clock::Clock;
use crate::core::Core;
use tessera_command::{Command, Error};
use tessera_keyspace::WatchStamp;
use tessera_resp::Args;
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::{Acquire, ErrandKind, WatchedNames, When, Work};
use tessera_routing::{Errand, Ticket};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// WATCH.
    pub(crate) fn watch(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        if connection.queue.is_some() {
            let error = Error::Text("ERR WATCH inside MULTI is not allowed");
            return self.answer_step(connection, command, args, Err(error));
        }
        let db = connection.client.db;
        let slots = &self.server.shared.slots;
        let mut peers: Vec<usize> = args.iter().skip(1).map(|key| usize::from(slots.owner_of(key))).collect();
        peers.retain(|owner| *owner != self.server.me);
        if !peers.is_empty() {
            // What came before may still be on its way there, and is not to count as a change.
            if !connection.replies.is_settled() {
                return self.home.hold(connection, Hold::UntilSettled);
            }
            if let Some(peer) = self.mesh.congested_of(peers.iter().copied()) {
                return self.hold_for_peer(connection, peer);
            }
        }
        let slots = &self.server.shared.slots;
        let is_ours = |key: &&[u8]| usize::from(slots.owner_of(key)) == self.server.me;
        let mut own = args.iter().skip(1).filter(is_ours);
        // What has been answered already, and is still to be done here, is not to count as a change either.
        if self.owner.held.holds_any() && own.any(|key| self.owner.held.holds(key, Access::Read)) {
            let own = args.iter().skip(1).filter(is_ours);
            let wants = Wants::keys(own.map(|key| (key, Access::Read)));
            return self.hold_for_holder(connection, wants);
        }
        for key in args.iter().skip(1) {
            if !connection.watches.has(db, key) {
                let owner = usize::from(self.server.shared.slots.owner_of(key));
                let stamp = (owner == self.server.me).then(|| self.owner.watch(db, key));
                connection.watches.add(db, key, owner, stamp);
            }
        }
        peers.sort_unstable();
        peers.dedup();
        let asked = peers.into_iter().map(|peer| (peer, connection.watches.unasked(peer)));
        let asked: Vec<(usize, WatchedNames)> = asked.filter(|(_, names)| !names.is_empty()).collect();
        if asked.is_empty() {
            return self.answer_step(connection, command, args, Ok(()));
        }
        self.note_start(connection, command, args);
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let running = Running::Watching { owners_left: asked.len() };
        connection.begin(sequence, command, args, self.time.now_ns, running);
        for (peer, names) in asked {
            let wants = Wants::keys(names.iter().map(|(_, key)| (&**key, Access::Read)));
            let work = Work::Watch(names);
            let acquire = Acquire { wants, watched: Vec::new(), work, when: When::Alone };
            let errand = self.watch_errand(connection, peer, ErrandKind::Acquire(Box::new(acquire)));
            self.server.counters.forwarded += 1;
            self.mesh.outgoing(peer).errands.push(errand);
        }
        Flow::Next
    }

    /// An errand about watched keys. Such go the way of all that changes keys, so that neither overtakes the other.
    fn watch_errand(&self, connection: &Connection, peer: usize, kind: ErrandKind) -> Errand {
        let sequence = connection.running.as_ref().map_or(0, |under| under.sequence);
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: peer as u32 };
        let (db, transaction) = (connection.client.db, self.transaction_id(ticket));
        Errand { transaction, ticket, db, touch: false, moment_ms: None, key: Box::default(), kind }
    }

    /// An owner knows what a client watches there.
    pub(crate) fn take_watched(
        &mut self,
        connection: &mut Connection,
        owner: usize,
        stamps: Vec<WatchStamp>,
    ) {
        connection.watches.take_stamps(owner, stamps);
        if let Some(Running::Watching { owners_left }) = connection.awaited() {
            *owners_left -= 1;
            if *owners_left == 0 {
                self.end_watch(connection);
            }
        }
    }

    fn end_watch(&mut self, connection: &mut Connection) {
        let shown =
            connection.running.as_ref().map(|under| (under.account.command, under.account.words.clone()));
        if let Some((command, words)) = shown.filter(|_| self.server.shared.monitors() > 0) {
            self.feed_monitors(connection, command, words.as_args());
        }
        self.finish(connection, b"+OK\r\n");
    }

    /// The client watches nothing any more.
    pub(crate) fn unwatch_all(&mut self, connection: &mut Connection) {
        if connection.watches.is_empty() {
            return;
        }
        for (owner, names) in connection.watches.take() {
            if owner == self.server.me {
                self.owner.unwatch_all(&names);
            } else {
                let errand = self.watch_errand(connection, owner, ErrandKind::Unwatch(names));
                self.mesh.outgoing(owner).errands.push(errand);
            }
        }
    }

    /// A key of this node's shard that the client watches is held by somebody who may change it.
    pub(super) fn is_own_watch_held(&self, connection: &Connection) -> bool {
        let mut own = connection.watches.of_owner(self.server.me);
        self.owner.held.holds_any() && own.any(|(_, key, _)| self.owner.held.holds(key, Access::Read))
    }

    /// A key of this node's shard that the client watches has changed since.
    pub(crate) fn has_own_watch_failed(&self, connection: &Connection) -> bool {
        let mut own = connection.watches.of_owner(self.server.me);
        own.any(|(db, key, stamp)| !self.owner.is_unchanged(db, key, stamp))
    }
}
