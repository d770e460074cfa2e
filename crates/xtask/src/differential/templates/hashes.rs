//! Hashes.

use super::{Equality, Template, exact, like};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(24, "HSET <hash> (<member> <text>)+"),
    exact(8, "HSET <hash> (<member> <member>)+"),
    // Enough to leave a listpack in time, and all at once.
    exact(3, "HSET <hash> ((<member> <text>)+ (<member> <text>)+ (<member> <member>)+)+"),
    exact(6, "HSET <hash> <member> <text> <text>?"),
    exact(4, "HMSET <hash> (<member> <text>)+"),
    exact(6, "HSETNX <hash> <member> <text>"),
    exact(8, "HDEL <hash> <member>+"),
    exact(6, "HGET <hash> <member>"),
    exact(5, "HMGET <hash> <member>+"),
    exact(3, "HEXISTS <hash> <member>"),
    exact(3, "HSTRLEN <hash> <member>"),
    exact(3, "HLEN <hash>"),
    like(4, "HGETALL <hash>", Equality::AnyOrderPairs),
    like(2, "HKEYS <hash>", Equality::AnyOrder),
    like(2, "HVALS <hash>", Equality::AnyOrder),
    exact(8, "HINCRBY <hash> <member> <integer>"),
    exact(4, "HINCRBY <hash> (a|b|c|aa) <integer>"),
    exact(6, "HINCRBYFLOAT <hash> <member> <float>"),
    exact(4, "HINCRBYFLOAT <hash> (a|b|c|aa) <float>"),
    like(3, "HSCAN <hash> 0 (MATCH <pattern>|MATCH m*|COUNT 100000)* COUNT 100000", Equality::AnyOrder),
    like(1, "HSCAN <hash> (|+0|-0|x|99999999999999999999) COUNT (100000|0|-1|x)", Equality::AnyOrder),
    // All of it, in an order that is each server's own affair; or none.
    like(2, "HRANDFIELD <hash> 100000", Equality::AnyOrder),
    like(2, "HRANDFIELD <hash> 100000 WITHVALUES", Equality::AnyOrder),
    exact(1, "HRANDFIELD <hash> (0|-9223372036854775808|9223372036854775808|x) (WITHVALUES|<text>)?"),
    like(1, "HRANDFIELD <hash> 4611686018427387904 WITHVALUES", Equality::AnyOrder),
    exact(1, "DEL <hash>"),
    exact(2, "OBJECT ENCODING <hash>"),
];
