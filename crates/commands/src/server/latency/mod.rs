//! LATENCY: moments when something took long.

mod doctor;
mod graph;
mod help;
mod histogram;
mod history;
mod latest;
mod reset;
mod sparkline;

use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "latency",
    summary: "Tells of moments when something took long.",
    since: "2.8.13",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<doctor::Doctor>(),
    Command::session::<graph::Graph>(),
    Command::session::<histogram::Histograms>(),
    Command::session::<history::History>(),
    Command::session::<latest::Latest>(),
    Command::session::<reset::Reset>(),
    Command::session::<help::Help>(),
];
