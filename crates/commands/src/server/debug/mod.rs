//! DEBUG: for tests of the server and of clients.

mod error;
mod help;
mod log;
mod protocol;
mod set_active_expire;
mod sleep;

use crate::keys::DebugObject;
use tessera_command::prelude::*;

/// The declaration of the name itself.
pub const SPEC: Spec = Spec {
    name: "debug",
    summary: "Helps to test the server and its clients.",
    since: "1.0.0",
    group: Group::Server,
    complexity: "Depends on subcommand.",
    spread: Spread::Nowhere,
    flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
    protected: true,
    system: true,
    private_subcommands: true,
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::session::<error::ErrorReply>(),
    Command::session::<log::Log>(),
    Command::read::<DebugObject>(),
    Command::session::<protocol::ProtocolReply>(),
    Command::everywhere::<set_active_expire::SetActiveExpire>(),
    Command::session::<sleep::Sleep>(),
    Command::session::<help::Help>(),
];

/// The flags of all of them.
const FLAGS: Flags = SPEC.flags;
