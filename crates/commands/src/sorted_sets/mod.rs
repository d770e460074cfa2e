//! Sorted sets: members in the order of their scores.

mod adding;
mod answer;
mod bounds;
mod bzmpop;
mod bzpopmax;
mod bzpopmin;
mod combining;
mod inputs;
mod popping;
mod ranging;
mod ranking;
mod removal;
mod selection;
mod storing;
mod waiting;
mod zadd;
mod zcard;
mod zcount;
mod zdiff;
mod zdiffstore;
mod zincrby;
mod zinter;
mod zintercard;
mod zinterstore;
mod zlexcount;
mod zmpop;
mod zmscore;
mod zpopmax;
mod zpopmin;
mod zrandmember;
mod zrange;
mod zrangebylex;
mod zrangebyscore;
mod zrangestore;
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
mod zunion;
mod zunionstore;

use tessera_command::Command;

/// The commands of this family.
pub const COMMANDS: &[Command] = &[
    Command::blocking::<bzmpop::BZMPop>(),
    Command::blocking::<bzpopmax::BZPopMax>(),
    Command::blocking::<bzpopmin::BZPopMin>(),
    Command::write::<zadd::ZAdd>(),
    Command::read::<zcard::ZCard>(),
    Command::read::<zcount::ZCount>(),
    Command::gather_read::<zdiff::ZDiff>(),
    Command::gather::<zdiffstore::ZDiffStore>(),
    Command::write::<zincrby::ZIncrBy>(),
    Command::gather_read::<zinter::ZInter>(),
    Command::gather_read::<zintercard::ZInterCard>(),
    Command::gather::<zinterstore::ZInterStore>(),
    Command::read::<zlexcount::ZLexCount>(),
    Command::gather::<zmpop::ZMPop>(),
    Command::read::<zmscore::ZMScore>(),
    Command::write::<zpopmax::ZPopMax>(),
    Command::write::<zpopmin::ZPopMin>(),
    Command::read::<zrandmember::ZRandMember>(),
    Command::streamed::<zrange::ZRange>(),
    Command::streamed::<zrangebylex::ZRangeByLex>(),
    Command::streamed::<zrangebyscore::ZRangeByScore>(),
    Command::gather::<zrangestore::ZRangeStore>(),
    Command::read::<zrank::ZRank>(),
    Command::write::<zrem::ZRem>(),
    Command::write::<zremrangebylex::ZRemRangeByLex>(),
    Command::write::<zremrangebyrank::ZRemRangeByRank>(),
    Command::write::<zremrangebyscore::ZRemRangeByScore>(),
    Command::streamed::<zrevrange::ZRevRange>(),
    Command::streamed::<zrevrangebylex::ZRevRangeByLex>(),
    Command::streamed::<zrevrangebyscore::ZRevRangeByScore>(),
    Command::read::<zrevrank::ZRevRank>(),
    Command::read::<zscan::ZScan>(),
    Command::read::<zscore::ZScore>(),
    Command::gather_read::<zunion::ZUnion>(),
    Command::gather::<zunionstore::ZUnionStore>(),
];
