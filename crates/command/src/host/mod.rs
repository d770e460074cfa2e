//! What session commands may ask of the node they run on. `node` provides it.
//!
//! Each domain has a small trait of its own, and [`Host`] is their sum:
//!
//! | trait | what it gives |
//! |---|---|
//! | [`WallClock`] | the time of day |
//! | [`CommandTable`] | all commands |
//! | [`Actions`] | what is done once the reply is written |
//! | [`Clients`] | the caller's connection, and the clients of this node |
//! | [`Configuration`] | the configuration in force |
//! | [`Statistics`] | the numbers of INFO and MEMORY |
//! | [`Diagnostics`] | the slow log and the latency monitor |
//! | [`Saving`] | snapshots |
//! | [`Process`] | the end of the server, its log, its memory |
//! | [`Debugging`] | what DEBUG looks at and changes |
//!
//! A new capability brings its own trait. A function that needs one domain takes that one: `&mut dyn Clients`.
//!
//! Some of what is behind them belongs to one node, such as clients, the pause and counters: [`crate::Everywhere`]
//! commands reach those of all nodes by running on each. Some the server has once, such as the configuration and the
//! slow log: the node keeps these behind a lock, which only slow commands and these commands take. And statistics are
//! numbers that nodes publish and anybody sums.
//!
//! The other types here are plain data with their logic, for the node to keep and the commands to print.

pub mod actions;
pub mod client_filter;
pub mod client_info;
pub mod clients;
pub mod command_stats;
pub mod command_table;
pub mod configuration;
pub mod debugging;
pub mod diagnostics;
pub mod error_stats;
pub mod facts;
pub mod guard;
pub mod histogram;
pub mod latency;
pub mod monitor;
pub mod pause;
pub mod process;
pub mod rate;
pub mod saving;
pub mod slowlog;
pub mod statistics;
pub mod wall_clock;

pub use actions::{Action, Actions, Reload};
pub use client_filter::{ClientFilter, ClientKind};
pub use client_info::{ClientInfo, ConnectionInfo};
pub use clients::{Clients, UnblockReason};
pub use command_stats::{CommandStats, CommandTotals};
pub use command_table::CommandTable;
pub use configuration::Configuration;
pub use debugging::Debugging;
pub use diagnostics::Diagnostics;
pub use error_stats::ErrorStats;
pub use facts::Facts;
pub use guard::{Refused, admit, refusal};
pub use histogram::{Histogram, HistogramCounts};
pub use latency::LatencyMonitor;
pub use monitor::monitor_line;
pub use pause::{Pause, PauseMode};
pub use process::Process;
pub use rate::Rate;
pub use saving::Saving;
pub use slowlog::{Slowlog, SlowlogEntry};
pub use statistics::Statistics;
pub use wall_clock::WallClock;

use crate::client::Client;

/// What a session command sees: its client, and its node behind a trait.
pub struct SessionContext<'a> {
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

/// A node and the server around it, as session commands see them. An instance serves one command of one caller.
pub trait Host:
    WallClock
    + CommandTable
    + Actions
    + Clients
    + Configuration
    + Statistics
    + Diagnostics
    + Saving
    + Process
    + Debugging
{
}

impl<T> Host for T where
    T: WallClock
        + CommandTable
        + Actions
        + Clients
        + Configuration
        + Statistics
        + Diagnostics
        + Saving
        + Process
        + Debugging
{
}
