//! Any keys.

use super::{Equality, Template, exact, like};

/// Commands of this family.
pub const TEMPLATES: &[Template] = &[
    exact(20, "SET <key> <text>"),
    exact(6, "COPY <key> <key> REPLACE?"),
    exact(4, "COPY <key> <key> (REPLACE|DB <database>)*"),
    exact(4, "DEL <key>+"),
    exact(4, "EXISTS <key>+"),
    exact(4, "EXPIRE <key> <lifetime> (NX|XX)?"),
    exact(4, "PEXPIRE <key> <lifetime> (NX|XX)?"),
    exact(4, "EXPIREAT <key> <time_s> (NX|XX|GT|LT)?"),
    exact(4, "PEXPIREAT <key> <time_ms> (NX|XX|GT|LT)?"),
    // A lifetime close to one given before would end later, or not, by how the clocks stand.
    exact(4, "(EXPIRE|PEXPIRE) <key> <distinct> (GT|LT)"),
    exact(4, "(EXPIRE|PEXPIRE) <key> <distinct> (NX|XX|GT|LT|<text>)*"),
    like(3, "TTL <key>", Equality::Within(1)),
    like(3, "EXPIRETIME <key>", Equality::Within(1)),
    like(3, "(PTTL|PEXPIRETIME) <key>", Equality::Within(1000)),
    exact(4, "PERSIST <key>"),
    like(4, "KEYS <pattern>", Equality::AnyOrder),
    exact(4, "MOVE <key> <database>"),
    exact(4, "OBJECT (ENCODING|FREQ) <key>"),
    // Redis shares small integers among keys, and with them the time of their last use.
    like(2, "OBJECT IDLETIME <key>", Equality::Within(i64::MAX)),
    like(2, "RANDOMKEY", Equality::RandomKey),
    exact(6, "(RENAME|RENAMENX) <key> <key>"),
    like(4, "SCAN 0 (COUNT 1000|MATCH <pattern>|TYPE (string|hash))* COUNT 1000", Equality::AnyOrder),
    like(1, "SCAN (|+0|-0|x|99999999999999999999) COUNT (1000|0|-1|x)", Equality::AnyOrder),
    exact(3, "TOUCH <key>+"),
    exact(3, "TYPE <key>"),
    exact(3, "UNLINK <key>+"),
    // Keys past their time count until they are found, which each server does in its own time.
    like(3, "DBSIZE", Equality::Within(3)),
    exact(1, "(FLUSHDB|FLUSHALL) (SYNC|ASYNC)?"),
    exact(3, "SWAPDB <database> <database>"),
];
