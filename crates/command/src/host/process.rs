//! The process that the server is.

/// The process: its end, its log and its memory.
pub trait Process {
    /// SHUTDOWN: ends the server, with a snapshot if `save` says so, or, if it does not say, if there are save points.
    /// If that fails the server goes on, unless `force` says otherwise. [`super::Action::AwaitEnd`] goes with it.
    fn end_server(&mut self, save: Option<bool>, force: bool);

    /// Writes a line to the server's log, at level warning.
    fn log(&mut self, text: &[u8]);

    /// MEMORY PURGE: gives memory that this node's thread does not use back to the system.
    fn purge_memory(&mut self);

    /// MEMORY MALLOC-STATS: what the allocator says of itself, if it can.
    fn allocator_report(&self) -> Option<String>;
}
