//! HyperLogLogs: how many different elements, about.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
