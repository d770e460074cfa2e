//! Lists: elements in an order.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
