//! Snapshots.

/// What makes snapshots.
pub trait Saving {
    /// Asks for a snapshot: one in the background, or one that the client waits for ([`super::Action::AwaitSnapshot`]).
    /// False if one is requested or under way.
    fn begin_snapshot(&mut self, in_background: bool) -> bool;
}
