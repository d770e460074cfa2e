//! What is done for a client behind the reply of its command.

/// What the node does for a session command once its reply is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send what is to be sent, then close the connection. Commands already received behind this one are not run.
    CloseAfterReply,
    /// Begin to stream all commands, of all nodes, to this client; [`super::monitor_line`] is the format.
    Monitor,
    /// Stop that.
    EndMonitor,
    /// Forget what is queued and watched.
    DropTransaction,
    /// Answer the client when the snapshot that it has asked for ends, and run nothing of it before. The command itself
    /// writes no reply.
    AwaitSnapshot,
    /// Have a snapshot made, send it to the client as a bulk string that nothing ends, and close the connection.
    SendSnapshot,
    /// Answer the client if the server has not ended after all, because it could not save. The command itself writes no
    /// reply.
    AwaitEnd,
    /// Save all keys, remove them and load them again, while all clients wait, and answer the client then.
    Reload(Reload),
}

impl Action {
    /// The command has written no reply: the client is answered when the action is complete.
    pub fn is_answered_later(&self) -> bool {
        matches!(self, Action::AwaitSnapshot | Action::AwaitEnd | Action::Reload(_))
    }
}

/// What DEBUG RELOAD does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Saves all keys first.
    pub saves: bool,
    /// Then removes them.
    pub flushes: bool,
    /// What is loaded replaces keys that are there.
    pub merges: bool,
}

/// What does something for the caller once its command is over.
pub trait Actions {
    /// Has the node do something once the reply is written. Only from [`crate::Session`] commands.
    fn act(&mut self, action: Action);
}
