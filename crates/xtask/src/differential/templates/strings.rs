//! Strings.

use super::{Template, exact};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(6, "APPEND <key> <text>"),
    exact(3, "DECR <counter>"),
    exact(3, "DECRBY <counter> <integer>"),
    exact(6, "GET <key>"),
    exact(3, "GETDEL <key>"),
    exact(6, "GETEX <key> (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|PERSIST)?"),
    exact(2, "GETEX <key> (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|PERSIST)*"),
    exact(4, "GETRANGE <key> <index> <index>"),
    exact(3, "GETSET <key> <text>"),
    exact(3, "INCR <counter>"),
    exact(5, "INCRBY <counter> <integer>"),
    exact(8, "INCRBYFLOAT <counter> <float>"),
    exact(6, "LCS <key> <key> (LEN|IDX|MINMATCHLEN <index>|WITHMATCHLEN)*"),
    exact(4, "LCS <key> <key> IDX (MINMATCHLEN <index>)? WITHMATCHLEN?"),
    exact(4, "MGET <key>+"),
    exact(4, "MSET (<key> <text>)+"),
    exact(4, "MSETNX (<key> <text>)+"),
    exact(2, "PSETEX <key> <ttl> <text>"),
    exact(12, "SET <key> <text>"),
    exact(6, "SET <counter> <float>"),
    exact(6, "SET <counter> <integer>"),
    exact(6, "SET <key> <text> (NX|XX)? GET? (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|KEEPTTL)?"),
    exact(4, "SET <key> <text> (NX|XX|GET|KEEPTTL|EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>)*"),
    exact(2, "SETEX <key> <ttl> <text>"),
    exact(3, "SETNX <key> <text>"),
    exact(6, "SETRANGE <key> <offset> <text>"),
    exact(3, "STRLEN <key>"),
    exact(2, "SUBSTR <key> <index> <index>"),
];
