//! Commands about the server as a whole.

mod command;
mod dbsize;
mod flush_mode;
mod flushall;
mod flushdb;
mod swapdb;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<command::CommandRoot>().with_subcommands(command::SUBCOMMANDS),
    Command::read::<dbsize::DbSize>(),
    Command::write::<flushall::FlushAll>(),
    Command::write::<flushdb::FlushDb>(),
    Command::write::<swapdb::SwapDb>(),
];
