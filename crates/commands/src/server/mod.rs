//! Commands of the server family.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
