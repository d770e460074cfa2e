//! SORT: elements of a collection in order.

mod gathering;
mod order;
mod pattern;
mod request;
mod sort;
mod sort_ro;

use tessera_command::Command;

const PATTERNS_NOTE: &str = "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from \
    the \
                             content of the key we sort";

/// The commands of this family.
pub const COMMANDS: &[Command] =
    &[Command::gather::<sort::Sort>(), Command::gather_read::<sort_ro::SortRo>()];
