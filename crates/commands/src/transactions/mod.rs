//! Commands of the transactions family. What they do is the node's.

mod discard;
mod exec;
mod multi;
mod unwatch;
mod watch;

use tessera_command::{Command, Flags};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::transaction::<discard::Discard>(),
    Command::transaction::<exec::Exec>(),
    Command::transaction::<multi::Multi>(),
    Command::transaction::<unwatch::Unwatch>(),
    Command::transaction::<watch::Watch>(),
];

/// What all but EXEC have.
const FLAGS: Flags =
    Flags::NO_SCRIPT.with(Flags::LOADING).with(Flags::STALE).with(Flags::FAST).with(Flags::ALLOW_BUSY);
