//! What clients ask for: SAVE, BGSAVE, SHUTDOWN, FLUSHALL.

use super::saver::{Awaited, Saver};
use super::status::{EndOrder, Purpose};
use crate::accounts::Account;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::Hold;
use crate::network::ConnectionId;
use crate::notes::snapshot::{Ended, SnapshotNote};
use crate::shared::Shared;

/// What Redis answers to a SAVE that fails.
pub(super) const FAILED: &[u8] = b"-ERR\r\n";
/// What it answers to a SHUTDOWN that cannot save.
const CANNOT_END: &[u8] = b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

impl Shared {
    /// Asks for a snapshot. False if one is requested or under way.
    pub(crate) fn ask_for_snapshot(&self, purpose: Purpose, unix_us: i64) -> bool {
        let is_accepted = self.persistence.request(purpose, unix_us.div_euclid(1_000_000));
        if is_accepted {
            self.bells[0].wake();
        }
        is_accepted
    }

    /// Ends the server, with a snapshot if the order or else the configuration says so. It goes on if that fails,
    /// unless the order says otherwise. May be called from any thread.
    pub fn ask_to_end(&self, order: EndOrder) {
        self.persistence.request_end(order);
        self.bells[0].wake();
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The client's command is answered at the end of the snapshot that it has asked for, or if the server does not
    /// end then.
    pub(crate) fn await_snapshot(
        &mut self,
        connection: &mut Connection,
        is_sent: bool,
        awaited: Awaited,
        account: Account,
    ) {
        let sequence = connection.replies.reserve(is_sent);
        self.hold_saver(connection, sequence, awaited, account, None);
    }

    fn hold_saver(
        &mut self,
        connection: &mut Connection,
        sequence: u32,
        awaited: Awaited,
        account: Account,
        reply: Option<Vec<u8>>,
    ) {
        connection.hold = Some(Hold::Saving);
        let after_attempt = self.snapshot.drain.cut_attempt;
        let connection = connection.id;
        self.snapshot.savers.push(Saver { connection, sequence, awaited, after_attempt, account, reply });
    }

    /// A command has removed all keys. Where there are save points it is answered when a snapshot tells so too:
    /// otherwise a server that dies would bring them back. False if it can be answered now.
    #[cold]
    pub(crate) fn must_save_removal(&self, connection: &Connection, reply: &[u8]) -> bool {
        !self.server.config.save.points.is_empty() && !reply.starts_with(b"-") && !connection.gone
    }

    /// Answers such a command, or a transaction with one in it, when a snapshot tells so too.
    #[cold]
    pub(crate) fn await_save_of_removal(
        &mut self,
        connection: &mut Connection,
        sequence: u32,
        account: Account,
        reply: Vec<u8>,
    ) {
        self.hold_saver(connection, sequence, Awaited::Removal, account, Some(reply));
        // Before this node can report that nothing is under way: so the cut comes after this, or came before the
        // removal.
        self.tell_coordinator(SnapshotNote::Removed);
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
        for Saver { connection, sequence, awaited, account, reply, .. } in served {
            let told: &[u8] = match (ended.is_whole, awaited) {
                // The keys are gone, whatever became of the snapshot.
                (true, _) | (_, Awaited::Removal) => b"+OK\r\n",
                (false, Awaited::Save) => FAILED,
                (false, Awaited::End) => CANNOT_END,
            };
            self.answer_at_last(connection, sequence, &account, reply.as_deref().unwrap_or(told));
        }
    }

    /// Answers a client that was [held](Hold::Saving) until now, if it is still there, and closes its command's
    /// account.
    pub(super) fn answer_at_last(
        &mut self,
        id: ConnectionId,
        sequence: u32,
        account: &Account,
        reply: &[u8],
    ) {
        let Some(mut connection) = self.take(id) else { return self.close_account(account, None, reply) };
        if connection.hold == Some(Hold::Saving) {
            connection.hold = None;
            connection.replies.arrive(sequence, reply);
            self.home.holds.runnable.push_back(id);
        }
        self.close_account(account, Some(&connection), reply);
        self.put(connection);
    }
}
