//! The file that is given to the server, and the one that it gives back.

use super::contents::Entry;
use fastrand::Rng;
use std::collections::BTreeMap;
use std::io;
use tessera_storage::checksum::crc64;
use tessera_storage::rdb::opcodes::VERSION_WRITTEN;
use tessera_storage::rdb::{
    DecodeOptions, DecodedEntry, Decoder, EncodeOptions, EntryEncoder, Item, put_database, put_end,
    put_entry, put_header, version_of,
};
use tessera_values::Thresholds;

/// How many bytes are given to the reader at a time.
const PIECE_LEN_BYTES: usize = 10_000;

/// The file of these entries, some of them written in pieces.
pub fn encode(entries: &[Entry], compress: bool, random: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    put_header(&mut out, VERSION_WRITTEN, &[(b"redis-ver", b"7.0.0"), (b"redis-bits", b"64")]);
    let mut db = None;
    for entry in entries {
        assert_eq!(version_of(entry.value.as_ref()), VERSION_WRITTEN);
        if db != Some(entry.db) {
            db = Some(entry.db);
            let keys = entries.iter().filter(|other| other.db == entry.db);
            let volatile = keys.clone().filter(|other| other.facts.expire_at_ms.is_some()).count();
            put_database(&mut out, entry.db, Some((keys.count() as u64, volatile as u64)));
        }
        let (value, options) = (entry.value.as_ref(), EncodeOptions { compress });
        if random.bool() {
            put_entry(&mut out, &entry.key, value, &entry.facts, options);
        } else {
            let mut encoder = EntryEncoder::begin(&mut out, &entry.key, value, &entry.facts, options);
            while encoder.write_some(value, random.usize(1..5000), &mut out) {}
        }
    }
    put_end(&mut out);
    let checksum = crc64(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

fn wrong(problem: String) -> io::Error {
    io::Error::other(format!("in the server's file: {problem}"))
}

/// Compares what a server saved with what it was given.
pub fn compare(bytes: &[u8], entries: &[Entry], thresholds: Thresholds) -> io::Result<()> {
    let mut found = BTreeMap::new();
    let mut decoder = Decoder::new(DecodeOptions { thresholds, ..DecodeOptions::default() });
    let mut pieces = bytes.chunks(PIECE_LEN_BYTES);
    loop {
        match decoder.next().map_err(|error| wrong(error.to_string()))? {
            None => {
                let piece = pieces.next().ok_or_else(|| wrong("it ends too early".to_owned()))?;
                decoder.feed(piece);
            }
            Some(Item::End) => break,
            Some(Item::Entry(entry)) => {
                let DecodedEntry { db, key, value, expire_at_ms, .. } = *entry;
                found.insert((db, key), (value, expire_at_ms));
            }
            Some(Item::Auxiliary { .. } | Item::Sizes { .. }) => {}
            Some(other) => return Err(wrong(format!("{other:?}, which nobody gave it"))),
        }
    }
    for entry in entries.iter().filter(|entry| !entry.is_expired()) {
        let shown = entry.key.escape_ascii();
        match found.remove(&(u64::from(entry.db), entry.key.clone())) {
            Some((value, expire_at_ms))
                if value == entry.value && expire_at_ms == entry.facts.expire_at_ms => {}
            Some(_) => return Err(wrong(format!("key \"{shown}\" is another one"))),
            None => return Err(wrong(format!("key \"{shown}\" is missing"))),
        }
    }
    match found.len() {
        0 => Ok(()),
        more => Err(wrong(format!("{more} keys that it should not have"))),
    }
}
