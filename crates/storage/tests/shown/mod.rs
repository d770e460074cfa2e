//! Keys as `data/make.py` writes them down.

#![allow(dead_code, reason = "each of the tests needs some of it")]

use std::fmt::Write;
use tessera_resp::number::format_f64;
use tessera_storage::rdb::DecodedEntry;
use tessera_values::{Collection, Thresholds, Value};

/// The settings that `make.py` calls `tight`.
pub fn tight() -> Thresholds {
    Thresholds {
        hash_max_listpack_entries: 3,
        hash_max_listpack_value_bytes: 8,
        list_max_listpack_size: 4,
        set_max_intset_entries: 3,
        set_max_listpack_entries: 4,
        set_max_listpack_value_bytes: 8,
        zset_max_listpack_entries: 3,
        zset_max_listpack_value_bytes: 8,
        ..Thresholds::default()
    }
}

fn escape(text: &[u8]) -> String {
    let mut out = String::new();
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"_.:-".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

/// The elements of a value, those of sets and hashes in order.
pub fn elements(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::String(string) => vec![string.as_ref().as_bytes(&mut Default::default()).to_vec()],
        Value::List(list) => list.as_ref().iter().map(|element| element.to_vec()).collect(),
        Value::Set(set) => {
            let mut members: Vec<Vec<u8>> = set.as_ref().iter().map(|member| member.to_vec()).collect();
            members.sort();
            members
        }
        Value::SortedSet(set) => {
            let score = |score| format_f64(score).into_bytes();
            set.as_ref().iter().flat_map(|(member, value)| [member.to_vec(), score(value)]).collect()
        }
        Value::Hash(hash) => {
            let mut pairs: Vec<_> =
                hash.as_ref().iter(i64::MIN).map(|(field, value)| [field.to_vec(), value.to_vec()]).collect();
            pairs.sort();
            pairs.concat()
        }
    }
}

/// A key's line.
pub fn shown(entry: &DecodedEntry) -> String {
    let value = entry.value.as_ref();
    let at_ms = entry.expire_at_ms.map_or("-".to_owned(), |at_ms| at_ms.to_string());
    let mut line = format!(
        "{} {} {} {} {at_ms}",
        entry.db,
        escape(&entry.key),
        value.value_type().name(),
        value.encoding_name()
    );
    for element in elements(&entry.value) {
        line.push(' ');
        line.push_str(&escape(&element));
    }
    line
}
