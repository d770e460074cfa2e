//! Strings as values: set, get, count, cut.

mod append;
mod counter;
mod decr;
mod decrby;
mod expiration;
mod get;
mod getdel;
mod getex;
mod getrange;
mod getset;
mod incr;
mod incrby;
mod incrbyfloat;
mod lcs;
mod long;
mod mget;
mod mset;
mod msetnx;
mod psetex;
mod set;
mod setex;
mod setnx;
mod setrange;
mod size;
mod strlen;
mod subsequence;
mod substr;
mod substring;

use tessera_command::Command;

pub(crate) use size::check_len;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<append::Append>(),
    Command::write::<decr::Decr>(),
    Command::write::<decrby::DecrBy>(),
    Command::streamed::<get::Get>(),
    Command::write::<getdel::GetDel>(),
    Command::write::<getex::GetEx>(),
    Command::streamed::<getrange::GetRange>(),
    Command::write::<getset::GetSet>(),
    Command::write::<incr::Incr>(),
    Command::write::<incrby::IncrBy>(),
    Command::write::<incrbyfloat::IncrByFloat>(),
    Command::gather_read::<lcs::Lcs>(),
    Command::read::<mget::MGet>(),
    Command::write::<mset::MSet>(),
    Command::gather::<msetnx::MSetNx>(),
    Command::write::<psetex::PSetEx>(),
    Command::write::<set::Set>(),
    Command::write::<setex::SetEx>(),
    Command::write::<setnx::SetNx>(),
    Command::write::<setrange::SetRange>(),
    Command::read::<strlen::StrLen>(),
    Command::streamed::<substr::SubStr>(),
];
