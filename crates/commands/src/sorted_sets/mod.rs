//! Sorted sets: members in the order of their scores.

mod adding;
mod answer;
mod bounds;
mod popping;
mod ranging;
mod ranking;
mod removal;
mod selection;
mod zadd;
mod zcard;
mod zcount;
mod zincrby;
mod zlexcount;
mod zmscore;
mod zpopmax;
mod zpopmin;
mod zrange;
mod zrangebylex;
mod zrangebyscore;
mod zrank;
mod zrem;
mod zremrangebylex;
mod zremrangebyrank;
mod zremrangebyscore;
mod zrevrange;
mod zrevrangebylex;
mod zrevrangebyscore;
mod zrevrank;
mod zscan;
mod zscore;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::write::<zadd::ZAdd>(),
    Command::read::<zcard::ZCard>(),
    Command::read::<zcount::ZCount>(),
    Command::write::<zincrby::ZIncrBy>(),
    Command::read::<zlexcount::ZLexCount>(),
    Command::read::<zmscore::ZMScore>(),
    Command::write::<zpopmax::ZPopMax>(),
    Command::write::<zpopmin::ZPopMin>(),
    Command::read::<zrange::ZRange>(),
    Command::read::<zrangebylex::ZRangeByLex>(),
    Command::read::<zrangebyscore::ZRangeByScore>(),
    Command::read::<zrank::ZRank>(),
    Command::write::<zrem::ZRem>(),
    Command::write::<zremrangebylex::ZRemRangeByLex>(),
    Command::write::<zremrangebyrank::ZRemRangeByRank>(),
    Command::write::<zremrangebyscore::ZRemRangeByScore>(),
    Command::read::<zrevrange::ZRevRange>(),
    Command::read::<zrevrangebylex::ZRevRangeByLex>(),
    Command::read::<zrevrangebyscore::ZRevRangeByScore>(),
    Command::read::<zrevrank::ZRevRank>(),
    Command::read::<zscan::ZScan>(),
    Command::read::<zscore::ZScore>(),
];
