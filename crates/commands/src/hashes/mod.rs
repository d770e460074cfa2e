//! Hashes: fields with values.

mod access;
mod expiry;
mod hdel;
mod hexists;
mod hexpire;
mod hexpireat;
mod hexpiretime;
mod hget;
mod hgetall;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hincrbyfloat;
mod hkeys;
mod hlen;
mod hmget;
mod hmset;
mod hpersist;
mod hpexpire;
mod hpexpireat;
mod hpexpiretime;
mod hpttl;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod hsetnx;
mod hstrlen;
mod httl;
mod hvals;
mod listing;
mod pairs;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<hdel::HDel>(),
    Command::read::<hexists::HExists>(),
    Command::write::<hexpire::HExpire>(),
    Command::write::<hexpireat::HExpireAt>(),
    Command::read::<hexpiretime::HExpireTime>(),
    Command::read::<hget::HGet>(),
    Command::streamed::<hgetall::HGetAll>(),
    Command::write::<hgetdel::HGetDel>(),
    Command::write::<hgetex::HGetEx>(),
    Command::write::<hincrby::HIncrBy>(),
    Command::write::<hincrbyfloat::HIncrByFloat>(),
    Command::streamed::<hkeys::HKeys>(),
    Command::read::<hlen::HLen>(),
    Command::read::<hmget::HMGet>(),
    Command::write::<hmset::HMSet>(),
    Command::write::<hpersist::HPersist>(),
    Command::write::<hpexpire::HPExpire>(),
    Command::write::<hpexpireat::HPExpireAt>(),
    Command::read::<hpexpiretime::HPExpireTime>(),
    Command::read::<hpttl::HPTtl>(),
    Command::read::<hrandfield::HRandField>(),
    Command::read::<hscan::HScan>(),
    Command::write::<hset::HSet>(),
    Command::write::<hsetex::HSetEx>(),
    Command::write::<hsetnx::HSetNx>(),
    Command::read::<hstrlen::HStrLen>(),
    Command::read::<httl::HTtl>(),
    Command::streamed::<hvals::HVals>(),
];
