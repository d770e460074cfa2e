//! What clients ask for: SAVE, BGSAVE, SHUTDOWN, FLUSHALL.

use super::SnapshotNote;
use super::status::{EndOrder, Purpose};
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::Hold;
use crate::network::ConnectionId;
use crate::shared::Shared;

/// What Redis answers to a SAVE that fails.
pub(super) const FAILED: &[u8] = b"-ERR\r\n";
/// What it answers to a SHUTDOWN that cannot save.
const CANNOT_END: &[u8] = b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

impl Shared {
    /// Asks for a snapshot. False if one is wanted or under way.
    pub(crate) fn ask_for_snapshot(&self, purpose: Purpose, unix_us: i64) -> bool {
        let is_accepted = self.persistence.ask(purpose, unix_us.div_euclid(1_000_000));
        if is_accepted {
            self.bells[0].wake();
        }
        is_accepted
    }

    /// Ends the server, with a snapshot if the order or else the configuration says so. It goes on if that fails, unless
    /// the order says otherwise. May be called from any thread.
    pub fn ask_to_end(&self, order: EndOrder) {
        self.persistence.ask_for_end(order);
        self.bells[0].wake();
    }
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The end of the snapshot that it has asked for.
    Save,
    /// The end of the server, or of the snapshot that was to come before it.
    End,
    /// A snapshot without the keys that it has removed.
    Removal,
}

/// A client that waits for the end of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saver {
    connection: ConnectionId,
    /// Of its reply.
    sequence: u32,
    awaited: Awaited,
    /// The last cut that was made before: what comes of that snapshot is not for this client.
    after_attempt: u64,
}

/// How a snapshot ended, for those who wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What it was for.
    pub(crate) purpose: Purpose,
    /// It is whole.
    pub(crate) is_whole: bool,
    /// The attempt that came to its cut; the highest number if it failed before.
    pub(crate) attempt: u64,
}

impl Ended {
    fn is_for(&self, saver: &Saver) -> bool {
        let is_it = match saver.awaited {
            Awaited::Save => self.purpose == Purpose::Save,
            Awaited::End => matches!(self.purpose, Purpose::End { .. }),
            Awaited::Removal => true,
        };
        is_it && self.attempt > saver.after_attempt
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The client's command is answered at the end of the snapshot that it has asked for, or if the server does not
    /// end then.
    pub(crate) fn await_snapshot(&mut self, connection: &mut Connection, wanted: bool, awaited: Awaited) {
        let sequence = connection.replies.owe(wanted);
        self.hold_saver(connection, sequence, awaited);
    }

    fn hold_saver(&mut self, connection: &mut Connection, sequence: u32, awaited: Awaited) {
        connection.hold = Some(Hold::Saving);
        let after_attempt = self.snapshot.drain.cut_attempt;
        self.snapshot.savers.push(Saver { connection: connection.id, sequence, awaited, after_attempt });
    }

    /// A command has removed all keys. Where there are save points it is answered when a snapshot tells so too: otherwise a server that
    /// dies would bring them back. False if it can be answered now.
    #[cold]
    pub(crate) fn await_save_of_removal(
        &mut self,
        connection: &mut Connection,
        sequence: u32,
        reply: &[u8],
    ) -> bool {
        if self.server.config.save.points.is_empty() || reply.starts_with(b"-") || connection.gone {
            return false;
        }
        self.hold_saver(connection, sequence, Awaited::Removal);
        // Before this node can report that nothing is under way: so the cut comes after this, or came before the removal.
        self.tell_coordinator(SnapshotNote::Removed);
        true
    }

    /// A snapshot that somebody may have waited for has ended; the server does not end with it.
    pub(super) fn take_ended(&mut self, ended: Ended) {
        if matches!(ended.purpose, Purpose::End { .. }) {
            self.let_clients_go();
        }
        // Who hears that it succeeded may write.
        self.follow_failures();
        let (served, waiting) =
            std::mem::take(&mut self.snapshot.savers).into_iter().partition(|saver| ended.is_for(saver));
        self.snapshot.savers = waiting;
        let served: Vec<Saver> = served;
        for Saver { connection: id, sequence, awaited, .. } in served {
            let Some(mut connection) = self.take(id) else { continue };
            if connection.hold == Some(Hold::Saving) {
                connection.hold = None;
                let reply = match (ended.is_whole, awaited) {
                    // The keys are gone, whatever became of the snapshot.
                    (true, _) | (_, Awaited::Removal) => b"+OK\r\n",
                    (false, Awaited::Save) => FAILED,
                    (false, Awaited::End) => CANNOT_END,
                };
                if reply.starts_with(b"-") {
                    self.server.note_error(&reply[1..reply.len() - 2]);
                }
                connection.replies.arrive(sequence, reply);
                self.home.holds.runnable.push_back(id);
            }
            self.put(connection);
        }
    }
}
