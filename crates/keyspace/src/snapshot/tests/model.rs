//! What a snapshot must say, and whether it does.

use crate::{EvictionPolicy, Shard};
use std::collections::BTreeMap;
use tessera_storage::rdb::opcodes::VERSION_READ_MAX;
use tessera_storage::rdb::{
    DecodeOptions, DecodedEntry, Decoder, EncodeOptions, Item, KeyFacts, put_end, put_entry, put_header,
};
use tessera_values::{Collection, Hash, Value};

/// What was there at the cut, by database and key. No key is an integer or longer than 63 bytes, so that they are
/// written as they are.
pub struct Model {
    entries: BTreeMap<(u64, Vec<u8>), (Value, Option<i64>)>,
    encode: EncodeOptions,
    sizes: BTreeMap<u64, (u64, u64)>,
}

impl Model {
    /// Of everything that is there.
    pub fn of(shard: &Shard, encode: EncodeOptions) -> Model {
        let (mut entries, mut sizes) = (BTreeMap::new(), BTreeMap::new());
        for db in 0..shard.databases_len() {
            let table = shard.database(db as u16).table();
            for entry in table.iter() {
                let known = (entry.value().to_value(), entry.expire_at_ms());
                assert!(entries.insert((db as u64, entry.key().to_vec()), known).is_none());
            }
            let totals = table.totals();
            sizes.insert(db as u64, (totals.len as u64, totals.volatile_len as u64));
        }
        Model { entries, encode, sizes }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Panics unless `body` has all entries once, as they were, but for what expired since.
    pub fn check(mut self, body: &[u8], shard: &Shard) {
        let mut decoded = decode(body).into_iter();
        let mut reader = Reader { body, at: 0, db: None };
        while let Some(head) = reader.next_head(&self.sizes, shard.settings().eviction_policy) {
            let known = self.entries.remove(&(head.db, head.key.clone()));
            let Some((value, expire_at_ms)) = known else {
                panic!("{:?} of database {} was not there at the cut, or comes twice", head.key, head.db);
            };
            let facts = KeyFacts { expire_at_ms, ..head.facts };
            let candidates = forms(value.clone(), shard.now_ms());
            let encoded = candidates.iter().map(|value| {
                let mut expected = Vec::new();
                put_entry(&mut expected, &head.key, value.as_ref(), &facts, self.encode);
                expected
            });
            let Some(found) = encoded.into_iter().find(|expected| body[head.at..].starts_with(expected))
            else {
                panic!("{:?} is not what it was: {value:?}", head.key);
            };
            reader.at = head.at + found.len();
            let decoded = decoded.next().expect("what can be found can be decoded");
            assert_eq!((decoded.db, decoded.key, decoded.expire_at_ms), (head.db, head.key, expire_at_ms));
            assert!(candidates.contains(&decoded.value));
        }
        for ((db, key), (value, expire_at_ms)) in self.entries {
            let expired = expire_at_ms.is_some_and(|at_ms| shard.now_ms() > at_ms);
            let hollow = matches!(&value, Value::Hash(hash) if hash.as_ref().live_len(shard.now_ms()) == 0);
            assert!(expired || hollow, "{key:?} of database {db} is missing: {value:?}");
        }
    }
}

/// What a real reader makes of it.
fn decode(body: &[u8]) -> Vec<DecodedEntry> {
    let mut file = Vec::new();
    put_header(&mut file, VERSION_READ_MAX, &[]);
    file.extend_from_slice(body);
    put_end(&mut file);
    file.extend_from_slice(&[0; 8]);
    let mut decoder = Decoder::new(DecodeOptions::default());
    decoder.feed(&file);
    let mut entries = Vec::new();
    loop {
        match decoder.next().expect("it can be read") {
            Some(Item::Entry(entry)) => entries.push(*entry),
            Some(Item::Sizes { .. }) => {}
            Some(Item::End) => return entries,
            other => panic!("a snapshot has nothing else in it: {other:?}"),
        }
    }
}

/// A value as it was, and as it is after some of its fields have expired.
fn forms(value: Value, now_ms: i64) -> Vec<Value> {
    let mut forms = vec![value];
    while let Some(Value::Hash(hash)) = forms.last()
        && let Some(at_ms) = hash.as_ref().next_field_expire_at_ms()
        && at_ms < now_ms
    {
        let mut hash = hash.clone();
        hash.remove_expired_fields(at_ms + 1, usize::MAX, |_| {});
        if Hash::is_empty(&hash) {
            break;
        }
        forms.push(hash.into());
    }
    forms
}

/// What an entry begins with.
struct Head {
    /// Where it begins.
    at: usize,
    db: u64,
    key: Vec<u8>,
    facts: KeyFacts,
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    db: Option<u64>,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        self.at += count;
        &self.body[self.at - count..self.at]
    }

    fn len(&mut self) -> u64 {
        let first = self.take(1)[0];
        match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3f) << 8 | u64::from(self.take(1)[0]),
            0x80 => u64::from(u32::from_be_bytes(self.take(4).try_into().unwrap())),
            _ => panic!("no length: {first}"),
        }
    }

    fn next_head(&mut self, sizes: &BTreeMap<u64, (u64, u64)>, policy: EvictionPolicy) -> Option<Head> {
        while let Some(opcode) = self.body.get(self.at) {
            match opcode {
                0xfe => {
                    self.at += 1;
                    self.db = Some(self.len());
                }
                0xfb => {
                    self.at += 1;
                    let read = (self.len(), self.len());
                    assert_eq!(read, sizes[&self.db.unwrap()]);
                }
                _ => return Some(self.head(policy)),
            }
        }
        None
    }

    fn head(&mut self, policy: EvictionPolicy) -> Head {
        let (at, mut facts) = (self.at, KeyFacts::default());
        if self.body[self.at] == 0xfc {
            self.at += 9;
        }
        if self.body[self.at] == 0xf8 {
            self.at += 1;
            facts.idle_s = Some(self.len());
        }
        if self.body[self.at] == 0xf9 {
            facts.frequency = Some(self.take(2)[1]);
        }
        let recency = matches!(policy, EvictionPolicy::AllKeysLru | EvictionPolicy::VolatileLru);
        assert_eq!((facts.idle_s.is_some(), facts.frequency.is_some()), (recency, policy.counts_uses()));
        self.at += 1;
        let key_len = self.len() as usize;
        let key = self.take(key_len).to_vec();
        Head { at, db: self.db.expect("a database is chosen first"), key, facts }
    }
}
