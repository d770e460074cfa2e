//! The commands that are generated.

/// One command of a family.
pub struct Template {
    /// Which family it belongs to.
    pub family: &'static str,
    /// How often it comes, compared with others.
    pub weight: u32,
    /// Its words; see the module's documentation.
    pub words: &'static str,
    /// When two replies count as equal.
    pub equality: Equality,
}

/// When two replies count as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// To the byte.
    Exact,
    /// Integers that differ by at most this: for times that pass between two servers.
    Within(i64),
    /// Arrays of the same elements, in arrays as well.
    AnyOrder,
    /// Both null, or each an element of what the KEYS just before answered on its side.
    RandomKey,
    /// Maps or arrays of pairs that agree but in the version and the client's number.
    Hello,
}

const fn exact(family: &'static str, weight: u32, words: &'static str) -> Template {
    Template { family, weight, words, equality: Equality::Exact }
}

const fn keys(weight: u32, words: &'static str, equality: Equality) -> Template {
    Template { family: "keys", weight, words, equality }
}

const fn session(weight: u32, words: &'static str, equality: Equality) -> Template {
    Template { family: "session", weight, words, equality }
}

/// All there is.
pub const TEMPLATES: &[Template] = &[
    exact("strings", 6, "APPEND <key> <text>"),
    exact("strings", 3, "DECR <counter>"),
    exact("strings", 3, "DECRBY <counter> <integer>"),
    exact("strings", 6, "GET <key>"),
    exact("strings", 3, "GETDEL <key>"),
    exact("strings", 6, "GETEX <key> (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|PERSIST)?"),
    exact("strings", 2, "GETEX <key> (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|PERSIST)*"),
    exact("strings", 4, "GETRANGE <key> <index> <index>"),
    exact("strings", 3, "GETSET <key> <text>"),
    exact("strings", 3, "INCR <counter>"),
    exact("strings", 5, "INCRBY <counter> <integer>"),
    exact("strings", 8, "INCRBYFLOAT <counter> <float>"),
    exact("strings", 6, "LCS <key> <key> (LEN|IDX|MINMATCHLEN <index>|WITHMATCHLEN)*"),
    exact("strings", 4, "LCS <key> <key> IDX (MINMATCHLEN <index>)? WITHMATCHLEN?"),
    exact("strings", 4, "MGET <key>+"),
    exact("strings", 4, "MSET (<key> <text>)+"),
    exact("strings", 4, "MSETNX (<key> <text>)+"),
    exact("strings", 2, "PSETEX <key> <ttl> <text>"),
    exact("strings", 12, "SET <key> <text>"),
    exact("strings", 6, "SET <counter> <float>"),
    exact("strings", 6, "SET <counter> <integer>"),
    exact(
        "strings",
        6,
        "SET <key> <text> (NX|XX)? GET? (EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>|KEEPTTL)?",
    ),
    exact(
        "strings",
        4,
        "SET <key> <text> (NX|XX|GET|KEEPTTL|EX <ttl>|PX <ttl>|EXAT <time_s>|PXAT <time_ms>)*",
    ),
    exact("strings", 2, "SETEX <key> <ttl> <text>"),
    exact("strings", 3, "SETNX <key> <text>"),
    exact("strings", 6, "SETRANGE <key> <offset> <text>"),
    exact("strings", 3, "STRLEN <key>"),
    exact("strings", 2, "SUBSTR <key> <index> <index>"),
    exact("bitmaps", 3, "BITCOUNT <key>"),
    exact("bitmaps", 6, "BITCOUNT <key> <index> <index> (BYTE|BIT)?"),
    exact("bitmaps", 1, "BITCOUNT <key> <index>* (BYTE|BIT)?"),
    exact(
        "bitmaps",
        10,
        "BITFIELD <key> (GET <type> <field_offset>|(OVERFLOW (WRAP|SAT|FAIL))? (SET|INCRBY) <type> <field_offset> <integer>)+",
    ),
    exact("bitmaps", 4, "BITFIELD <key> (OVERFLOW (WRAP|SAT|FAIL)|INCRBY <type> <field_offset> <index>)*"),
    exact("bitmaps", 3, "BITFIELD <key> (GET <type> <field_offset>)*"),
    exact("bitmaps", 3, "BITFIELD_RO <key> (GET <type> <field_offset>)*"),
    exact("bitmaps", 1, "BITFIELD_RO <key> (GET <type> <field_offset>|SET <type> <field_offset> <integer>)+"),
    exact("bitmaps", 6, "BITOP (AND|OR|XOR) <key> <key>+"),
    exact("bitmaps", 2, "BITOP (NOT|AND) <key> <key>"),
    exact("bitmaps", 1, "BITOP (NOT|AND|NAND|<text>) <key> <key>+"),
    exact("bitmaps", 3, "BITPOS <key> (0|1)"),
    exact("bitmaps", 8, "BITPOS <key> (0|1) <index>? <index>? (BYTE|BIT)?"),
    exact("bitmaps", 4, "BITPOS <key> (0|1) <index> <index> (BYTE|BIT)?"),
    exact("bitmaps", 1, "BITPOS <key> <integer> <index>*"),
    exact("bitmaps", 3, "GETBIT <key> <bit_offset>"),
    exact("bitmaps", 6, "SETBIT <key> <bit_offset> (0|1)"),
    exact("bitmaps", 1, "SETBIT <key> <bit_offset> <integer>"),
    exact("keys", 20, "SET <key> <text>"),
    exact("keys", 6, "COPY <key> <key> REPLACE?"),
    exact("keys", 4, "COPY <key> <key> (REPLACE|DB <database>)*"),
    exact("keys", 4, "DEL <key>+"),
    exact("keys", 4, "EXISTS <key>+"),
    exact("keys", 4, "EXPIRE <key> <lifetime> (NX|XX)?"),
    exact("keys", 4, "PEXPIRE <key> <lifetime> (NX|XX)?"),
    exact("keys", 4, "EXPIREAT <key> <time_s> (NX|XX|GT|LT)?"),
    exact("keys", 4, "PEXPIREAT <key> <time_ms> (NX|XX|GT|LT)?"),
    // A lifetime close to one given before would end later, or not, by how the clocks stand.
    exact("keys", 4, "(EXPIRE|PEXPIRE) <key> <distinct> (GT|LT)"),
    exact("keys", 4, "(EXPIRE|PEXPIRE) <key> <distinct> (NX|XX|GT|LT|<text>)*"),
    keys(3, "TTL <key>", Equality::Within(1)),
    keys(3, "EXPIRETIME <key>", Equality::Within(1)),
    keys(3, "(PTTL|PEXPIRETIME) <key>", Equality::Within(1000)),
    exact("keys", 4, "PERSIST <key>"),
    keys(4, "KEYS <pattern>", Equality::AnyOrder),
    exact("keys", 4, "MOVE <key> <database>"),
    exact("keys", 4, "OBJECT (ENCODING|FREQ) <key>"),
    // Redis shares small integers among keys, and with them the time of their last use.
    keys(2, "OBJECT IDLETIME <key>", Equality::Within(i64::MAX)),
    keys(2, "RANDOMKEY", Equality::RandomKey),
    exact("keys", 6, "(RENAME|RENAMENX) <key> <key>"),
    keys(4, "SCAN 0 (COUNT 1000|MATCH <pattern>|TYPE (string|hash))* COUNT 1000", Equality::AnyOrder),
    keys(1, "SCAN (|+0|-0|x|99999999999999999999) COUNT (1000|0|-1|x)", Equality::AnyOrder),
    exact("keys", 3, "TOUCH <key>+"),
    exact("keys", 3, "TYPE <key>"),
    exact("keys", 3, "UNLINK <key>+"),
    // Keys past their time count until they are found, which each server does in its own time.
    keys(3, "DBSIZE", Equality::Within(3)),
    exact("keys", 1, "(FLUSHDB|FLUSHALL) (SYNC|ASYNC)?"),
    exact("keys", 3, "SWAPDB <database> <database>"),
    exact("big", 2, "SET <key> <big>"),
    exact("big", 1, "APPEND <key> <big>"),
    exact("big", 1, "MSET (<key> <big>)+"),
    exact("big", 1, "GETSET <key> <big>"),
    exact("big", 3, "STRLEN <key>"),
    exact("big", 2, "GETRANGE <key> <offset> <integer>"),
    exact("big", 3, "MGET <key>+"),
    exact("big", 3, "UNLINK <key>+"),
    exact("session", 6, "PING <text>?"),
    exact("session", 4, "ECHO <text>"),
    exact("session", 8, "SELECT <database>"),
    exact("session", 3, "CLIENT SETNAME <name>"),
    exact("session", 3, "CLIENT GETNAME"),
    exact("session", 1, "CLIENT NO-EVICT (ON|OFF)"),
    exact("session", 6, "<unknown> <text>*"),
    exact("session", 1, "(CLIENT|OBJECT|CONFIG|COMMAND) <unknown> <text>*"),
    exact("session", 1, "CONFIG GET (databases|proto-max-bulk-len|timeout|maxclient?|<unknown>)"),
    exact("session", 1, "RESET"),
    session(4, "HELLO", Equality::Hello),
    session(2, "HELLO (2|3) SETNAME <name>", Equality::Hello),
    session(1, "HELLO <integer>", Equality::Hello),
];
