//! Commands of the bitmaps family.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
