//! The server, as one of its nodes knows it, and what that node counts.

use crate::buffers::Buffers;
use crate::shared::Shared;
use crate::stats::{Counters, NodeStats};
use std::cell::Cell;
use std::sync::Arc;
use tessera_command::host::Rate;
use tessera_config::Config;

/// Samples behind the rates in INFO.
#[derive(Default)]
pub(crate) struct Rates {
    pub(crate) commands: Rate,
    pub(crate) input_bytes: Rate,
    pub(crate) output_bytes: Rate,
    pub(crate) turns: Rate,
    pub(crate) busy_us: Rate,
}

/// The server that the node is a part of, as the node knows it, and what the node counts.
pub(crate) struct Server {
    pub(crate) me: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) config: Arc<Config>,
    pub(crate) config_version: u64,
    pub(crate) counters: Counters,
    pub(crate) rates: Rates,
    /// Writes and expiries that the published numbers of the databases know of.
    pub(crate) published_changes: Cell<u64>,
    pub(crate) next_housekeeping_ns: u64,
    pub(crate) next_sums_ns: u64,
    pub(crate) next_peak_ns: u64,
    /// See [`Shared::purges`].
    pub(crate) purges_seen: usize,
    pub(crate) buffers: Buffers,
}

impl Server {
    pub(crate) fn new(me: usize, shared: Arc<Shared>) -> Server {
        Server {
            config: shared.config(),
            me,
            config_version: shared.config_version(),
            counters: Counters::default(),
            rates: Rates::default(),
            published_changes: Cell::new(0),
            next_housekeeping_ns: 0,
            next_sums_ns: 0,
            next_peak_ns: 0,
            purges_seen: 0,
            buffers: Buffers::default(),
            shared,
        }
    }

    /// Whether a key is of this node's shard.
    #[inline]
    pub(crate) fn has_key(&self, key: &[u8]) -> bool {
        usize::from(self.shared.slots.owner_of(key)) == self.me
    }

    /// What this node publishes.
    #[inline]
    pub(crate) fn stats(&self) -> &NodeStats {
        &self.shared.stats[self.me]
    }
}
