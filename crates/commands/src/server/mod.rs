//! Commands about the server as a whole.

mod bgsave;
mod command;
mod config;
mod dbsize;
mod debug;
mod flush_mode;
mod flushall;
mod flushdb;
mod info;
mod lastsave;
mod latency;
mod lolwut;
mod memory;
mod module;
mod monitor;
mod overhead;
mod replconf;
mod role;
mod save;
mod shutdown;
mod slowlog;
mod swapdb;
mod sync;
mod time;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<bgsave::BgSave>(),
    Command::session::<command::CommandRoot>().with_subcommands(command::SUBCOMMANDS),
    Command::container(config::SPEC, config::SUBCOMMANDS),
    Command::read::<dbsize::DbSize>(),
    Command::container(debug::SPEC, debug::SUBCOMMANDS),
    Command::write::<flushall::FlushAll>(),
    Command::write::<flushdb::FlushDb>(),
    Command::session::<info::Info>(),
    Command::session::<lastsave::LastSave>(),
    Command::container(latency::SPEC, latency::SUBCOMMANDS),
    Command::session::<lolwut::Lolwut>(),
    Command::container(memory::SPEC, memory::SUBCOMMANDS),
    Command::container(module::SPEC, module::SUBCOMMANDS),
    Command::session::<monitor::Monitor>(),
    Command::session::<sync::PSync>(),
    Command::session::<replconf::ReplConf>(),
    Command::session::<role::Role>(),
    Command::session::<save::Save>(),
    Command::session::<shutdown::Shutdown>(),
    Command::container(slowlog::SPEC, slowlog::SUBCOMMANDS),
    Command::write::<swapdb::SwapDb>(),
    Command::session::<sync::Sync>(),
    Command::session::<time::Time>(),
];
