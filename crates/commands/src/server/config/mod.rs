//! CONFIG: parameters.

mod get;
mod help;
mod resetstat;
mod rewrite;
mod set;

use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "config",
    summary: "Reads and changes parameters of the server.",
    since: "2.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<get::Get>(),
    Command::everywhere::<resetstat::ResetStat>(),
    Command::session::<rewrite::Rewrite>(),
    Command::session::<set::Set>(),
    Command::session::<help::Help>(),
];
