//! Clients that wait for all keys to be loaded again.

use crate::accounts::Account;
use crate::network::ConnectionId;
use tessera_command::host::Reload;

/// A client that waits for keys to be loaded again.
#[derive(Debug)]
pub(crate) struct Reloader {
    pub(super) connection: ConnectionId,
    /// Of its reply.
    pub(super) sequence: u32,
    /// Of what this node's clients have asked for.
    pub(super) number: u64,
    /// Closed with the answer.
    pub(super) account: Account,
}

/// What a client has asked for, as node 0 knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReloadRequest {
    /// The node of the client.
    pub(super) home: usize,
    /// See [`Reloader`].
    pub(super) number: u64,
    /// What it wants.
    pub(super) reload: Reload,
}
