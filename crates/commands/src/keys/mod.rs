//! Commands on keys of any type.

mod copy;
pub mod database;
mod debug_object;
mod del;
mod dump;
mod exists;
mod expire;
mod expireat;
mod expiretime;
pub(crate) mod expiry;
mod keys_matching;
mod memory_usage;
mod move_to;
pub mod object;
mod persist;
mod pexpire;
mod pexpireat;
mod pexpiretime;
mod pttl;
mod randomkey;
mod removal;
mod rename;
mod renamenx;
mod restore;
mod scan;
mod touch;
mod ttl;
mod type_of;
mod unlink;

pub use debug_object::DebugObject;
pub use memory_usage::MemoryUsage;

use tessera_command::{Command, Error};

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::gather::<copy::Copy>(),
    Command::write::<del::Del>(),
    Command::read::<dump::Dump>(),
    Command::read::<exists::Exists>(),
    Command::write::<expire::Expire>(),
    Command::write::<expireat::ExpireAt>(),
    Command::read::<expiretime::ExpireTime>(),
    Command::read::<keys_matching::Keys>(),
    Command::write::<move_to::Move>(),
    object::OBJECT,
    Command::write::<persist::Persist>(),
    Command::write::<pexpire::PExpire>(),
    Command::write::<pexpireat::PExpireAt>(),
    Command::read::<pexpiretime::PExpireTime>(),
    Command::read::<pttl::PTtl>(),
    Command::read::<randomkey::RandomKey>(),
    Command::gather::<rename::Rename>(),
    Command::gather::<renamenx::RenameNx>(),
    Command::write::<restore::Restore>(),
    Command::read::<scan::Scan>(),
    Command::read::<touch::Touch>(),
    Command::read::<ttl::Ttl>(),
    Command::read::<type_of::Type>(),
    Command::write::<unlink::Unlink>(),
];

/// A key is to be put where it is already.
const SAME_OBJECT: Error = Error::Text("ERR source and destination objects are the same");
