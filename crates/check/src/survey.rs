//! What is in a snapshot, counted.

use crate::Trouble;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;
use tessera_storage::rdb::DecodedEntry;
use tessera_values::Type;

/// Sums over some keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many keys.
    pub keys: u64,
    /// Elements of what they hold; a string is one.
    pub elements: u64,
    /// Memory of keys and values, in bytes, as Tessera keeps them.
    pub memory_bytes: u64,
}

impl Sums {
    fn add(&mut self, elements: u64, memory_bytes: u64) {
        self.keys += 1;
        self.elements += elements;
        self.memory_bytes += memory_bytes;
    }
}

/// Sums over one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseSums {
    /// All keys.
    pub sums: Sums,
    /// Keys with an expiry.
    pub volatile: u64,
    /// Those of them whose time is over.
    pub expired: u64,
}

/// One of the largest keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Large {
    /// Memory of key and value, in bytes.
    pub memory_bytes: u64,
    /// Its database.
    pub db: u64,
    /// The key.
    pub key: Vec<u8>,
    /// Its type.
    pub value_type: Type,
    /// How many elements it has.
    pub elements: u64,
}

/// The counts.
#[derive(Debug)]
pub struct Survey {
    now_ms: i64,
    largest_len: usize,
    /// By database.
    pub databases: BTreeMap<u64, DatabaseSums>,
    /// By type and encoding.
    pub kinds: BTreeMap<(&'static str, &'static str), Sums>,
    largest: BinaryHeap<Reverse<Large>>,
    /// The earliest and the latest expiry, in Unix milliseconds.
    pub expiries_ms: Option<(i64, i64)>,
    /// Names of libraries of functions.
    pub functions: Vec<String>,
    /// Keys that cannot be loaded by what they are: how many, and the first with its database.
    pub unsupported: BTreeMap<String, (u64, u64, Vec<u8>)>,
}

impl Survey {
    /// Nothing yet. `now_ms` decides what has expired.
    pub fn new(now_ms: i64, largest_len: usize) -> Survey {
        Survey {
            now_ms,
            largest_len,
            databases: BTreeMap::new(),
            kinds: BTreeMap::new(),
            largest: BinaryHeap::new(),
            expiries_ms: None,
            functions: Vec::new(),
            unsupported: BTreeMap::new(),
        }
    }

    /// Counts a key.
    pub fn add(&mut self, entry: &DecodedEntry) {
        let value = entry.value.as_ref();
        let elements = value.elements_len() as u64;
        let memory_bytes =
            (entry.key.len() + size_of_val(&entry.value) + entry.value.allocated_bytes()) as u64;
        let database = self.databases.entry(entry.db).or_default();
        database.sums.add(elements, memory_bytes);
        self.kinds
            .entry((value.value_type().name(), value.encoding_name()))
            .or_default()
            .add(elements, memory_bytes);
        if let Some(at_ms) = entry.expire_at_ms {
            database.volatile += 1;
            database.expired += u64::from(at_ms < self.now_ms);
            let (first_ms, last_ms) = self.expiries_ms.unwrap_or((at_ms, at_ms));
            self.expiries_ms = Some((first_ms.min(at_ms), last_ms.max(at_ms)));
        }
        let is_larger = self.largest.len() < self.largest_len
            || self.largest.peek().is_some_and(|Reverse(least)| memory_bytes > least.memory_bytes);
        if is_larger && self.largest_len > 0 {
            if self.largest.len() == self.largest_len {
                self.largest.pop();
            }
            let (db, key, value_type) = (entry.db, entry.key.clone(), value.value_type());
            self.largest.push(Reverse(Large { memory_bytes, db, key, value_type, elements }));
        }
    }

    /// Counts a key that cannot be loaded.
    pub fn add_unsupported(&mut self, db: u64, key: Vec<u8>, what: String) {
        self.unsupported.entry(what).or_insert((0, db, key)).0 += 1;
    }

    /// That there are none such.
    ///
    /// # Errors
    /// There are.
    pub fn unsupported(&self, path: &Path) -> Result<(), Trouble> {
        let all: u64 = self.unsupported.values().map(|(keys, ..)| keys).sum();
        if all == 0 {
            return Ok(());
        }
        Err(Trouble::Unsupported(format!(
            "{} is whole, and {all} of its keys cannot be loaded; remove them where the file was written",
            path.display()
        )))
    }

    /// All keys.
    pub fn keys(&self) -> u64 {
        let unsupported: u64 = self.unsupported.values().map(|(keys, ..)| keys).sum();
        self.databases.values().map(|database| database.sums.keys).sum::<u64>() + unsupported
    }

    /// The largest keys, the largest first.
    pub fn largest(&self) -> Vec<Large> {
        let mut largest: Vec<Large> = self.largest.iter().map(|Reverse(large)| large.clone()).collect();
        largest.sort_by(|a, b| b.cmp(a));
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_values::{StringValue, Value};

    fn entry(db: u64, key: &[u8], text: &[u8], expire_at_ms: Option<i64>) -> DecodedEntry {
        let value = Value::String(StringValue::new(text));
        DecodedEntry { db, key: key.to_vec(), value, expire_at_ms, idle_s: None, frequency: None }
    }

    #[test]
    fn keys_are_counted_by_database_kind_and_expiry() {
        let mut survey = Survey::new(1000, 2);
        survey.add(&entry(0, b"a", b"12", None));
        survey.add(&entry(0, b"b", &[b'x'; 500], Some(999)));
        survey.add(&entry(3, b"c", &[b'x'; 900], Some(5000)));
        assert_eq!(survey.keys(), 3);
        let zero = survey.databases[&0];
        assert_eq!((zero.sums.keys, zero.volatile, zero.expired), (2, 1, 1));
        assert_eq!((survey.databases[&3].volatile, survey.databases[&3].expired), (1, 0));
        assert_eq!(survey.kinds[&("string", "int")].keys, 1);
        assert_eq!(survey.kinds[&("string", "raw")].keys, 2);
        assert_eq!(survey.expiries_ms, Some((999, 5000)));
        let largest: Vec<Vec<u8>> = survey.largest().into_iter().map(|large| large.key).collect();
        assert_eq!(largest, [b"c".to_vec(), b"b".to_vec()]);
    }
}
