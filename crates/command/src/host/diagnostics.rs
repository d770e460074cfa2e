//! What the server has written down of commands that took long.

use super::latency::LatencyMonitor;
use super::slowlog::Slowlog;

/// The slow log and the latency monitor, which the server has once.
pub trait Diagnostics {
    /// The server's slow log.
    fn with_slowlog(&mut self, work: &mut dyn FnMut(&mut Slowlog));

    /// The server's latency monitor.
    fn with_latency_monitor(&mut self, work: &mut dyn FnMut(&mut LatencyMonitor));
}
