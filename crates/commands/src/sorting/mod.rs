//! SORT: elements of a collection in order.

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[];
