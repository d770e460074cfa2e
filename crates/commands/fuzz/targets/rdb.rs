//! A file that comes in pieces is the one that comes at once; what was read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tessera_storage::rdb::{DecodeOptions, DecodedEntry, Decoder, EncodeOptions, Item, KeyFacts, put_entry};
use tessera_values::Thresholds;

/// Bounds that a short file can reach.
fn tight() -> Thresholds {
    Thresholds {
        hash_max_listpack_entries: 2,
        hash_max_listpack_value_bytes: 4,
        list_max_listpack_size: 2,
        set_max_intset_entries: 2,
        set_max_listpack_entries: 3,
        set_max_listpack_value_bytes: 4,
        zset_max_listpack_entries: 2,
        zset_max_listpack_value_bytes: 4,
        ..Thresholds::default()
    }
}

/// What came out of a file that comes in pieces of so many bytes: the items, and the error, if it ended with one.
fn decode(file: &[u8], piece_len: usize, thresholds: Thresholds) -> (Vec<Item>, Option<String>) {
    let mut decoder =
        Decoder::new(DecodeOptions { thresholds, verify_checksum: false, ..DecodeOptions::default() });
    let mut items = Vec::new();
    for piece in file.chunks(piece_len) {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error.to_string())),
            }
        }
    }
    let error = decoder.finish().err().map(|error| error.to_string());
    (items, error)
}

/// The same written anew, in a file of its own.
fn again(entry: &DecodedEntry, thresholds: Thresholds) {
    let mut file = b"REDIS0012".to_vec();
    let DecodedEntry { expire_at_ms, idle_s, frequency, .. } = *entry;
    let facts = KeyFacts { expire_at_ms, idle_s, frequency };
    put_entry(&mut file, &entry.key, entry.value.as_ref(), &facts, EncodeOptions { compress: true });
    file.extend_from_slice(&[0xff; 9]);
    let (items, error) = decode(&file, usize::MAX, thresholds);
    assert_eq!(error, None);
    let [Item::Entry(same), Item::End] = &items[..] else { panic!("{items:?}") };
    assert_eq!((&same.key, &same.value), (&entry.key, &entry.value));
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, content)) = data.split_first() else { return };
    let thresholds = if how & 1 == 0 { Thresholds::default() } else { tight() };
    let file = [b"REDIS0012", content].concat();
    let (items, error) = decode(&file, usize::MAX, thresholds);
    let pieces = decode(&file, 1 + usize::from(how >> 1), thresholds);
    assert_eq!(error, pieces.1);
    assert_eq!(format!("{items:?}"), format!("{:?}", pieces.0));
    for item in &items {
        if let Item::Entry(entry) = item {
            again(entry, thresholds);
        }
    }
});
