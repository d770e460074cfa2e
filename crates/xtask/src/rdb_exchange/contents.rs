//! Keys with values of every type in every encoding.

use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use tessera_storage::rdb::KeyFacts;
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::listpack::Element;
use tessera_values::{Collection, Digits, Hash, List, Set, SortedSet, StringValue, Thresholds, Value};

/// Far enough in the future, in Unix milliseconds: the year 2100.
const LATER_MS: i64 = 4_102_444_800_000;

/// A key of the file.
pub struct Entry {
    /// The number of its database.
    pub db: u16,
    /// The key.
    pub key: Vec<u8>,
    /// What it holds.
    pub value: Value,
    /// What else is written of it.
    pub facts: KeyFacts,
}

impl Entry {
    /// Its time was over long ago: no server keeps it.
    pub fn is_expired(&self) -> bool {
        self.facts.expire_at_ms.is_some_and(|at_ms| at_ms < LATER_MS)
    }
}

/// What a value consists of, however it is kept.
#[derive(Debug, PartialEq)]
pub enum Contents {
    /// A string.
    String(Vec<u8>),
    /// Elements in their order.
    List(Vec<Vec<u8>>),
    /// Members.
    Set(BTreeSet<Vec<u8>>),
    /// Fields and values.
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    /// Members with the bits of their scores, in their order.
    SortedSet(Vec<(Vec<u8>, u64)>),
}

impl Contents {
    /// Those of a value.
    pub fn of(value: &Value) -> Contents {
        match value {
            Value::String(string) => Contents::String(string.as_ref().as_bytes(&mut Digits::new()).to_vec()),
            Value::List(list) => Contents::List(list.as_ref().iter().map(Element::to_vec).collect()),
            Value::Set(set) => Contents::Set(set.as_ref().iter().map(Element::to_vec).collect()),
            Value::Hash(hash) => {
                let pairs =
                    hash.as_ref().iter(i64::MIN).map(|(field, value)| (field.to_vec(), value.to_vec()));
                Contents::Hash(pairs.collect())
            }
            Value::SortedSet(set) => Contents::SortedSet(
                set.as_ref().iter().map(|(member, score)| (member.to_vec(), score.to_bits())).collect(),
            ),
        }
    }
}

/// The keys of a file, each once: some that are always there, and random ones.
pub fn entries(random_keys: u32, thresholds: &Thresholds, random: &mut Rng) -> Vec<Entry> {
    let mut values = edges(thresholds);
    values.extend((0..random_keys).map(|_| random_value(thresholds, random)));
    let mut entries: Vec<Entry> = Vec::new();
    for (number, value) in values.into_iter().enumerate() {
        let key = match number {
            0 => Vec::new(),
            1 => b"12345".to_vec(),
            2 => vec![b'k'; 300],
            3 => b"\x00\xff\r\n".to_vec(),
            _ => format!("key:{number}").into_bytes(),
        };
        let expire_at_ms = match random.u8(..8) {
            0 => Some(LATER_MS + random.i64(..1_000_000_000)),
            1 if number > 50 => Some(random.i64(1..1_000_000_000_000)),
            _ => None,
        };
        let facts = match random.u8(..3) {
            0 => KeyFacts { expire_at_ms, idle_s: Some(random.u64(..100_000)), frequency: None },
            1 => KeyFacts { expire_at_ms, idle_s: None, frequency: Some(random.u8(..)) },
            _ => KeyFacts { expire_at_ms, ..KeyFacts::default() },
        };
        let db = if random.u8(..4) == 0 { random.u16(1..16) } else { 0 };
        entries.push(Entry { db, key, value, facts });
    }
    entries.sort_by_key(|entry| entry.db);
    entries
}

/// Where encodings and lengths change.
fn edges(thresholds: &Thresholds) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for integer in
        [0i64, 127, 128, -128, -129, 32_767, 32_768, -32_769, 2_147_483_647, 2_147_483_648, -2_147_483_649]
            .into_iter()
            .chain([i64::MAX, i64::MIN])
    {
        values.push(StringValue::integer(integer).into());
    }
    for len in [0, 1, 11, 20, 21, 44, 45, 63, 64, 16_383, 16_384, 300_000] {
        values.push(StringValue::new(&vec![b'x'; len]).into());
    }
    let lens = [63, 64, 4095, 4096, 70_000];
    let longest = lens.map(|len| vec![b'y'; len]);
    values.push(list(longest.iter().map(Vec::as_slice), thresholds));
    values.push(sorted_set(
        &[("a", f64::NEG_INFINITY), ("b", -0.0), ("c", 5e-324), ("d", 0.1), ("e", f64::INFINITY)],
        thresholds,
    ));
    for count in [1, 5, 9, 10, 11, 12, 13, 128, 129, 512, 513, 3000] {
        let words: Vec<String> = (0..count).map(|number: u32| format!("w{number}")).collect();
        let numbers: Vec<String> =
            (0..count).map(|number: u32| (i64::from(number) * 40_000).to_string()).collect();
        values.push(list(words.iter().map(String::as_bytes), thresholds));
        values.push(set(words.iter().map(String::as_bytes), thresholds));
        values.push(set(numbers.iter().map(String::as_bytes), thresholds));
        values.push(hash(words.iter().chain(&numbers).map(String::as_bytes), thresholds));
        let scored: Vec<(&str, f64)> =
            words.iter().map(|word| (word.as_str(), word.len() as f64 / 3.0)).collect();
        values.push(sorted_set(&scored, thresholds));
    }
    values
}

fn list<'a>(elements: impl Iterator<Item = &'a [u8]>, thresholds: &Thresholds) -> Value {
    let mut list = List::default();
    elements
        .for_each(|element| list.push(End::Back, [element].into_iter(), thresholds.list_max_listpack_size));
    list.into()
}

fn set<'a>(members: impl Iterator<Item = &'a [u8]>, thresholds: &Thresholds) -> Value {
    let mut set = Set::default();
    members.for_each(|member| _ = set.add(Element::new(member), thresholds));
    set.into()
}

fn hash<'a>(fields: impl Iterator<Item = &'a [u8]>, thresholds: &Thresholds) -> Value {
    let mut hash = Hash::default();
    fields.for_each(|field| _ = hash.set(field, field, FieldExpire::Clear, thresholds));
    hash.into()
}

fn sorted_set(elements: &[(&str, f64)], thresholds: &Thresholds) -> Value {
    let mut set = SortedSet::default();
    for (member, score) in elements {
        set.set(member.as_bytes(), *score, thresholds);
    }
    set.into()
}

pub(super) fn random_word(random: &mut Rng) -> Vec<u8> {
    match random.u8(..20) {
        0..6 => (random.i64(..) >> random.u8(..64)).to_string().into_bytes(),
        6 => vec![b'x'; random.usize(..2000)],
        7 => (0..random.usize(..5000)).map(|_| random.u8(..)).collect(),
        8 => format!("0{}", random.u8(..)).into_bytes(),
        _ => format!("{}-{}", random.u16(..300), "word".repeat(random.usize(..8))).into_bytes(),
    }
}

fn random_value(thresholds: &Thresholds, random: &mut Rng) -> Value {
    let count = if random.u8(..6) == 0 { random.usize(1..1500) } else { random.usize(1..30) };
    let words: Vec<Vec<u8>> = (0..count).map(|_| random_word(random)).collect();
    let mut words = words.iter().map(Vec::as_slice);
    match random.u8(..6) {
        0 => StringValue::new(words.next().unwrap_or_default()).into(),
        1 => list(words, thresholds),
        2 => set(words, thresholds),
        3 => {
            let numbers: Vec<String> =
                (0..count).map(|_| (random.i64(..) >> random.u8(..64)).to_string()).collect();
            set(numbers.iter().map(String::as_bytes), thresholds)
        }
        4 => hash(words, thresholds),
        _ => {
            let mut set = SortedSet::default();
            for word in words {
                let score = match random.u8(..3) {
                    0 => f64::from(random.i16(..)),
                    1 => f64::from(random.i32(..)) / 16.0,
                    _ => (random.f64() - 0.5) * 10f64.powi(random.i32(-300..300)),
                };
                set.set(word, score, thresholds);
            }
            set.into()
        }
    }
}
