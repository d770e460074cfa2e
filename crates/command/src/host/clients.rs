//! The clients of a node.

use super::client_info::{ClientInfo, ConnectionInfo};
use super::pause::Pause;

/// How a client that waits in a blocking command is woken by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnblockReason {
    /// As if its time were over.
    Timeout,
    /// With the error `UNBLOCKED client unblocked via CLIENT UNBLOCK`.
    Error,
}

/// The caller's connection, and the clients of this node.
pub trait Clients {
    /// What is known of the caller's connection. Only from [`crate::Session`] commands.
    fn caller_connection(&self) -> ConnectionInfo;

    /// Shows each client of this node to `visit`, the caller included if it is here, in any order.
    fn visit_clients(&self, visit: &mut dyn FnMut(&ClientInfo<'_>));

    /// Closes a client of this node: at once, or, if it is the caller, once the reply is written. A number that is not
    /// (any more) a client of this node is ignored.
    fn close_client(&mut self, id: u64);

    /// Wakes a client of this node that waits in a blocking command. False if it is not here or does not wait.
    fn unblock_client(&mut self, id: u64, reason: UnblockReason) -> bool;

    /// This node's pause. The node looks at it before each command of a client, see [`Pause::holds`], and runs what it
    /// held back once it is over.
    fn pause_mut(&mut self) -> &mut Pause;
}
