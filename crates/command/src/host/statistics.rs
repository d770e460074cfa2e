//! The counters of the server, and what else INFO and MEMORY print.

use super::command_stats::CommandTotals;
use super::error_stats::ErrorStats;
use super::facts::Facts;

/// Numbers that nodes publish and anybody sums.
pub trait Statistics {
    /// All numbers that INFO and MEMORY print, summed over the nodes.
    fn facts(&self) -> Facts;

    /// Counters of every command, summed over the nodes, by [`crate::Registry::number`].
    fn command_totals(&self) -> CommandTotals;

    /// Error replies by their code, summed over the nodes.
    fn error_stats(&self) -> ErrorStats;

    /// CONFIG RESETSTAT, this node's part: its [`super::CommandStats`], its [`ErrorStats`], its shard's counters and
    /// all that [`super::facts::StatsFacts`] says it resets.
    fn reset_statistics(&mut self);

    /// Counts an AUTH or HELLO with a wrong password: [`super::facts::StatsFacts::authentication_failures`].
    fn note_authentication_failure(&mut self);
}
