use super::*;
use crate::checksum::crc64;
use crate::lzf;
use crate::rdb::{DecodeOptions, DecodedEntry, Decoder, Item, dump, restore};
use tessera_values::Collection;
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::listpack::Element;
use tessera_values::{Hash, List, Set, SortedSet, StringValue, Thresholds, Value};

/// Small bounds, so that every form comes up often.
fn random_thresholds(random: &mut fastrand::Rng) -> Thresholds {
    let few = |random: &mut fastrand::Rng| random.u64(..60);
    Thresholds {
        hash_max_listpack_entries: few(random),
        hash_max_listpack_value_bytes: random.u64(..700),
        list_max_listpack_size: [-2, -1, 1, 5, 100][random.usize(..5)],
        set_max_intset_entries: few(random),
        set_max_listpack_entries: few(random),
        set_max_listpack_value_bytes: random.u64(..700),
        zset_max_listpack_entries: few(random),
        zset_max_listpack_value_bytes: random.u64(..700),
        seed: random.u64(..),
        ..Thresholds::default()
    }
}

fn random_word(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..30) {
        0..8 => (random.i64(..) >> random.u8(..64)).to_string().into_bytes(),
        8 => vec![b'x'; random.usize(..600)],
        9 => (0..random.usize(..20_000)).map(|_| random.u8(..)).collect(),
        10 => format!("0{}", random.u8(..)).into_bytes(),
        11 => Vec::new(),
        _ => random.u32(..200).to_string().into_bytes().repeat(random.usize(1..20)),
    }
}

pub(crate) fn random_value(random: &mut fastrand::Rng) -> Value {
    let thresholds = random_thresholds(random);
    let count = if random.u8(..8) == 0 { random.usize(1..2000) } else { random.usize(1..40) };
    match random.u8(..5) {
        0 if random.u8(..20) == 0 => StringValue::fixed(&vec![b'l'; random.usize(..1_000_000)]).into(),
        0 => StringValue::new(&random_word(random)).into(),
        1 => {
            let mut list = List::default();
            for _ in 0..count {
                let word = random_word(random);
                list.push(End::Back, [word.as_slice()].into_iter(), thresholds.list_max_listpack_size);
            }
            list.into()
        }
        2 => {
            let mut set = Set::default();
            let only_integers = random.bool();
            for _ in 0..count {
                let word = random_word(random);
                let element = Element::new(&word);
                if !only_integers || element.as_integer().is_some() {
                    set.add(element, &thresholds);
                }
            }
            set.add(Element::Integer(0), &thresholds);
            set.into()
        }
        3 => {
            let mut sorted_set = SortedSet::default();
            for _ in 0..count {
                sorted_set.set(&random_word(random), f64::from(random.i32(..)) / 8.0, &thresholds);
            }
            sorted_set.into()
        }
        _ => {
            let mut hash = Hash::default();
            let is_timed = random.bool();
            for _ in 0..count {
                let field = random_word(random);
                hash.set(&field, &random_word(random), FieldExpire::Clear, &thresholds);
                if is_timed && random.u8(..3) == 0 {
                    let expire_at_ms = random.bool().then(|| random.i64(1_000..3_000_000_000_000));
                    hash.set_expire(&field, expire_at_ms, &thresholds);
                }
            }
            hash.into()
        }
    }
}

fn random_facts(random: &mut fastrand::Rng) -> KeyFacts {
    KeyFacts {
        expire_at_ms: random.bool().then(|| random.i64(..)),
        idle_s: random.bool().then(|| random.u64(..100_000)),
        frequency: random.bool().then(|| random.u8(..)),
    }
}

#[test]
fn pieces_of_any_length_are_the_same_bytes() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..250 {
        let value = random_value(&mut random);
        let (key, facts) = (random_word(&mut random), random_facts(&mut random));
        let options = EncodeOptions { compress: random.bool() };
        let mut whole = b"before".to_vec();
        put_entry(&mut whole, &key, value.as_ref(), &facts, options);
        names.insert(value_type(value.as_ref(), Target::Redis70).name());

        let longest = [1, 3, 100, 5000, 100_000][random.usize(..5)];
        let mut pieces = b"before".to_vec();
        let mut entry = EntryEncoder::begin(&mut pieces, &key, value.as_ref(), &facts, options);
        loop {
            let (before, len_bytes) = (pieces.len(), random.usize(..=longest));
            let more = entry.write_some(value.as_ref(), len_bytes, &mut pieces);
            assert!(!more || pieces.len() > before, "a piece is longer than nothing");
            if !options.compress && !matches!(value, Value::String(_)) {
                // A length, a short string, a score or a time may come on top.
                assert!(pieces.len() - before <= len_bytes + 64, "{} of {len_bytes}", pieces.len() - before);
            }
            if !more {
                break;
            }
        }
        assert!(pieces == whole, "{value:?}");
    }
    let all = [
        "hash",
        "hash-listpack",
        "hash-listpack-ex",
        "hash-metadata",
        "quicklist-v2",
        "set",
        "set-intset",
        "string",
        "zset-listpack",
        "zset-v2",
    ];
    assert!(names.iter().eq(all.iter()), "{names:?}");
}

#[test]
fn what_is_written_is_read_again() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..250 {
        let (value, thresholds) = (random_value(&mut random), random_thresholds(&mut random));
        let (key, facts) = (random_word(&mut random), random_facts(&mut random));
        let mut out = Vec::new();
        put_header(&mut out, version_of(value.as_ref()), &[(b"name", b"value")]);
        put_database(&mut out, 3, Some((1, 0)));
        put_entry(&mut out, &key, value.as_ref(), &facts, EncodeOptions { compress: random.bool() });
        put_end(&mut out);
        let checksum = crc64(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        let mut decoder = Decoder::new(DecodeOptions { thresholds, ..DecodeOptions::default() });
        decoder.feed(&out);
        let mut read = None;
        loop {
            match decoder.next().expect("a sound file").expect("a whole file") {
                Item::Entry(entry) => read = Some(*entry),
                Item::End => break,
                _ => {}
            }
        }
        let KeyFacts { expire_at_ms, idle_s, frequency } = facts;
        let compress = random.bool();
        let dumped = dump(value.as_ref(), compress);
        // Type, version and checksum.
        assert_eq!(dumped_value_len_bytes(value.as_ref(), compress), dumped.len() - 11);
        let restored = restore(&dumped, &thresholds);
        assert_eq!(restored.as_ref(), Ok(&value));
        assert_eq!(read, Some(DecodedEntry { db: 3, key, value, expire_at_ms, idle_s, frequency }));
    }
}

#[test]
fn huge_strings_come_in_pieces() {
    let bytes = vec![b'x'; COMPRESS_MAX_LEN_BYTES + 1];
    let value = Value::from(StringValue::fixed(&bytes));
    let mut out = Vec::new();
    let options = EncodeOptions { compress: true };
    let mut entry = EntryEncoder::begin(&mut out, b"k", value.as_ref(), &KeyFacts::default(), options);
    let begun = out.len();
    assert!(entry.write_some(value.as_ref(), 1000, &mut out));
    assert!(out.len() - begun <= 1010);
    while entry.write_some(value.as_ref(), 1000, &mut out) {}
    assert!(out.ends_with(&bytes));
    assert_eq!(out.len() - begun, 5 + bytes.len());
}

/// Bytes as the description of the format in Redis's `rdb.h` has them.
#[test]
fn lengths_and_integers_have_their_shortest_form() {
    let len = |len| {
        let mut out = Vec::new();
        put_len(&mut out, len);
        out
    };
    assert_eq!(len(0), [0]);
    assert_eq!(len(63), [63]);
    assert_eq!(len(64), [0x40, 64]);
    assert_eq!(len(16_383), [0x7f, 0xff]);
    assert_eq!(len(16_384), [0x80, 0, 0, 0x40, 0]);
    assert_eq!(len(0xffff_ffff), [0x80, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(len(0x1_0000_0000), [0x81, 0, 0, 0, 1, 0, 0, 0, 0]);
    let string = |text: &str| {
        let mut out = Vec::new();
        put_string(&mut out, text.as_bytes(), EncodeOptions { compress: true }.into());
        out
    };
    assert_eq!(string("-128"), [0xc0, 0x80]);
    assert_eq!(string("128"), [0xc1, 128, 0]);
    assert_eq!(string("-32769"), [0xc2, 0xff, 0x7f, 0xff, 0xff]);
    assert_eq!(string("-2147483648"), [0xc2, 0, 0, 0, 0x80]);
    assert_eq!(string("2147483648"), b"\x0a2147483648");
    assert_eq!(string("+1"), b"\x02+1");
    assert_eq!(string("00"), b"\x0200");
    assert_eq!(string(""), b"\x00");
    assert_eq!(string(&"a".repeat(20)), [b"\x14".as_slice(), &[b'a'; 20]].concat());
    let compressed = string(&"a".repeat(100));
    assert_eq!(compressed[0], 0xc3);
    assert_eq!(usize::from(compressed[1]), compressed.len() - 4);
    assert_eq!(compressed[2..4], [0x40, 100]);
    assert_eq!(lzf::decompress(&compressed[4..], 100).as_deref(), Ok([b'a'; 100].as_slice()));
}

#[test]
fn a_file_is_of_the_version_that_its_values_need() {
    let thresholds = Thresholds::default();
    let mut hash = Hash::default();
    hash.set(b"f", b"v", FieldExpire::Clear, &thresholds);
    let version = |hash: &Hash| version_of(ValueRef::Hash(hash.as_ref()));
    assert_eq!(version(&hash), 10);
    hash.set_expire(b"f", Some(1), &thresholds);
    assert_eq!((version(&hash), hash.encoding_name()), (12, "listpackex"));
    hash.set_expire(b"f", None, &thresholds);
    assert_eq!((version(&hash), hash.encoding_name()), (10, "listpackex"));
    assert_eq!(value_type(ValueRef::Hash(hash.as_ref()), Target::Redis70).name(), "hash");
    let mut out = Vec::new();
    put_header(&mut out, 12, &[(b"a", b"1")]);
    assert_eq!(out, b"REDIS0012\xfa\x01a\xc0\x01");
}
