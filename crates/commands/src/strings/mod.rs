//! Strings as values: set, get, count, cut.

mod get;
mod set;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[Command::read::<get::Get>(), Command::write::<set::Set>()];
