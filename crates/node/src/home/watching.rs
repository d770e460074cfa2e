//! Keys that clients of this node watch. Whether they have changed since is their owners' to know: each is told before
//! WATCH is answered, and again when the client watches no more, whatever the reason.

use super::connection::{Connection, Running};
use super::dispatch::take_reply_mode;
use super::holds::{Flow, Hold};
use crate::clock::Clock;
use crate::core::Core;
use crate::notes::watching::{WatchNote, WatchedNames};
use tessera_command::{Command, Error};
use tessera_keyspace::WatchStamp;
use tessera_resp::Args;
use tessera_routing::Ticket;

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
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        for (peer, names) in asked {
            self.server.counters.forwarded += 1;
            self.mesh.note(peer, WatchNote::Watch(ticket, names));
        }
        Flow::Next
    }

    /// What another node says of watched keys.
    pub(crate) fn take_watch_note(&mut self, peer: usize, note: WatchNote) {
        match note {
            WatchNote::Watch(ticket, names) => {
                let stamps = names.iter().map(|(db, key)| self.owner.watch(*db, key)).collect();
                self.mesh.note(peer, WatchNote::Watched(ticket, stamps));
            }
            WatchNote::Watched(ticket, stamps) => self.take_watched(peer, ticket, stamps),
            WatchNote::Unwatch(names) => {
                names.iter().for_each(|(db, key)| self.owner.unwatch(*db, key));
            }
        }
    }

    /// An owner knows what a client watches there. Of one that has gone it hears that as well.
    fn take_watched(&mut self, owner: usize, ticket: Ticket, stamps: Vec<WatchStamp>) {
        self.with_connection(ticket, |core, connection| {
            connection.watches.take_stamps(owner, stamps);
            if let Some(Running::Watching { owners_left }) = connection.awaited() {
                *owners_left -= 1;
                if *owners_left == 0 {
                    core.end_watch(connection);
                }
            }
        });
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
                names.iter().for_each(|(db, key)| self.owner.unwatch(*db, key));
            } else {
                self.mesh.note(owner, WatchNote::Unwatch(names));
            }
        }
    }

    /// A key of this node's shard that the client watches has changed since.
    pub(crate) fn has_own_watch_failed(&self, connection: &Connection) -> bool {
        let mut own = connection.watches.of_owner(self.server.me);
        own.any(|(db, key, stamp)| !self.owner.is_unchanged(db, key, stamp))
    }
}
