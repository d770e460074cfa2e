//! Clients that wait for the end of a snapshot.

use super::status::Purpose;
use crate::accounts::Account;
use crate::network::ConnectionId;
use crate::notes::snapshot::Ended;

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
#[derive(Debug)]
pub(crate) struct Saver {
    pub(super) connection: ConnectionId,
    /// Of its reply.
    pub(super) sequence: u32,
    pub(super) awaited: Awaited,
    /// The last cut that was made before: what comes of that snapshot is not for this client.
    pub(super) after_attempt: u64,
    /// Closed with the answer.
    pub(super) account: Account,
    /// What it is told at last, if that is known already.
    pub(super) reply: Option<Vec<u8>>,
}

impl Ended {
    pub(super) fn is_for(&self, saver: &Saver) -> bool {
        let is_it = match saver.awaited {
            Awaited::Save => self.purpose == Purpose::Save,
            Awaited::End => matches!(self.purpose, Purpose::End { .. }),
            Awaited::Removal => true,
        };
        is_it && self.attempt > saver.after_attempt
    }
}
