//! Commands of the keys family.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
