//! MODULE: there are none.

mod help;
mod list;

use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "module",
    summary: "Tells of modules, of which there are none.",
    since: "4.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[Command::session::<list::List>(), Command::session::<help::Help>()];
