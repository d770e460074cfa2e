//! What session commands may ask of the node they run on. `node` provides it.
//!
//! The trait [`Host`] is the whole seam. Behind it are three kinds of things:
//!
//! * what belongs to one node: its clients, its pause, its counters. [`crate::Everywhere`] commands reach those of
//!   all nodes by running on each;
//! * what the server has once: configuration, slow log, latency monitor. The node keeps them behind a lock that only
//!   slow commands and these commands take;
//! * [`Facts`] and the statistics: numbers that nodes publish and anybody sums.
//!
//! The other types here are plain data with their logic, for the node to keep and the commands to print.

pub mod client_filter;
pub mod client_info;
pub mod command_stats;
pub mod error_stats;
pub mod facts;
pub mod guard;
pub mod histogram;
pub mod latency;
pub mod monitor;
pub mod pause;
pub mod rate;
pub mod slowlog;

pub use client_filter::{ClientFilter, ClientKind};
pub use client_info::{ClientInfo, ConnectionInfo};
pub use command_stats::{CommandStats, CommandTotals};
pub use error_stats::ErrorStats;
pub use facts::Facts;
pub use guard::{Refused, admit, refusal};
pub use histogram::{Histogram, HistogramCounts};
pub use latency::LatencyMonitor;
pub use monitor::monitor_line;
pub use pause::{Pause, PauseMode};
pub use rate::Rate;
pub use slowlog::{Slowlog, SlowlogEntry};

use crate::client::Client;
use crate::error::Error;
use crate::registry::Registry;
use tessera_config::Config;
use tessera_keyspace::Shard;

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
    /// Send what is to be sent, then close the connection. Commands already received behind this one are not run.
    CloseAfterReply,
    /// Begin to stream all commands, of all nodes, to this client; [`monitor_line`] is the format.
    Monitor,
    /// Stop that.
    EndMonitor,
    /// Answer the client when the snapshot that it has asked for ends, and run nothing of it before. The command itself
    /// writes no reply.
    AwaitSnapshot,
    /// Have a snapshot made, send it to the client as a bulk string that nothing ends, and close the connection.
    SendSnapshot,
    /// The same with the end of the server: who is answered is told that it has not ended.
    AwaitEnd,
    /// Save all keys, remove them and load them again, while all clients wait, and answer the client then.
    Reload(Reload),
}

impl Action {
    /// The command has written no reply: it is answered when that is done which it is about.
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

/// How a client that waits in a blocking command is woken by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnblockReason {
    /// As if its time were over.
    Timeout,
    /// With the error `UNBLOCKED client unblocked via CLIENT UNBLOCK`.
    Error,
}

/// A node and the server around it, as session commands see them. An instance serves one command of one caller.
pub trait Host {
    /// Microseconds since the Unix epoch.
    fn unix_us(&self) -> i64;

    /// The command table.
    fn registry(&self) -> &'static Registry;

    /// Has the node do something once the reply is written. Only from [`crate::Session`] commands.
    fn act(&mut self, action: Action);

    /// The configuration in force.
    fn config(&self) -> &Config;

    /// CONFIG SET: checks all pairs, puts them into effect on the whole server, or changes nothing. `caller_is_local`
    /// decides about protected parameters.
    ///
    /// # Errors
    /// The error reply, code included.
    fn config_set(&mut self, pairs: &[(&[u8], &[u8])], caller_is_local: bool) -> Result<(), Error>;

    /// CONFIG REWRITE: writes the configuration in force into the file it came from.
    ///
    /// # Errors
    /// The error reply, code included: there is no file, or it could not be written.
    fn config_rewrite(&mut self) -> Result<(), Error>;

    /// All numbers that INFO and MEMORY print, summed over the nodes.
    fn facts(&self) -> Facts;

    /// Counters of every command, summed over the nodes, by [`Registry::number`].
    fn command_totals(&self) -> CommandTotals;

    /// Error replies by their code, summed over the nodes.
    fn error_stats(&self) -> ErrorStats;

    /// CONFIG RESETSTAT, this node's part: its [`CommandStats`], its [`ErrorStats`], its shard's counters and all that
    /// [`facts::StatsFacts`] says it resets.
    fn reset_statistics(&mut self);

    /// Counts an AUTH or HELLO with a wrong password: [`facts::StatsFacts::authentication_failures`].
    fn note_authentication_failure(&mut self);

    /// The server's slow log.
    fn with_slowlog(&mut self, work: &mut dyn FnMut(&mut Slowlog));

    /// The server's latency monitor.
    fn with_latency_monitor(&mut self, work: &mut dyn FnMut(&mut LatencyMonitor));

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

    /// DEBUG SLEEP: stops the threads of all nodes for so long.
    fn sleep(&mut self, duration_us: u64);

    /// DEBUG SET-ACTIVE-EXPIRE: whether this node looks for expired keys by itself.
    fn set_active_expire(&mut self, enabled: bool);

    /// This node's shard, to look at.
    fn shard(&self) -> &Shard;

    /// DEBUG QUICKLIST-PACKED-THRESHOLD: from which length on elements get a node of their own in this node's long lists, in bytes.
    fn set_list_large_len(&mut self, len_bytes: u32);

    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: whether this node takes payloads of RESTORE whose checksum is wrong.
    fn set_skip_checksums(&mut self, skip: bool);

    /// Writes a line to the server's log, at level warning.
    fn log(&mut self, text: &[u8]);

    /// Asks for a snapshot: one in the background, or one that the client waits for ([`Action::AwaitSnapshot`]). False if one is
    /// asked for or under way.
    fn begin_snapshot(&mut self, in_background: bool) -> bool;

    /// SHUTDOWN: ends the server, with a snapshot if `save` says so, or as there are save points if it does not say. If that
    /// fails the server goes on, unless `force` says otherwise. [`Action::AwaitEnd`] goes with it.
    fn end_server(&mut self, save: Option<bool>, force: bool);

    /// MEMORY PURGE: gives memory that this node's thread does not use back to the system.
    fn purge_memory(&mut self);

    /// MEMORY MALLOC-STATS: what the allocator says of itself, if it can.
    fn allocator_report(&self) -> Option<String>;
}
