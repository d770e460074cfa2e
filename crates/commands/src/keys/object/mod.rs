//! OBJECT: how a key is kept.

mod encoding;
mod freq;
mod help;
mod idletime;
mod refcount;

use tessera_command::prelude::*;

/// OBJECT with its subcommands.
pub const OBJECT: Command = Command::container(
    Spec {
        name: "object",
        summary: "Tells how a key is kept.",
        since: "2.2.3",
        group: Group::Generic,
        complexity: "Depends on the subcommand.",
        ..Spec::BASE
    },
    &[
        Command::read::<encoding::Encoding>(),
        Command::read::<freq::Freq>(),
        Command::read::<idletime::IdleTime>(),
        Command::read::<refcount::RefCount>(),
        Command::session::<help::Help>(),
    ],
);

/// Redis keeps one shared object for each integer below this.
const SHARED_INTEGERS: i64 = 10_000;
/// What it answers for their number of references.
const SHARED_REFERENCES: i64 = i32::MAX as i64;

/// The number of references that Redis would count. No value is shared here, but a client that looks whether a small
/// integer is kept without memory of its own gets the answer it expects. `shares`: small integers would be shared.
pub fn reference_count(value: ValueRef<'_>, shares: bool) -> i64 {
    let ValueRef::String(string) = value else { return 1 };
    let shared = shares
        && string.encoding() == tessera_values::string::StringEncoding::Int
        && string.as_integer().is_some_and(|integer| (0..SHARED_INTEGERS).contains(&integer));
    if shared { SHARED_REFERENCES } else { 1 }
}
