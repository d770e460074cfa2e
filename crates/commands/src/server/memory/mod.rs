//! MEMORY: what takes memory.

mod doctor;
mod help;
mod malloc_stats;
mod purge;
mod stats;

use crate::keys::MemoryUsage;
use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "memory",
    summary: "Tells what takes memory.",
    since: "4.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<doctor::Doctor>(),
    Command::session::<malloc_stats::MallocStats>(),
    Command::everywhere::<purge::Purge>(),
    Command::session::<stats::Stats>(),
    Command::read::<MemoryUsage>(),
    Command::session::<help::Help>(),
];
