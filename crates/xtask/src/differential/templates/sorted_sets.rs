//! Sorted sets.
//!
//! Ranges of members mean something only where all scores are equal: what Redis answers otherwise is left to chance in
//! large sets. So they are asked of keys of their own: `lex` keys have one score only, `flat` ones stay small.

use super::Equality::AnyOrder;
use super::{Template, exact, like};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(20, "ZADD <zset> (<score> <member>)+"),
    exact(6, "ZADD <zset> (NX|XX|GT|LT|CH|INCR)* <score> <member>"),
    exact(6, "ZADD <zset> (NX|XX)? (GT|LT)? CH? (<score> <member>)+"),
    exact(6, "ZADD <zset> (<score> <member>)+ (<score> <member>)+ (<score> <member>)+ (<score> <member>)+"),
    exact(4, "ZADD <zset> ((<score> <member>)+ (<score> <member>)+ (<score> <member>)+)+"),
    // Enough to make a large set at once, whatever comes of it.
    exact(1, "ZADD <zset> ((((<score> <member>)+ (<score> <member>)+)+)+)+"),
    exact(3, "ZCARD <zset>"),
    exact(4, "ZCOUNT <zset> <score_bound> <score_bound>"),
    exact(8, "ZINCRBY <zset> <score> <member>"),
    exact(2, "ZINCRBY <zset> <float> <member>"),
    exact(2, "ZADD <zset> <float> <member>"),
    exact(
        4,
        "ZDIFF (1 (<zset>|<set>)|2 (<zset>|<set>) (<zset>|<set>)|3 (<zset>|<set>) (<zset>|<set>) (<zset>|<set>)) \
            WITHSCORES?",
    ),
    exact(
        3,
        "ZDIFFSTORE <zset> (1 (<zset>|<set>)|2 (<zset>|<set>) (<zset>|<set>)|3 (<zset>|<set>) (<zset>|<set>) \
            (<zset>|<set>))",
    ),
    exact(
        4,
        "ZINTER 2 (<zset>|<set>) (<zset>|<set>) (WEIGHTS <score> <score>)? (AGGREGATE (SUM|MIN|MAX))? WITHSCORES?",
    ),
    exact(
        4,
        "ZINTERCARD (1 (<zset>|<set>)|2 (<zset>|<set>) (<zset>|<set>)|3 (<zset>|<set>) (<zset>|<set>) (<zset>|<set>)) \
            (LIMIT <index>)?",
    ),
    exact(
        3,
        "ZINTERSTORE <zset> 2 (<zset>|<set>) (<zset>|<set>) (WEIGHTS <score> <score>)? (AGGREGATE (SUM|MIN|MAX))?",
    ),
    exact(
        4,
        "ZUNION (1|2) (<zset>|<set>) (<zset>|<set>) (WEIGHTS <score> <score>)? (AGGREGATE (SUM|MIN|MAX))? WITHSCORES?",
    ),
    exact(
        4,
        "ZUNION 3 (<zset>|<set>) (<zset>|<set>) (<zset>|<set>) (WEIGHTS <score> <score> <score>)? WITHSCORES?",
    ),
    exact(
        3,
        "ZUNIONSTORE <zset> 2 (<zset>|<set>) (<zset>|<set>) (WEIGHTS <score> <score>)? (AGGREGATE (SUM|MIN|MAX))?",
    ),
    exact(
        2,
        "(ZUNION|ZINTER|ZDIFF|ZINTERCARD) (<index>|2) (<zset>|<set>)+ (WEIGHTS <score>+|AGGREGATE \
            (SUM|MIN|MAX|AVG)|WITHSCORES|LIMIT <index>)*",
    ),
    exact(
        2,
        "(ZUNIONSTORE|ZINTERSTORE|ZDIFFSTORE) <zset> (<index>|2) (<zset>|<set>)+ (WEIGHTS <score>+|AGGREGATE \
            (SUM|MIN|MAX|AVG)|WITHSCORES)*",
    ),
    exact(3, "ZRANGESTORE <zset> <zset> <index> <index> REV?"),
    exact(3, "ZRANGESTORE <zset> <zset> <score_bound> <score_bound> BYSCORE REV? (LIMIT <index> <index>)?"),
    exact(
        2,
        "ZRANGESTORE <zset> (lex:1|lex:2|flat:1|flat:2) <lex_bound> <lex_bound> BYLEX REV? (LIMIT <index> <index>)?",
    ),
    exact(3, "ZMPOP (1 <zset>|2 <zset> <zset>|<index> <zset>+) (MIN|MAX) (COUNT <index>)*"),
    exact(2, "BZPOPMIN <zset>+ (0.001|0.002|1e-3|-1|abc|nan|99999999999999999999|)"),
    exact(2, "BZPOPMAX <zset>+ (0.001|0.002|1e-3|-1|abc|nan|99999999999999999999|)"),
    exact(
        2,
        "BZMPOP (0.001|0.002|1e-3|-1|abc|nan|99999999999999999999|) (1 <zset>|2 <zset> <zset>|<index> <zset>+) \
            (MIN|MAX) (COUNT <index>)*",
    ),
    // All of it, in an order that is each server's own affair; or none.
    like(2, "ZRANDMEMBER <zset> 1000000 WITHSCORES?", AnyOrder),
    exact(1, "ZRANDMEMBER <zset> (0|-9223372036854775808|9223372036854775808|x) (WITHSCORES|x)? WITHSCORES?"),
    exact(4, "ZMSCORE <zset> <member>+"),
    exact(3, "ZPOPMAX <zset> <index>?"),
    exact(3, "ZPOPMIN <zset> <index>?"),
    exact(8, "ZRANGE <zset> <index> <index> REV? WITHSCORES?"),
    exact(8, "ZRANGE <zset> <score_bound> <score_bound> BYSCORE REV? (LIMIT <index> <index>)? WITHSCORES?"),
    exact(4, "ZRANGEBYSCORE <zset> <score_bound> <score_bound> WITHSCORES? (LIMIT <index> <index>)?"),
    exact(6, "ZRANK <zset> <member> WITHSCORE?"),
    exact(6, "ZREM <zset> <member>+"),
    exact(2, "ZREMRANGEBYRANK <zset> <index> <index>"),
    exact(1, "ZREMRANGEBYSCORE <zset> <score_bound> <score_bound>"),
    exact(4, "ZREVRANGE <zset> <index> <index> WITHSCORES?"),
    exact(4, "ZREVRANGEBYSCORE <zset> <score_bound> <score_bound> WITHSCORES? (LIMIT <index> <index>)?"),
    exact(6, "ZREVRANK <zset> <member> WITHSCORE?"),
    exact(6, "ZSCORE <zset> <member>"),
    exact(6, "ZADD (lex:1|lex:2) (0 <member>)+"),
    exact(2, "ZADD (lex:1|lex:2) ((((0 <member>)+ (0 <member>)+)+)+)+"),
    exact(3, "ZADD (flat:1|flat:2) (<score> (a|b|aa|1|10))+"),
    exact(1, "DEL ((lex:1|lex:2)|(flat:1|flat:2))"),
    exact(3, "ZLEXCOUNT ((lex:1|lex:2)|(flat:1|flat:2)) <lex_bound> <lex_bound>"),
    exact(
        6,
        "ZRANGE ((lex:1|lex:2)|(flat:1|flat:2)) <lex_bound> <lex_bound> BYLEX REV? (LIMIT <index> <index>)?",
    ),
    exact(
        3,
        "ZRANGE (<zset>|(lex:1|lex:2)|(flat:1|flat:2)) (<index> <index>|<score_bound> <score_bound>|<lex_bound> \
            <lex_bound>) (BYSCORE|REV|LIMIT <index> <index>|WITHSCORES)*",
    ),
    exact(
        3,
        "ZRANGE ((lex:1|lex:2)|(flat:1|flat:2)) (<index> <index>|<score_bound> <score_bound>|<lex_bound> <lex_bound>) \
            (BYSCORE|BYLEX|REV|LIMIT <index> <index>|WITHSCORES)*",
    ),
    exact(3, "ZRANGEBYLEX ((lex:1|lex:2)|(flat:1|flat:2)) <lex_bound> <lex_bound> (LIMIT <index> <index>)?"),
    exact(
        3,
        "ZREVRANGEBYLEX ((lex:1|lex:2)|(flat:1|flat:2)) <lex_bound> <lex_bound> (LIMIT <index> <index>)?",
    ),
    exact(1, "ZREMRANGEBYLEX ((lex:1|lex:2)|(flat:1|flat:2)) <lex_bound> <lex_bound>"),
    exact(1, "ZREM ((lex:1|lex:2)|(flat:1|flat:2)) <member>+"),
    exact(2, "ZREMRANGEBYRANK ((lex:1|lex:2)|(flat:1|flat:2)) <index> <index>"),
    // All of it, in an order that is each server's own affair; or none.
    like(3, "ZSCAN <zset> 0 (COUNT 1000000|MATCH m*|MATCH <pattern>)* COUNT 1000000", AnyOrder),
    like(1, "ZSCAN <zset> (|+0|-0|x|99999999999999999999) COUNT (100000|0|-1|x)", AnyOrder),
];

/// Whether commands of a template must not be spoilt: what they answer would be left to chance.
pub fn must_stay(words: &str) -> bool {
    // A command that waits must not get another time to wait.
    ["ZSCAN", "ZRANDMEMBER", "B"].iter().any(|name| words.starts_with(name)) || words.contains("lex:")
}
