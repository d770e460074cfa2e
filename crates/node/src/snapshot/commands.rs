//! What clients ask for: SAVE, BGSAVE, SHUTDOWN, FLUSHALL.

use super::status::{EndOrder, Purpose};
use crate::clock::Clock;
use crate::connection::{Connection, Hold};
use crate::core::Core;
use crate::network::ConnectionId;
use crate::shared::Shared;

/// What Redis answers to a SAVE that fails.
const FAILED: &[u8] = b"-ERR\r\n";
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

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The client's command is answered at the end of the snapshot that it has asked for; `ends`: if the server does not
    /// end then.
    pub(crate) fn await_snapshot(&mut self, connection: &mut Connection, wanted: bool, ends: bool) {
        let sequence = connection.replies.expect(wanted);
        connection.hold = Some(Hold::Saving);
        self.snapshot.savers.push((connection.id, sequence, ends));
    }

    /// A snapshot that somebody waited for has ended; the server does not end with it.
    pub(super) fn take_ended(&mut self, is_whole: bool, was_last: bool) {
        if was_last {
            self.let_clients_go();
        }
        let (ended, waiting) =
            std::mem::take(&mut self.snapshot.savers).into_iter().partition(|(_, _, ends)| *ends == was_last);
        self.snapshot.savers = waiting;
        let ended: Vec<(ConnectionId, u32, bool)> = ended;
        for (id, sequence, _) in ended {
            let Some(mut connection) = self.take(id) else { continue };
            if connection.hold == Some(Hold::Saving) {
                connection.hold = None;
                let reply = match (is_whole, was_last) {
                    (true, _) => b"+OK\r\n",
                    (false, false) => FAILED,
                    (false, true) => CANNOT_END,
                };
                if !is_whole {
                    self.note_error(&reply[1..reply.len() - 2]);
                }
                connection.replies.arrive(sequence, reply);
                self.runnable.push_back(id);
            }
            self.put(connection);
        }
    }
}
