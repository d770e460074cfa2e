//! Sets.

use super::{Equality, Template, exact, like};

/// Commands of this family. What is drawn by chance is asked for only where there is no choice.
pub const TEMPLATES: &[Template] = &[
    exact(20, "SADD <set> <member>+"),
    exact(6, "SADD <set> (<member> <member>)+ (<member> <member> <member>)* (<member> <member> <member>)*"),
    // So many that the set outgrows the encodings of small ones.
    exact(2, "SADD <set> ((<member> <member> <member> <member> <member> <member> <member>)+ <member>)+"),
    exact(2, "SADD <set> ((<index> <index> <index> <index> <index> <index> <index>)+ <index>)+"),
    exact(4, "SADD <set> <index>+"),
    exact(4, "SADD <any> <member>"),
    exact(6, "SREM <set> <member>+"),
    exact(4, "SREM <set> (<member> <member> <member>)+ (<member> <member> <member>)+"),
    exact(3, "SCARD <set>"),
    exact(6, "SISMEMBER <set> <member>"),
    exact(4, "SMISMEMBER <set> <member>+"),
    like(4, "SMEMBERS <set>", Equality::AnyOrder),
    exact(8, "SMOVE <set> <set> <member>"),
    like(3, "SPOP <set> (0|1000000|9223372036854775807)", Equality::AnyOrder),
    exact(1, "SPOP <set> (-1|-9223372036854775808|9223372036854775808|x|0 0)"),
    like(2, "SRANDMEMBER <set> (0|1000000|9223372036854775807)", Equality::AnyOrder),
    exact(1, "SRANDMEMBER <set> (-9223372036854775808|9223372036854775808|x|0 0)"),
    like(6, "(SINTER|SUNION|SDIFF) <set>+", Equality::AnyOrder),
    exact(8, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) <set> <set>+"),
    like(2, "(SINTER|SUNION|SDIFF) <any>+", Equality::AnyOrder),
    exact(2, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) <any> <set>+"),
    exact(4, "SINTERCARD (1 <set>|2 <set> <set>|3 <set> <set> <set>) (LIMIT (0|1|2|3|100))?"),
    exact(2, "SINTERCARD <index> <set>+ (LIMIT <integer>|<text>)*"),
    like(4, "SSCAN <set> 0 (COUNT 1000000|MATCH <pattern>)* COUNT 1000000", Equality::AnyOrder),
    exact(1, "SSCAN <set> (x|-|99999999999999999999) (COUNT (0|-1|x))*"),
    exact(1, "SSCAN <set> 0 (COUNT (0|-1|x)|MATCH|<text>)+"),
    exact(2, "(EXPIRE <set> <ttl>|PERSIST <set>|DEL <set>|RENAME <set> <set>|COPY <set> <set>)"),
    exact(1, "SET <set> <text>"),
    exact(2, "OBJECT ENCODING <set>"),
];
