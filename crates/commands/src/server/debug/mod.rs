//! DEBUG: for tests of the server and of clients.

mod digest;
mod digest_value;
mod digesting;
mod error;
mod help;
mod log;
mod populate;
mod protocol;
mod quicklist_packed_threshold;
mod reload;
mod set_active_expire;
mod set_skip_checksum_validation;
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
    flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
    protected: true,
    system: true,
    private_subcommands: true,
    ..Spec::BASE
};

/// The subcommands.
pub const SUBCOMMANDS: &[Command] = &[
    Command::everywhere::<digest::DatasetDigest>(),
    Command::read::<digest_value::DigestValue>(),
    Command::session::<error::ErrorReply>(),
    Command::session::<log::Log>(),
    Command::read::<DebugObject>(),
    Command::write::<populate::Populate>(),
    Command::session::<protocol::ProtocolReply>(),
    Command::everywhere::<quicklist_packed_threshold::QuicklistPackedThreshold>(),
    Command::session::<reload::ReloadKeys>(),
    Command::everywhere::<set_active_expire::SetActiveExpire>(),
    Command::everywhere::<set_skip_checksum_validation::SetSkipChecksumValidation>(),
    Command::session::<sleep::Sleep>(),
    Command::session::<help::Help>(),
];

/// The flags of all of them.
const FLAGS: Flags = SPEC.flags;
