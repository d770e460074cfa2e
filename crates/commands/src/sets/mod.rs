//! Sets: members, each once.

mod algebra;
mod answer;
mod multiple;
mod sadd;
mod scard;
mod sdiff;
mod sdiffstore;
mod sinter;
mod sintercard;
mod sinterstore;
mod sismember;
mod smembers;
mod smismember;
mod smove;
mod spop;
mod srandmember;
mod srem;
mod sscan;
mod sunion;
mod sunionstore;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<sadd::SAdd>(),
    Command::read::<scard::SCard>(),
    Command::gather_read::<sdiff::SDiff>(),
    Command::gather::<sdiffstore::SDiffStore>(),
    Command::gather_read::<sinter::SInter>(),
    Command::gather_read::<sintercard::SInterCard>(),
    Command::gather::<sinterstore::SInterStore>(),
    Command::read::<sismember::SIsMember>(),
    Command::streamed::<smembers::SMembers>(),
    Command::read::<smismember::SMIsMember>(),
    Command::gather::<smove::SMove>(),
    Command::write::<spop::SPop>(),
    Command::read::<srandmember::SRandMember>(),
    Command::write::<srem::SRem>(),
    Command::read::<sscan::SScan>(),
    Command::gather_read::<sunion::SUnion>(),
    Command::gather::<sunionstore::SUnionStore>(),
];
