//! What session commands may ask of the node they run on. `node` provides it.

use crate::client::Client;
use crate::registry::Registry;

/// What a session command sees: its client, and its node behind a trait.
pub struct Home<'a> {
    /// The client that sent the command.
    pub client: &'a mut Client,
    /// Its node and the server around it.
    pub host: &'a mut dyn Host,
}

/// What one node's part of an [`crate::Everywhere`] command sees.
pub struct NodePart<'a> {
    /// The number of the client that sent the command. It may be on another node.
    pub caller_id: u64,
    /// The node and the server around it.
    pub host: &'a mut dyn Host,
}

/// What the node does for a session command once its reply is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send what is to be sent, then close the connection.
    CloseAfterReply,
    /// Begin to stream all commands to this client.
    Monitor,
}

/// A node and the server around it, as session commands see them.
pub trait Host {
    /// Microseconds since the Unix epoch.
    fn unix_us(&self) -> i64;
    /// The command table.
    fn registry(&self) -> &'static Registry;
    /// Has the node do something once the reply is written.
    fn act(&mut self, action: Action);
}
