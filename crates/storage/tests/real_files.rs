//! Files that real servers wrote. What is in them, and in which encodings, is what Valkey 7.2.7 found: see
//! `data/make.py`.

mod shown;

use shown::{shown, tight};
use std::path::PathBuf;
use tessera_storage::rdb::{DecodeError, DecodeOptions, Decoder, Item};
use tessera_values::Thresholds;

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> Vec<String> {
    String::from_utf8(file(name)).expect("text").lines().map(str::to_owned).collect()
}

/// All items of a file that comes in pieces of up to so many bytes.
fn items(bytes: &[u8], thresholds: Thresholds, piece_max: usize) -> Result<Vec<Item>, DecodeError> {
    let mut random = fastrand::Rng::with_seed(piece_max as u64);
    let mut decoder = Decoder::new(DecodeOptions { thresholds, ..DecodeOptions::default() });
    let (mut items, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(random.usize(1..=piece_max).min(rest.len()));
        decoder.feed(piece);
        rest = behind;
        while let Some(item) = decoder.next()? {
            items.push(item);
        }
    }
    decoder.finish()?;
    assert_eq!(decoder.offset_bytes(), bytes.len() as u64);
    Ok(items)
}

fn lines(items: &[Item]) -> Vec<String> {
    let entries =
        items.iter().filter_map(|item| if let Item::Entry(entry) = item { Some(entry) } else { None });
    let mut lines: Vec<String> = entries.map(|entry| shown(entry)).collect();
    lines.sort();
    lines
}

fn check(name: &str, contents: &str) {
    let bytes = file(&format!("{name}.rdb"));
    for (setting, thresholds) in [("default", Thresholds::default()), ("tight", tight())] {
        let expected = text(&format!("{contents}.{setting}.txt"));
        for piece_max in [1, 7, 1000, usize::MAX / 2] {
            let items =
                items(&bytes, thresholds, piece_max).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = lines(&items);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{name}, {setting}, pieces of {piece_max}");
            }
            assert_eq!(found.len(), expected.len(), "{name}, {setting}");
            assert!(matches!(items.last(), Some(Item::End)));
        }
    }
}

#[test]
fn redis_7_0() {
    check("redis-7.0", "redis-7.0");
    check("redis-7.0-uncompressed", "redis-7.0");
}

#[test]
fn valkey_7_2() {
    check("valkey-7.2", "valkey-7.2");
    check("valkey-7.2-uncompressed", "valkey-7.2");
}

#[test]
fn old_formats() {
    for name in ["encodings", "hash-ziplist", "hash-zipmap", "list-quicklist", "zset-ziplist"] {
        check(name, name);
    }
}

#[test]
fn empty_collections_are_told() {
    check("corrupt_empty_keys", "corrupt_empty_keys");
    let items = items(&file("corrupt_empty_keys.rdb"), Thresholds::default(), 100).expect("Redis loads it");
    let empty = items.iter().filter(|item| matches!(item, Item::Empty { .. })).count();
    assert_eq!(empty, 9, "as many as Redis says it skips");
}

#[test]
fn a_damaged_ziplist_is_refused() {
    let error = items(&file("corrupt_ziplist.rdb"), Thresholds::default(), 100).expect_err("it is damaged");
    // As Valkey says.
    assert_eq!(error.key.as_deref(), Some(&b"key:000000000091"[..]));
    assert!(!error.is_unsupported);
}

#[test]
fn streams_are_refused_by_name() {
    for server in ["redis-7.0", "valkey-7.2"] {
        let error =
            items(&file(&format!("{server}-stream.rdb")), Thresholds::default(), 100).expect_err("a stream");
        assert_eq!(error.key.as_deref(), Some(&b"the stream"[..]));
        assert!(error.to_string().contains("in the key \"the stream\": it is a stream"), "{error}");
        assert!(error.is_unsupported, "the file is good");
    }
}

/// What is behind a stream is found behind it, however the bytes come.
#[test]
fn streams_can_be_passed_over() {
    for (name, streams, others) in [
        ("redis-7.0-stream", 1, 1),
        ("valkey-7.2-stream", 1, 1),
        ("redis-7.0-stream-groups", 2, 4),
        ("redis-7.2-stream-groups", 2, 4),
    ] {
        let bytes = file(&format!("{name}.rdb"));
        for piece_max in [1, 100, bytes.len()] {
            let options = DecodeOptions { skip_unsupported: true, ..DecodeOptions::default() };
            let mut decoder = Decoder::new(options);
            let (mut skipped, mut entries) = (0, 0);
            for piece in bytes.chunks(piece_max) {
                decoder.feed(piece);
                while let Some(item) = decoder.next().expect("it is sound") {
                    match item {
                        Item::Unsupported { what, key, .. } => {
                            assert!(
                                what == "stream"
                                    && key.starts_with(if streams > 1 { b"stream:" } else { b"the str" })
                            );
                            skipped += 1;
                        }
                        Item::Entry(entry) => {
                            assert_eq!(
                                entry.expire_at_ms, None,
                                "what was said of a stream is not said of others"
                            );
                            entries += 1;
                        }
                        _ => {}
                    }
                }
            }
            decoder.finish().expect("it is whole");
            assert_eq!((skipped, entries), (streams, others), "{name}");
        }
    }
}

#[test]
fn use_is_told() {
    for server in ["redis-7.0", "valkey-7.2"] {
        for (policy, is_lru) in [("lru", true), ("lfu", false)] {
            let bytes = file(&format!("{server}-allkeys-{policy}.rdb"));
            let items = items(&bytes, Thresholds::default(), 100).expect("it is sound");
            let entry =
                items.iter().find_map(|item| if let Item::Entry(entry) = item { Some(entry) } else { None });
            let entry = entry.expect("a key");
            // A new key has not been idle, and a frequency of 5.
            assert_eq!(
                (entry.idle_s, entry.frequency),
                if is_lru { (Some(0), None) } else { (None, Some(5)) }
            );
        }
    }
}

#[test]
fn libraries_and_fields_are_told() {
    let items = items(&file("valkey-7.2.rdb"), Thresholds::default(), 100).expect("it is sound");
    let code: Vec<_> = items
        .iter()
        .filter_map(|item| if let Item::Function(code) = item { Some(code) } else { None })
        .collect();
    assert_eq!(code.len(), 1);
    assert!(code[0].starts_with(b"#!lua name=mylib"));
    let has = |wanted: &[u8]| {
        items.iter().any(|item| matches!(item, Item::Auxiliary { name, .. } if name == wanted))
    };
    assert!(has(b"valkey-ver") && has(b"ctime") && has(b"aof-base"));
    let sizes: Vec<_> = items
        .iter()
        .filter_map(
            |item| if let Item::Sizes { keys, volatile } = item { Some((*keys, *volatile)) } else { None },
        )
        .collect();
    assert_eq!(sizes.len(), 3);
    assert_eq!(sizes[1..], [(1, 0), (1, 0)]);
    assert_eq!(sizes[0].1, 2);
}

/// A file with one byte changed is refused, unless the byte stands for nothing that is read.
#[test]
fn the_checksum_is_compared() {
    let bytes = file("valkey-7.2.rdb");
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        let at = random.usize(..bytes.len());
        damaged[at] ^= 1 << random.u8(..8);
        assert!(items(&damaged, Thresholds::default(), 5000).is_err(), "byte {at}");
    }
    let mut without = file("valkey-7.2-no-checksum.rdb");
    assert!(without.ends_with(&[0; 8]));
    assert!(items(&without, Thresholds::default(), 100).is_ok());
    without.push(0);
    assert!(
        items(&without, Thresholds::default(), 100)
            .expect_err("one too many")
            .problem
            .contains("behind the end")
    );
}

#[test]
fn a_file_that_ends_too_early_is_refused() {
    for name in ["encodings.rdb", "hash-zipmap.rdb", "valkey-7.2-allkeys-lfu.rdb"] {
        let bytes = file(name);
        for len in 0..bytes.len() {
            let error = items(&bytes[..len], Thresholds::default(), 100).expect_err("it is not whole");
            assert!(error.problem.contains("ends too early"), "{error}");
        }
    }
}
