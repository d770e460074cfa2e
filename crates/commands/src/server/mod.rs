//! Commands about the server as a whole.

mod command;
mod config;
mod dbsize;
mod debug;
mod flush_mode;
mod flushall;
mod flushdb;
mod info;
mod latency;
mod lolwut;
mod memory;
mod monitor;
mod overhead;
mod shutdown;
mod slowlog;
mod swapdb;
mod time;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<command::CommandRoot>().with_subcommands(command::SUBCOMMANDS),
    Command::container(config::SPEC, config::SUBCOMMANDS),
    Command::read::<dbsize::DbSize>(),
    Command::container(debug::SPEC, debug::SUBCOMMANDS),
    Command::write::<flushall::FlushAll>(),
    Command::write::<flushdb::FlushDb>(),
    Command::session::<info::Info>(),
    Command::container(latency::SPEC, latency::SUBCOMMANDS),
    Command::session::<lolwut::Lolwut>(),
    Command::container(memory::SPEC, memory::SUBCOMMANDS),
    Command::session::<monitor::Monitor>(),
    Command::session::<shutdown::Shutdown>(),
    Command::container(slowlog::SPEC, slowlog::SUBCOMMANDS),
    Command::write::<swapdb::SwapDb>(),
    Command::session::<time::Time>(),
];
