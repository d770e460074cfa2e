//! Commands of the connection family.

mod auth;
mod client;
mod credentials;
mod echo;
mod hello;
mod names;
mod ping;
mod quit;
mod reset;
mod select;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::session::<auth::Auth>(),
    Command::container(client::SPEC, client::SUBCOMMANDS),
    Command::session::<echo::Echo>(),
    Command::session::<hello::Hello>(),
    Command::session::<ping::Ping>(),
    Command::session::<quit::Quit>(),
    Command::session::<reset::Reset>(),
    Command::session::<select::Select>(),
];
