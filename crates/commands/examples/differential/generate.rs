//! Random command streams, the same from the same seed.
//!
//! Each command is a template: literal words, placeholders such as `<key>`, groups `(A|B <integer>)` of which one
//! alternative is taken, and behind a word or group `?` (perhaps), `*` (up to three times) or `+` (one to three
//! times). Some commands are then spoilt: a word lost, doubled, exchanged or made of garbage.

use fastrand::Rng;

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
    /// Both null or both not.
    SameKind,
}

const fn exact(family: &'static str, weight: u32, words: &'static str) -> Template {
    Template { family, weight, words, equality: Equality::Exact }
}

const fn keys(weight: u32, words: &'static str, equality: Equality) -> Template {
    Template { family: "keys", weight, words, equality }
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
    // The same lifetime given twice would end later, or not, by how the clocks stand.
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
    keys(2, "RANDOMKEY", Equality::SameKind),
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
];

/// How many keys there are.
pub const KEYS_LEN: u32 = 10;
/// The last ones hold mostly numbers.
const COUNTERS_LEN: u32 = 2;

/// The name of key number `index`.
pub fn key(index: u32) -> Vec<u8> {
    format!("key:{index}").into_bytes()
}

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "10",
    "-10",
    "127",
    "128",
    "255",
    "256",
    "-128",
    "-129",
    "9999",
    "10000",
    "2147483647",
    "-2147483648",
    "4294967295",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775806",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "4611686018427387904",
    "1000000007",
];
const NOT_INTEGERS: &[&str] =
    &["", "-", "+1", " 1", "1 ", "01", "-0", "1.0", "1e3", "0x10", "abc", "#1", "nan", "\u{0}"];
const FLOATS: &[&str] = &[
    "0",
    "-0",
    "0.1",
    "0.2",
    "-0.3",
    "1.5",
    "3.0e3",
    "5.0e-3",
    "1e17",
    "1e18",
    "1e-17",
    "5e-18",
    "-5e-18",
    "1e-20",
    "1e19",
    "18446744073709551615",
    "18446744073709551616",
    "0.00000000000000001",
    "123456789.123456789",
    "1e4932",
    "1.18973149535723176502e+4932",
    "1.2e4932",
    "-1e4932",
    "1e-4940",
    "3.6e-4951",
    "1.8e-4951",
    "1e-5000",
    "1e5000",
    "inf",
    "-inf",
    "+Infinity",
    "nan",
    "NAN(1)",
    "infinit",
    "0x1.8p1",
    "0x.8",
    "0X1P-3",
    "0x",
    "0x1p",
    "0x.",
    "0x1.fffffffffffffffffp0",
    "0x1p16383",
    "0x1p16384",
    "0x1p-16445",
    "0x1p-16446",
    "1e",
    "1e+",
    ".5",
    "5.",
    ".",
    "-.5",
    "+.5e1",
    "1_000",
    "1,5",
    "1.5 ",
    " 1.5",
    "1.5\u{0}",
    "--1",
    "1e1e1",
    "1.2.3",
    "",
    "0e99999999999",
    "1e99999999999999999999",
    "0.30000000000000000001",
    "9007199254740993",
    "0x10000000000000001",
    "0x0p0",
];
/// None that passes while commands run.
const TTLS: &[&str] = &[
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775",
    "9223372036854776",
    "9223370000000000000",
    "9223372036854775808",
    "-9223372036854775808",
    "1.5",
    "",
    "abc",
    "999999999999",
];
const TYPES: &[&str] = &[
    "u1", "u2", "u7", "u8", "u9", "u16", "u31", "u32", "u62", "u63", "i1", "i2", "i3", "i8", "i16", "i33",
    "i63", "i64",
];
const NOT_TYPES: &[&str] = &["u0", "u64", "i65", "i0", "x8", "U8", "u-1", "u08", "8", "", "i"];
const PATTERNS: &[&str] =
    &["*", "**", "key:*", "key:?", "key:[0-3]", "key:[^0-3]", "[a-", "k\\ey*", "*[3-0]", "", "?????"];
const GARBAGE: &[&[u8]] =
    &[b"", b"foo", b"\x00\xff\r\n", b"GET", b"NX", b"-1", b"0", b"1e400", b"(nil)", b"KEEPTTL", b"BIT"];

/// A source of random commands.
pub struct Generator {
    random: Rng,
    templates: Vec<&'static Template>,
    weight: u32,
    now_ms: i64,
}

impl Generator {
    /// Commands of these families, as `seed` has it. Times will lie well before or well behind `now_ms`, so that
    /// nothing expires by itself. Panics if no family is known.
    pub fn new(seed: u64, families: &[&str], now_ms: i64) -> Generator {
        let templates: Vec<_> =
            TEMPLATES.iter().filter(|template| families.contains(&template.family)).collect();
        let weight = templates.iter().map(|template| template.weight).sum();
        assert!(weight > 0, "no commands of families {families:?}");
        Generator { random: Rng::with_seed(seed), templates, weight, now_ms }
    }

    /// The next command, and the template that it was made from.
    pub fn next_command(&mut self) -> (&'static Template, Vec<Vec<u8>>) {
        let mut at = self.random.u32(..self.weight);
        let mut templates = self.templates.iter();
        let template = loop {
            let template = templates.next().expect("the weights add up");
            match at.checked_sub(template.weight) {
                Some(rest) => at = rest,
                None => break *template,
            }
        };
        let mut words = Vec::new();
        self.expand(template.words, &mut words);
        if self.chance(25) {
            self.spoil(&mut words);
        }
        // What lies behind a cursor that nobody handed out, and which keys come first, is each server's own affair.
        if words[0] == b"SCAN"
            && (words.get(1).is_some_and(|cursor| cursor == b"-1") || !words.contains(&b"COUNT".to_vec()))
        {
            words.truncate(1);
        }
        if self.chance(10) {
            let word = self.random.usize(..words.len());
            words[word].make_ascii_lowercase();
        }
        (template, words)
    }

    /// True once in `one_in` times.
    fn chance(&mut self, one_in: u32) -> bool {
        self.random.u32(..one_in) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.usize(..choices.len())]
    }

    fn expand(&mut self, mut template: &str, words: &mut Vec<Vec<u8>>) {
        loop {
            template = template.trim_start();
            if template.is_empty() {
                return;
            }
            let len = item_len(template);
            let (item, rest) = template.split_at(len);
            let repeat = rest.as_bytes().first().copied().unwrap_or(b' ');
            let times = match repeat {
                b'?' => self.random.u32(..2),
                b'*' => self.random.u32(..4),
                b'+' => self.random.u32(1..4),
                _ => 1,
            };
            for _ in 0..times {
                match item.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                    Some(inner) => {
                        let choices = alternatives(inner);
                        let choice = self.pick(&choices);
                        self.expand(choice, words);
                    }
                    None => {
                        let word = self.word(item);
                        words.push(word);
                    }
                }
            }
            template = rest.trim_start_matches(['?', '*', '+']);
        }
    }

    fn word(&mut self, item: &str) -> Vec<u8> {
        match item {
            "<key>" if self.chance(40) => self.counter(),
            "<key>" => key(self.random.u32(..KEYS_LEN - COUNTERS_LEN)),
            "<counter>" if self.chance(8) => key(self.random.u32(..KEYS_LEN)),
            "<counter>" => self.counter(),
            "<text>" => self.text(),
            "<integer>" => self.integer(),
            "<float>" => self.float(),
            "<index>" => match self.random.u32(..20) {
                0 => self.integer(),
                1..8 => self.random.i32(-150..150).to_string().into_bytes(),
                _ => self.random.i32(-12..12).to_string().into_bytes(),
            },
            "<offset>" => match self.random.u32(..60) {
                0 => self.integer(),
                1 => self.random.u32(1_048_500..1_048_600).to_string().into_bytes(),
                _ => self.random.u32(..80).to_string().into_bytes(),
            },
            "<field_offset>" if self.chance(4) => format!("#{}", self.random.u32(..20)).into_bytes(),
            "<field_offset>" if self.chance(80) => format!("#{}", self.pick(INTEGERS)).into_bytes(),
            "<bit_offset>" | "<field_offset>" => match self.random.u32(..80) {
                0..2 => self.integer(),
                2 => self.random.u32(8_388_540..8_388_620).to_string().into_bytes(),
                _ => self.random.u32(..300).to_string().into_bytes(),
            },
            "<type>" if self.chance(50) => self.pick(NOT_TYPES).into(),
            "<type>" if self.chance(2) => {
                format!("{}{}", self.pick(&["u", "i"]), self.random.u32(1..64)).into()
            }
            "<type>" => self.pick(TYPES).into(),
            "<ttl>" if self.chance(15) => self.pick(TTLS).into(),
            "<ttl>" => self.random.u32(1_000_000..2_000_000).to_string().into_bytes(),
            "<lifetime>" if self.chance(4) => self.pick(TTLS).into(),
            "<lifetime>" | "<distinct>" => self.random.u32(1_000_000..2_000_000).to_string().into_bytes(),
            "<database>" if self.chance(8) => self.integer(),
            "<database>" => self.random.u32(..3).to_string().into_bytes(),
            "<pattern>" => self.pick(PATTERNS).into(),
            "<time_s>" if self.chance(15) => self.integer(),
            "<time_s>" => self.time_ms(1000).to_string().into_bytes(),
            "<time_ms>" if self.chance(15) => self.integer(),
            "<time_ms>" => self.time_ms(1).to_string().into_bytes(),
            literal => literal.as_bytes().to_vec(),
        }
    }

    fn counter(&mut self) -> Vec<u8> {
        key(self.random.u32(KEYS_LEN - COUNTERS_LEN..KEYS_LEN))
    }

    /// A time that has long passed, or is long to come, in units of `unit_ms`.
    fn time_ms(&mut self, unit_ms: i64) -> i64 {
        let distance_ms = self.random.i64(1_000_000..10_000_000);
        (self.now_ms + if self.chance(4) { -distance_ms } else { distance_ms }) / unit_ms
    }

    fn integer(&mut self) -> Vec<u8> {
        match self.random.u32(..10) {
            0 => self.pick(NOT_INTEGERS).into(),
            1..5 => self.pick(INTEGERS).into(),
            5 => (self.random.i64(..) >> self.random.u32(..64)).to_string().into_bytes(),
            _ => self.random.i32(-100..100).to_string().into_bytes(),
        }
    }

    fn float(&mut self) -> Vec<u8> {
        let sign = self.pick(&["", "", "-"]);
        match self.random.u32(..12) {
            0..3 => self.pick(FLOATS).into(),
            3 => self.integer(),
            4 => format!("{sign}{}", f64::from_bits(self.random.u64(..))).into_bytes(),
            5 => format!("{sign}{:e}", f64::from_bits(self.random.u64(..))).into_bytes(),
            6 => format!("{sign}{}.{}e{}", self.digits(30), self.digits(30), self.random.i32(-40..40))
                .into_bytes(),
            7 => format!("{sign}{}.{}e{}", self.digits(9), self.digits(9), self.random.i32(-5000..5000))
                .into_bytes(),
            8 => format!(
                "{sign}0x{:x}.{:x}p{}",
                self.random.u64(..),
                self.random.u64(..),
                self.random.i32(-90..90)
            )
            .into_bytes(),
            _ => format!("{sign}{}.{}", self.digits(7), self.digits(9)).into_bytes(),
        }
    }

    fn digits(&mut self, most: usize) -> String {
        (0..self.random.usize(1..=most)).map(|_| self.random.digit(10)).collect()
    }

    fn text(&mut self) -> Vec<u8> {
        match self.random.u32(..24) {
            0..3 => self.integer(),
            3 => self.float(),
            4 => Vec::new(),
            5..10 => {
                let len = self.random.usize(..100);
                (0..len).map(|_| self.random.u8(..)).collect()
            }
            10..14 => {
                let len = self.random.usize(..80);
                vec![self.pick(&[0, 0xff, b'a', 0x80, 1]); len]
            }
            14 if self.chance(4) => {
                let len = self.random.usize(400..700);
                (0..len).map(|_| self.random.u8(b'a'..b'e')).collect()
            }
            _ => {
                let len = self.random.usize(..40);
                (0..len).map(|_| self.random.u8(b'a'..b'e')).collect()
            }
        }
    }

    fn spoil(&mut self, words: &mut Vec<Vec<u8>>) {
        // The name stays, so that the command is known.
        let at = self.random.usize(1..=words.len());
        let garbage = self.pick(GARBAGE).to_vec();
        match self.random.u32(..4) {
            0 => words.insert(at, garbage),
            _ if at == words.len() => words.push(garbage),
            1 => drop(words.remove(at)),
            2 => words.insert(at, words[at].clone()),
            _ => words[at] = garbage,
        }
    }
}

/// The length of the first word or group.
fn item_len(template: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in template.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b' ' | b'?' | b'*' | b'+' if depth == 0 => return at,
            _ => {}
        }
    }
    template.len()
}

/// The alternatives of a group.
fn alternatives(inner: &str) -> Vec<&str> {
    let (mut choices, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'|' if depth == 0 => {
                choices.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    choices.push(&inner[start..]);
    choices
}
