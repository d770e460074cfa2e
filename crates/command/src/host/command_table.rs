//! The commands of the server.

use crate::registry::Registry;

/// What knows all commands.
pub trait CommandTable {
    /// The command table.
    fn registry(&self) -> &'static Registry;
}
