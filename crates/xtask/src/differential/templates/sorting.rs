//! SORT.

use super::{Equality, Template, exact, like};

/// Commands of this family, and some that give them something to sort. Elements of sets and sorted sets whose weights
/// are equal come in an order of each server's own.
pub const TEMPLATES: &[Template] = &[
    exact(4, "RPUSH <list> <index>+"),
    exact(2, "RPUSH <list> <member>+"),
    exact(1, "LTRIM <list> -10 -1"),
    exact(2, "DEL <list>"),
    exact(3, "SADD <set> <index>+"),
    exact(1, "SADD <set> <member>+"),
    exact(1, "DEL <set>"),
    exact(3, "ZADD <zset> <integer> <index>"),
    exact(1, "ZADD <zset> <index> <member>"),
    exact(1, "DEL <zset>"),
    exact(3, "HSET (hash:0|hash:1|hash:2|hash:3|hash:4) (<member>|a|b) (<integer>|<text>)"),
    exact(2, "SET (key:0|key:1|key:2|key:3|key:4) (<index>|<score>|<member>)"),
    exact(6, "(SORT|SORT_RO) <list> (ASC|DESC|ALPHA|LIMIT <index> <index>)*"),
    exact(6, "SORT <list> (ASC|DESC|ALPHA|LIMIT <index> <index>|STORE <list>)*"),
    exact(4, "(SORT|SORT_RO) <set> (ASC|DESC|LIMIT <index> <index>)*"),
    exact(4, "(SORT|SORT_RO) <zset> (ASC|DESC|LIMIT <index> <index>)*"),
    like(2, "SORT (<set>|<zset>) ALPHA DESC?", Equality::AnyOrder),
    exact(4, "SORT (<set>|<zset>) (ASC|DESC|ALPHA|LIMIT <index> <index>)* STORE <list>"),
    // Without a hole in the pattern, nothing is sorted.
    exact(4, "(SORT|SORT_RO) (<list>|<zset>) BY <text> (ASC|DESC|LIMIT <index> <index>|GET #)*"),
    like(2, "SORT <set> BY nosort (ASC|DESC|ALPHA)*", Equality::AnyOrder),
    exact(2, "SORT (<set>|<list>|<zset>) BY nosort (ASC|DESC|LIMIT <index> <index>)* STORE <list>"),
    // Weights.
    exact(6, "(SORT|SORT_RO) <list> BY <by> (ASC|DESC|LIMIT <index> <index>|GET #)*"),
    exact(4, "SORT <list> BY <by> ALPHA (ASC|DESC|GET #)*"),
    exact(4, "SORT <list> BY <by> ALPHA (ASC|DESC|LIMIT <index> <index>|GET <get>)*"),
    exact(4, "SORT (<set>|<zset>) BY <by> (ASC|DESC|LIMIT <index> <index>|GET #)*"),
    exact(3, "SORT (<set>|<zset>) BY <by> (ASC|DESC|LIMIT <index> <index>)* STORE <list>"),
    // What is told of elements.
    exact(6, "(SORT|SORT_RO) <list> (GET <get>)+ (DESC|ALPHA|LIMIT <index> <index>)*"),
    exact(4, "SORT (<set>|<zset>) (GET <get>)+ (DESC|LIMIT <index> <index>)*"),
    exact(4, "SORT <list> (BY <by>|GET <get>)+ LIMIT <index> <index>"),
    exact(4, "SORT (<set>|<zset>|<list>) (BY <by>|GET <get>)+ (LIMIT <index> <index>)? STORE <list>"),
    exact(1, "SORT <any> (ASC|DESC)?"),
    exact(1, "SORT <list> (LIMIT <integer> <integer>|<text>|BY|GET|STORE|LIMIT 1)+"),
    exact(2, "OBJECT ENCODING <list>"),
];
