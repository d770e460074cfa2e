//! One node's part in snapshots.

use super::coordinator::Coordinator;
use super::drain::Drain;
use super::part::Part;
use super::reloader::Reloader;
use super::saver::Saver;
use super::transfer::Transfers;

/// One node's part in snapshots.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) drain: Drain,
    pub(crate) part: Option<Box<Part>>,
    /// Connections that wait for the end of a snapshot.
    pub(crate) savers: Vec<Saver>,
    /// Connections that wait for keys to be loaded again.
    pub(crate) reloaders: Vec<Reloader>,
    /// How often this node's clients have asked for that, and how often it was begun.
    pub(crate) reloads_requested: u64,
    pub(crate) reloads_begun: u64,
    /// Snapshots that clients are sent, or wait for.
    pub(crate) transfers: Transfers,
    /// Only on node 0.
    pub(crate) coordinator: Option<Box<Coordinator>>,
    /// Writes are refused because the last snapshot failed.
    pub(crate) denies_writes: bool,
}
