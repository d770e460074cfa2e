//! Random command streams, the same from the same seed.
//!
//! Each command is a template: literal words, placeholders such as `<key>`, groups `(A|B <integer>)` of which one
//! alternative is taken, and behind a word or group `?` (perhaps), `*` (up to three times) or `+` (one to three
//! times). Some commands are then spoilt: a word lost, doubled, exchanged or made of garbage.

use super::templates::{self, FAMILIES, Template};
use super::words::{
    FLOATS, GARBAGE, INTEGERS, NOT_INTEGERS, NOT_TYPES, PATTERNS, TOLD, TTLS, TYPES, UNKNOWN, WEIGHTS,
};
use fastrand::Rng;
use tessera_command::cursor;
use tessera_resp::number::parse_i64;
use tessera_values::hyperloglog::{self, HyperLogLogMut};

/// Names that a careless reader of bytes, patterns or hash tags would get wrong.
const ODD_KEYS: &[&[u8]] =
    &[b"", b"\x00\xff\r\n$-1", b"{tag}one", b"two{tag}", b"{}", b"key:*", b"a name with spaces \"' \\"];
/// How many keys there are for strings.
const STRINGS_LEN: u32 = ODD_KEYS.len() as u32 + 10;
/// The last ones of those hold mostly numbers.
const COUNTERS_LEN: u32 = 2;
/// Types that have keys of their own, which hold mostly values of that type, and their placeholders.
const TYPED: &[(&str, &str)] = &[
    ("<list>", "list"),
    ("<hash>", "hash"),
    ("<set>", "set"),
    ("<zset>", "zset"),
    ("<hll>", "hll"),
    ("<geo>", "geo"),
];
/// How many keys each of them has.
const TYPED_LEN: u32 = 5;
/// How many keys there are in all.
pub const KEYS_LEN: u32 = STRINGS_LEN + TYPED.len() as u32 * TYPED_LEN;

/// The name of key number `index`.
pub fn key(index: u32) -> Vec<u8> {
    match ODD_KEYS.get(index as usize) {
        Some(odd) => odd.to_vec(),
        None if index < STRINGS_LEN => format!("key:{}", index - ODD_KEYS.len() as u32).into_bytes(),
        None => {
            let (kind, number) = ((index - STRINGS_LEN) / TYPED_LEN, (index - STRINGS_LEN) % TYPED_LEN);
            format!("{}:{number}", TYPED[kind as usize].1).into_bytes()
        }
    }
}

/// More fields than a hash has.
const ALL_FIELDS: i64 = 100_000;

const BIG_MAX_LEN_BYTES: usize = 1024 * 1024;

/// A source of random commands.
pub struct Generator {
    pub(super) random: Rng,
    /// With the families they belong to.
    templates: Vec<(&'static str, &'static Template)>,
    weight: u32,
    now_ms: i64,
}

impl Generator {
    /// Commands of these families, as `seed` has it. Times will lie well before or well behind `now_ms`, so that
    /// nothing expires by itself. Panics if no family is known.
    pub fn new(seed: u64, families: &[&str], now_ms: i64) -> Generator {
        let known = FAMILIES.iter().filter(|(name, _)| families.contains(name));
        let templates: Vec<_> =
            known.flat_map(|(name, all)| all.iter().map(|template| (*name, template))).collect();
        let weight = templates.iter().map(|(_, template)| template.weight).sum();
        assert!(weight > 0, "no commands of families {families:?}");
        Generator { random: Rng::with_seed(seed), templates, weight, now_ms }
    }

    /// The next command, with its family and the template that it was made from.
    pub fn next_command(&mut self) -> (&'static str, &'static Template, Vec<Vec<u8>>) {
        let mut at = self.random.u32(..self.weight);
        let mut templates = self.templates.iter();
        let (family, template) = loop {
            let (family, template) = *templates.next().expect("the weights add up");
            match at.checked_sub(template.weight) {
                Some(rest) => at = rest,
                None => break (family, template),
            }
        };
        let mut words = Vec::new();
        self.expand(template.words, &mut words);
        if self.chance(25) && !templates::sorted_sets::must_stay(template.words) {
            self.spoil(&mut words);
        }
        // Nor can it be compared what chance draws: templates leave it no choice, but a mistake may have taken that
        // away.
        let is_drawn = words[0] == b"SPOP" || words[0] == b"SRANDMEMBER";
        if is_drawn && (words.len() == 2 || words.get(2).is_some_and(|count| count == b"-1")) {
            words.truncate(1);
        }
        // What lies behind a cursor that nobody handed out is each server's own affair.
        let cursor = match words[0].as_slice() {
            b"SCAN" => words.get(1),
            b"HSCAN" | b"SSCAN" | b"ZSCAN" => words.get(2),
            _ => None,
        };
        let is_made_up =
            |cursor: &Vec<u8>| cursor == b"-1" || cursor::parse(cursor).is_some_and(|cursor| cursor != 0);
        if cursor.is_some_and(is_made_up) {
            words.truncate(1);
        }
        // Redis has commands that are not built.
        if words.len() == 1 && words[0].eq_ignore_ascii_case(b"COMMAND") {
            words.push(UNKNOWN[0].to_vec());
        }
        if waits(&words) || draws_some_fields(&words) || scans_some_fields(&words) {
            words.truncate(1);
        }
        if self.chance(10) {
            let word = self.random.usize(..words.len());
            words[word].make_ascii_lowercase();
        }
        (family, template, words)
    }

    /// True once in `one_in` times.
    pub fn chance(&mut self, one_in: u32) -> bool {
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
            "<key>" if self.chance(20) => key(self.random.u32(..KEYS_LEN)),
            "<key>" => key(self.random.u32(..STRINGS_LEN - COUNTERS_LEN)),
            "<any>" => key(self.random.u32(..KEYS_LEN)),
            "<counter>" if self.chance(8) => key(self.random.u32(..STRINGS_LEN)),
            "<counter>" => self.counter(),
            "<text>" => self.text(),
            "<member>" => self.member(),
            "<score>" => self.score(),
            "<element>" => format!("{:x}", self.random.u32(..5000)).into_bytes(),
            "<log>" => self.hyperloglog(),
            "<longitude>" => {
                self.coordinate(&["180", "-180", "180.1", "13.361389", "15.087269", "2.2944692"], 185.0)
            }
            "<latitude>" => self
                .coordinate(&["85.05112878", "-85.05112878", "85.06", "38.115556", "37.502669", "89"], 87.0),
            "<length>" => match self.random.u32(..30) {
                0 => self.float(),
                1 => self.pick(&["0", "-1", "inf", "1e300", "20037726.37", "1e-300", "abc"]).into(),
                _ => format!("{}", 10f64.powf(self.random.f64() * 8.0)).into_bytes(),
            },
            "<score_bound>" => self.score_bound(),
            "<lex_bound>" => self.lex_bound(),
            "<integer>" => self.integer(),
            "<float>" => self.float(),
            "<by>" => self.pick(WEIGHTS).into(),
            "<get>" => self.pick(TOLD).into(),
            "<index>" => self.index(),
            "<offset>" => self.offset(),
            "<field_offset>" if self.chance(4) => format!("#{}", self.random.u32(..20)).into_bytes(),
            "<field_offset>" if self.chance(80) => format!("#{}", self.pick(INTEGERS)).into_bytes(),
            "<bit_offset>" | "<field_offset>" => self.bit_offset(),
            "<type>" if self.chance(50) => self.pick(NOT_TYPES).into(),
            "<type>" if self.chance(2) => {
                format!("{}{}", self.pick(&["u", "i"]), self.random.u32(1..64)).into()
            }
            "<type>" => self.pick(TYPES).into(),
            "<ttl>" if self.chance(15) => self.pick(TTLS).into(),
            "<ttl>" => self.random.u32(1_000_000..2_000_000).to_string().into_bytes(),
            "<lifetime>" if self.chance(4) => self.pick(TTLS).into(),
            "<distinct>" => self.random.u32(1_000_000_000..2_000_000_000).to_string().into_bytes(),
            "<unknown>" => self.pick(UNKNOWN).into(),
            "<big>" => self.big(),
            "<name>" => {
                self.pick(&["", "a", "worker-7", "with space", "line\nbreak", "caf\u{e9}", "x y"]).into()
            }
            "<lifetime>" => self.random.u32(1_000_000..2_000_000).to_string().into_bytes(),
            "<database>" if self.chance(8) => self.integer(),
            "<database>" => self.random.u32(..3).to_string().into_bytes(),
            "<pattern>" => self.pick(PATTERNS).into(),
            "<time_s>" if self.chance(15) => self.integer(),
            "<time_s>" => self.time_ms(1000).to_string().into_bytes(),
            "<time_ms>" if self.chance(15) => self.integer(),
            "<time_ms>" => self.time_ms(1).to_string().into_bytes(),
            literal => match TYPED.iter().position(|(placeholder, _)| *placeholder == literal) {
                Some(_) if self.chance(40) => key(self.random.u32(..KEYS_LEN)),
                Some(kind) => key(STRINGS_LEN + kind as u32 * TYPED_LEN + self.random.u32(..TYPED_LEN)),
                None => literal.as_bytes().to_vec(),
            },
        }
    }

    /// Where in a list: mostly where there is something, from either end.
    fn index(&mut self) -> Vec<u8> {
        match self.random.u32(..20) {
            0 => self.integer(),
            1..8 => self.random.i32(-150..150).to_string().into_bytes(),
            _ => self.random.i32(-12..12).to_string().into_bytes(),
        }
    }

    /// Where in a string, in bytes. A few are just around 1 MiB.
    fn offset(&mut self) -> Vec<u8> {
        match self.random.u32(..60) {
            0 => self.integer(),
            1 => self.random.u32(1_048_500..1_048_600).to_string().into_bytes(),
            _ => self.random.u32(..80).to_string().into_bytes(),
        }
    }

    /// Where in a string, in bits. A few are just around 1 MiB.
    fn bit_offset(&mut self) -> Vec<u8> {
        match self.random.u32(..80) {
            0..2 => self.integer(),
            2 => self.random.u32(8_388_540..8_388_620).to_string().into_bytes(),
            _ => self.random.u32(..300).to_string().into_bytes(),
        }
    }

    /// An element of a collection: mostly one of a few, so that commands meet again what others left.
    fn member(&mut self) -> Vec<u8> {
        match self.random.u32(..40) {
            0 => self.integer(),
            1 => self.text(),
            2 => vec![b'l'; self.random.usize(60..70)],
            3..8 => self.random.i32(-20..20).to_string().into_bytes(),
            8..12 => self.random.u32(..400).to_string().into_bytes(),
            12..16 => format!("m{}", self.random.u32(..200)).into_bytes(),
            16..22 => self.pick(&["a", "b", "c", "aa", "ab", "", "A"]).into(),
            _ => format!("member:{}", self.random.u32(..16)).into_bytes(),
        }
    }

    /// A score of a sorted set. Few need more digits than Redis 7.0 and 7.2 print alike.
    fn score(&mut self) -> Vec<u8> {
        match self.random.u32(..40) {
            0 => self.float(),
            1 => self.integer(),
            2 => self
                .pick(&["inf", "-inf", "+inf", "Infinity", "-0", "0", "1e300", "-1e300", "nan", "1e17"])
                .into(),
            3..8 => {
                format!("{}.{}", self.random.i32(-9..9), self.pick(&["5", "25", "75", "125"])).into_bytes()
            }
            8..12 => self.random.i32(-100_000..100_000).to_string().into_bytes(),
            _ => self.random.i32(-8..8).to_string().into_bytes(),
        }
    }

    /// A coordinate: often one that others have as well, so that distances are equal.
    fn coordinate(&mut self, special: &[&str], max: f64) -> Vec<u8> {
        match self.random.u32(..40) {
            0 => self.float(),
            1..10 => self.pick(special).into(),
            10..20 => self.random.i32(-2..2).to_string().into_bytes(),
            20..30 => format!("{:.3}", self.random.f64() * 4.0).into_bytes(),
            _ => ((self.random.f64() * 2.0 - 1.0) * max).to_string().into_bytes(),
        }
    }

    /// The bytes of a HyperLogLog, mostly damaged.
    fn hyperloglog(&mut self) -> Vec<u8> {
        let mut bytes = hyperloglog::empty();
        let mut log = HyperLogLogMut::new(&mut bytes).expect("an empty one is one");
        for _ in 0..self.random.usize(16..200) {
            let element = self.random.u32(..).to_le_bytes();
            log.add(&element, u64::MAX).expect("it is sound");
        }
        if self.chance(6) {
            log.make_dense().expect("it is sound");
        }
        if self.chance(4) {
            log.cache_estimate(self.random.u64(..) >> self.random.u32(..64));
        }
        for _ in 0..self.random.u32(..3) {
            let at = self.random.usize(..bytes.len());
            match self.random.u32(..4) {
                0 => bytes.insert(at, self.random.u8(..)),
                1 => drop(bytes.remove(at)),
                2 => bytes[at] = self.random.u8(..),
                // Redis reads on behind the end if the last byte is the first of two; what is there is its own affair.
                _ => bytes.extend(std::iter::repeat_n(self.random.u8(128..), self.random.usize(..6))),
            }
        }
        bytes
    }

    /// An end of a range of scores.
    fn score_bound(&mut self) -> Vec<u8> {
        match self.random.u32(..30) {
            0 => self
                .pick(&["(", "", "(inf", "(-inf", " 1", "1 ", "1e400", "(nan", "((1", "[1", "0x10", "1\0x"])
                .into(),
            1..6 => self.pick(&["-inf", "+inf", "inf"]).into(),
            6..12 => [b"(".to_vec(), self.score()].concat(),
            _ => self.score(),
        }
    }

    /// An end of a range of members.
    fn lex_bound(&mut self) -> Vec<u8> {
        match self.random.u32(..30) {
            0 => self.pick(&["", "a", "++", "(", "[", "inf", "(+", "[-", "+\0x", "-\0"]).into(),
            1..6 => b"-".to_vec(),
            6..11 => b"+".to_vec(),
            11..18 => [b"(".to_vec(), self.member()].concat(),
            _ => [b"[".to_vec(), self.member()].concat(),
        }
    }

    fn counter(&mut self) -> Vec<u8> {
        key(self.random.u32(STRINGS_LEN - COUNTERS_LEN..STRINGS_LEN))
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

    /// Mostly a few times what one read takes in, sometimes as long as a word may be.
    fn big(&mut self) -> Vec<u8> {
        let len = match self.random.u32(..20) {
            0 => BIG_MAX_LEN_BYTES,
            1..4 => self.random.usize(..=BIG_MAX_LEN_BYTES),
            _ => self.random.usize(8_000..80_000),
        };
        let period = self.random.usize(1..300);
        let unit: Vec<u8> = (0..period).map(|_| self.random.u8(..)).collect();
        unit.into_iter().cycle().take(len).collect()
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

/// Whether a blocking command would wait for longer than a few milliseconds, as such that were spoilt may.
fn waits(words: &[Vec<u8>]) -> bool {
    let timeout = match words[0].as_slice() {
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BZPOPMIN" | b"BZPOPMAX" => words.last(),
        b"BLMPOP" | b"BZMPOP" => words.get(1),
        _ => return false,
    };
    let seconds = timeout.and_then(|word| str::from_utf8(word).ok()?.parse::<f64>().ok());
    // Less than a millisecond below 0 is 0, and that is without end.
    seconds.is_some_and(|seconds| seconds > -0.0015 && seconds <= 0.0 || seconds > 0.01 && seconds < 9e15)
}

/// Which fields of a hash it answers is left to chance.
fn draws_some_fields(words: &[Vec<u8>]) -> bool {
    let is_all = |count: &Vec<u8>| {
        parse_i64(count).is_none_or(|count| count == 0 || count == i64::MIN || count >= ALL_FIELDS)
    };
    words[0] == b"HRANDFIELD" && !words.get(2).is_some_and(is_all)
}

/// Which fields of a hash it answers is each server's own affair.
fn scans_some_fields(words: &[Vec<u8>]) -> bool {
    words[0] == b"HSCAN" && !words.iter().any(|word| word == b"COUNT")
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
