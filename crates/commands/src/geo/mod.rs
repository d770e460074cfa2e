//! Places on the earth, kept in sorted sets.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
