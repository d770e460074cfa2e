//! SLOWLOG: commands that took long.

mod get;
mod help;
mod len;
mod reset;

use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "slowlog",
    summary: "Tells of commands that took long.",
    since: "2.2.12",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<get::Get>(),
    Command::session::<len::Len>(),
    Command::session::<reset::Reset>(),
    Command::session::<help::Help>(),
];
