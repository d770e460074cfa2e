//! Files and payloads put together by hand from the descriptions of the format: what no server at hand writes, and
//! damage.

mod shown;

use shown::{elements, tight};
use tessera_storage::checksum::crc64;
use tessera_storage::rdb::{DecodeError, DecodeOptions, DecodedEntry, Decoder, Item, RestoreError, restore};
use tessera_values::{Collection, Hash, Thresholds, Value};

/// A length of up to 63 bytes, or of four.
fn len(len: usize) -> Vec<u8> {
    match u8::try_from(len) {
        Ok(len @ 0..64) => vec![len],
        _ => [&[0x80][..], &(len as u32).to_be_bytes()].concat(),
    }
}

fn string(text: &[u8]) -> Vec<u8> {
    [len(text.len()), text.to_vec()].concat()
}

/// A listpack of elements as they stand there, each with its length behind it.
fn listpack(elements: &[&[u8]]) -> Vec<u8> {
    let content = elements.concat();
    let mut out = (content.len() as u32 + 7).to_le_bytes().to_vec();
    out.extend_from_slice(&(elements.len() as u16).to_le_bytes());
    out.extend_from_slice(&content);
    out.push(0xff);
    out
}

fn payload(value_type: u8, value: &[u8]) -> Vec<u8> {
    let mut out = [&[value_type], value, &12u16.to_le_bytes()[..]].concat();
    out.extend_from_slice(&crc64(&out).to_le_bytes());
    out
}

fn restored(value_type: u8, value: &[u8]) -> Result<Value, String> {
    restore(&payload(value_type, value), &Thresholds::default()).map_err(|error| match error {
        RestoreError::Data { problem, .. } => problem,
        RestoreError::Footer => panic!("the footer is right"),
    })
}

fn file(version: &str, content: &[&[u8]]) -> Vec<u8> {
    let mut out = [b"REDIS", version.as_bytes(), &content.concat(), &[0xff]].concat();
    out.extend_from_slice(&crc64(&out).to_le_bytes());
    out
}

fn decoded(bytes: &[u8]) -> Result<Vec<Item>, DecodeError> {
    let mut decoder = Decoder::new(DecodeOptions::default());
    let mut items = Vec::new();
    for byte in bytes {
        decoder.feed(&[*byte]);
        while let Some(item) = decoder.next()? {
            items.push(item);
        }
    }
    decoder.finish()?;
    Ok(items)
}

fn entries(bytes: &[u8]) -> Vec<DecodedEntry> {
    let entry = |item| if let Item::Entry(entry) = item { Some(*entry) } else { None };
    decoded(bytes).expect("it is sound").into_iter().filter_map(entry).collect()
}

/// When each field expires.
fn times(hash: &Hash, fields: &[&str]) -> Vec<Option<i64>> {
    fields
        .iter()
        .map(|field| hash.as_ref().find(field.as_bytes(), i64::MIN).expect("it is there").expire_at_ms)
        .collect()
}

const SOON_MS: u64 = 1_900_000_000_000;

/// Field `a` expires five milliseconds after `b`, `c` does not.
fn hash_with_times(is_relative: bool) -> Vec<u8> {
    let mut out = if is_relative { SOON_MS.to_le_bytes().to_vec() } else { Vec::new() };
    out.push(3);
    for (field, later_ms) in [("a", Some(5)), ("b", Some(0)), ("c", None)] {
        let written = match later_ms {
            None => 0,
            Some(later_ms) if is_relative => later_ms + 1,
            Some(later_ms) => SOON_MS + later_ms,
        };
        out.push(0x81);
        out.extend_from_slice(&written.to_be_bytes());
        out.extend_from_slice(&[string(field.as_bytes()), string(b"v")].concat());
    }
    out
}

/// As `rdb.c` of Redis 7.4 has it: before its release times were absolute, since then they count from the earliest.
#[test]
fn fields_that_expire() {
    for (value_type, value) in [(24, hash_with_times(true)), (22, hash_with_times(false))] {
        let Ok(Value::Hash(hash)) = restored(value_type, &value) else { panic!("type {value_type}") };
        let soon_ms = SOON_MS as i64;
        assert_eq!(times(&hash, &["a", "b", "c"]), [Some(soon_ms + 5), Some(soon_ms), None]);
        assert_eq!(Value::Hash(hash.clone()).as_ref().encoding_name(), "listpackex");
        assert_eq!(hash.as_ref().next_field_expire_at_ms(), Some(soon_ms));
        let large =
            restore(&payload(value_type, &value), &Thresholds { hash_max_listpack_entries: 2, ..tight() });
        let large = large.expect("it is sound");
        assert_eq!(large.as_ref().encoding_name(), "hashtable");
        assert_eq!(large, Value::Hash(hash));
    }
    let at = [&[0xf4][..], &SOON_MS.to_le_bytes(), &[9]].concat();
    let rows = listpack(&[b"\x81b\x02", b"\x81v\x02", &at, b"\x81c\x02", b"\x81v\x02", b"\x00\x01"]);
    for (value_type, value) in
        [(25, [SOON_MS.to_le_bytes().to_vec(), string(&rows)].concat()), (23, string(&rows))]
    {
        let Ok(Value::Hash(hash)) = restored(value_type, &value) else { panic!("type {value_type}") };
        assert_eq!(times(&hash, &["b", "c"]), [Some(SOON_MS as i64), None]);
        assert_eq!(Value::Hash(hash).as_ref().encoding_name(), "listpackex");
    }
    // Rows in another order than that of time are put into it.
    let rows = listpack(&[b"\x81c\x02", b"\x81v\x02", b"\x00\x01", b"\x81b\x02", b"\x81v\x02", &at]);
    let Ok(Value::Hash(hash)) = restored(23, &string(&rows)) else { panic!("it is sound") };
    assert_eq!(hash.as_ref().next_field_expire_at_ms(), Some(SOON_MS as i64));
    for (what, rows) in [
        ("not whole", listpack(&[b"\x81c\x02", b"\x81v\x02"])),
        ("no time", listpack(&[b"\x81c\x02", b"\x81v\x02", b"\x81x\x02"])),
        ("no time", listpack(&[b"\x81c\x02", b"\x81v\x02", b"\xdf\xff\x02"])),
        ("twice", listpack(&[b"\x81c\x02", b"\x81v\x02", b"\x00\x01", b"\x81c\x02", b"\x81v\x02", &at])),
    ] {
        let problem = restored(23, &string(&rows)).expect_err(what);
        assert!(problem.contains(what), "{problem}");
    }
    let late = [&[1, 0x81][..], &u64::MAX.to_be_bytes(), &string(b"f"), &string(b"v")].concat();
    assert!(restored(22, &late).expect_err("too late").contains("can expire"));
    let late = [&u64::MAX.to_le_bytes()[..], &late].concat();
    assert!(restored(24, &late).expect_err("too late").contains("can expire"));
}

/// A name is nine characters of six bits, and ten bits of version follow.
fn module_identifier(name: &str) -> Vec<u8> {
    let characters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = name.bytes().fold(0u64, |bits, byte| {
        bits << 6 | characters.iter().position(|other| *other == byte).expect("a letter") as u64
    });
    [&[0x81][..], &(bits << 10 | 3).to_be_bytes()].concat()
}

#[test]
fn modules() {
    let identifier = module_identifier("ReJSON-RL");
    let parts =
        [&[1, 5][..], &[2, 6], &[3, 0, 0, 0, 0], &[4, 0, 0, 0, 0, 0, 0, 0, 0], &[5], &string(b"text"), &[0]];
    let auxiliary = [&[247][..], &identifier, &[2, 2], &parts.concat()].concat();
    let key = [&[0][..], &string(b"key"), &string(b"value")].concat();
    let items = decoded(&file("0011", &[&auxiliary, &key])).expect("it can be passed over");
    assert!(matches!(&items[0], Item::ModuleAuxiliary { module } if module == "ReJSON-RL"), "{items:?}");
    assert!(matches!(&items[1], Item::Entry(entry) if entry.key == b"key"));
    let value = [&[7][..], &string(b"doc"), &identifier, &parts.concat()].concat();
    let error = decoded(&file("0011", &[&key, &value])).expect_err("there are no modules");
    assert_eq!(error.key.as_deref(), Some(&b"doc"[..]));
    assert!(error.problem.contains("ReJSON-RL"), "{error}");
    for damaged in [&[247, 5, 1, 2][..], &[247, 5, 2, 2, 9]] {
        assert!(decoded(&file("0011", &[damaged])).is_err());
    }
}

#[test]
fn times_and_databases() {
    let key = |name: &[u8]| [&[0][..], &string(name), &string(b"v")].concat();
    let bytes = file(
        "0012",
        &[
            &[253, 0x00, 0xf1, 0x53, 0x65],
            &key(b"seconds"),
            &[254, 5, 244, 1, 1, 0, 252, 1, 0, 0, 0, 0, 0, 0, 0x80],
            &key(b"milliseconds"),
            &[248, 0x40, 200, 249, 17],
            &key(b"used"),
            &[252, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &key(b"minus one is none"),
        ],
    );
    let entries = entries(&bytes);
    let facts: Vec<_> =
        entries.iter().map(|entry| (entry.db, entry.expire_at_ms, entry.idle_s, entry.frequency)).collect();
    assert_eq!(
        facts,
        [
            (0, Some(1_700_000_000_000), None, None),
            (5, Some(i64::MIN + 1), None, None),
            (5, None, Some(200), Some(17)),
            (5, None, None, None)
        ]
    );
}

#[test]
fn what_is_no_file_is_refused() {
    for (bytes, problem) in [
        (&b"REDIS0013"[..], "version 13"),
        (b"REDIS0000", "version 0"),
        (b"REDIS00+1", "no number"),
        (b"VALKEY080", "Valkey 9"),
        (b"GARBAGE..", "REDIS"),
        (b"REDIS0011\x63", "type 99"),
        (b"REDIS0011\xf6", "Redis 7.0"),
        (b"REDIS0011\x06\x01k", "Redis 4.0"),
        (b"REDIS0011\x00\x82", "no length"),
        (b"REDIS0011\x00\xc4", "no string"),
        (b"REDIS0011\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff", "too long"),
        (b"REDIS0011\x00\x01k\xc3\x04\x81\xff\xff\xff\xff\xff\xff\xff\xff", "too long"),
        (b"REDIS0011\x00\x01k\xc3\x02\x80\x00\x10\x00\x00\x00a", "length that was said"),
        (b"REDIS0011\x02\x01k\x02\xc0\x01\x011", "twice"),
    ] {
        let error = decoded(bytes).expect_err(problem);
        assert!(error.to_string().contains(problem), "{error}");
    }
    // Digits are the integer that they are, however they are written.
    assert!(restored(2, b"\x02\xc0\x01\x011").is_err());
}

/// What claims to be huge takes no memory for it: there would not be enough.
#[test]
fn claims_are_not_believed() {
    let huge = [0x81, 0, 0x10, 0, 0, 0, 0, 0, 0];
    for value_type in [1, 2, 3, 4, 5, 14, 18, 22] {
        assert_eq!(restored(value_type, &huge).expect_err("nothing follows"), "it ends too early");
    }
    for value_type in [0, 9, 10, 11, 12, 13, 16, 17, 20, 23] {
        let claimed = [0x80, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(restored(value_type, &claimed).expect_err("nothing follows"), "it ends too early");
    }
}

/// Digits that a listpack has as bytes are found as the integer that they are.
#[test]
fn listpacks_become_canonical() {
    let odd = listpack(&[b"\x8212\x03", b"\x81v\x02", b"\xf1\x05\x00\x03", b"\x81w\x02"]);
    let Ok(Value::Hash(hash)) = restored(16, &string(&odd)) else { panic!("it is sound") };
    for field in [&b"12"[..], b"5"] {
        assert!(hash.as_ref().get(field, 0).is_some());
    }
    let twice = listpack(&[b"\x8212\x03", b"\x81v\x02", b"\x0c\x01", b"\x81w\x02"]);
    assert!(restored(16, &string(&twice)).expect_err("the same field").contains("twice"));
}

/// Members in another order than that of scores are put into it.
#[test]
fn sorted_sets_are_sorted() {
    let odd = listpack(&[b"\x81b\x02", b"\x02\x01", b"\x81a\x02", b"\x01\x01"]);
    let value = restored(17, &string(&odd)).expect("it is sound");
    assert_eq!(elements(&value), [&b"a"[..], b"1", b"b", b"2"]);
    for score in [&b"\x83nan\x04"[..], b"\x81x\x02"] {
        let odd = listpack(&[b"\x81b\x02", score]);
        assert!(restored(17, &string(&odd)).is_err());
    }
}

/// Whatever is changed in a payload, it is restored as something that can be walked, or refused.
#[test]
fn damaged_payloads_do_no_harm() {
    let rows = listpack(&[b"\x81b\x02", b"\x02\x01", b"\x8212\x03", b"\xf1\x05\x00\x03"]);
    let ziplist = b"\x11\0\0\0\x0d\0\0\0\x02\0\x00\x01a\x03\xfe\x05\xff".to_vec();
    let values: Vec<(u8, Vec<u8>)> = vec![
        (24, hash_with_times(true)),
        (16, string(&rows)),
        (17, string(&rows)),
        (20, string(&rows)),
        (18, [&[2, 2][..], &string(&rows), &[1], &string(b"plain")].concat()),
        (13, string(&ziplist)),
        (14, [&[1][..], &string(&ziplist)].concat()),
        (9, string(b"\x01\x01f\x01\x02v\0\0\xff")),
        (11, string(b"\x02\0\0\0\x02\0\0\0\x01\0\x02\0")),
        (0, b"\xc3\x05\x1e\x00a\xe0\x14\x00".to_vec()),
    ];
    for (value_type, value) in &values {
        assert!(restored(*value_type, value).is_ok(), "{value_type}: {:?}", restored(*value_type, value));
    }
    let mut random = fastrand::Rng::with_seed(9);
    let (mut sound, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let (value_type, value) = &values[random.usize(..values.len())];
        let mut value = value.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..value.len());
            match random.u8(..3) {
                0 => value[at] ^= 1 << random.u8(..8),
                1 => value[at] = random.u8(..),
                _ => value.truncate(at + 1),
            }
        }
        match restored(*value_type, &value) {
            Ok(value) => {
                sound += 1;
                assert!(!elements(&value).is_empty());
            }
            Err(_) => refused += 1,
        }
    }
    assert!(sound > 5000 && refused > 5000, "{sound} {refused}");
}
