//! Sorted sets: members in the order of their scores.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
