//! Hashes: fields with values.

mod access;
mod hdel;
mod hexists;
mod hget;
mod hgetall;
mod hincrby;
mod hincrbyfloat;
mod hkeys;
mod hlen;
mod hmget;
mod hmset;
mod hrandfield;
mod hscan;
mod hset;
mod hsetnx;
mod hstrlen;
mod hvals;
mod pairs;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<hdel::HDel>(),
    Command::read::<hexists::HExists>(),
    Command::read::<hget::HGet>(),
    Command::read::<hgetall::HGetAll>(),
    Command::write::<hincrby::HIncrBy>(),
    Command::write::<hincrbyfloat::HIncrByFloat>(),
    Command::read::<hkeys::HKeys>(),
    Command::read::<hlen::HLen>(),
    Command::read::<hmget::HMGet>(),
    Command::write::<hmset::HMSet>(),
    Command::read::<hrandfield::HRandField>(),
    Command::read::<hscan::HScan>(),
    Command::write::<hset::HSet>(),
    Command::write::<hsetnx::HSetNx>(),
    Command::read::<hstrlen::HStrLen>(),
    Command::read::<hvals::HVals>(),
];
