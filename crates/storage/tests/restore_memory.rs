//! What restoring a payload of many tiny elements takes at its worst moment. By itself in a program, whose memory is
//! asked for.

use std::fs;
use tessera_storage::checksum::crc64;
use tessera_storage::rdb::restore;
use tessera_values::{Thresholds, Value};

const ELEMENTS: u32 = 2_000_000;
/// Numbers of types in RDB.
const LIST_ZIPLIST: u8 = 10;
const LIST_QUICKLIST: u8 = 14;
const LIST_QUICKLIST_2: u8 = 18;
const HASH_LISTPACK_TIMES: u8 = 25;

fn string(bytes: &[u8]) -> Vec<u8> {
    [&[0x80][..], &(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn payload(value_type: u8, value: &[&[u8]]) -> Vec<u8> {
    let mut out = [&[value_type], &value.concat()[..], &12u16.to_le_bytes()[..]].concat();
    out.extend_from_slice(&crc64(&out).to_le_bytes());
    out
}

/// So many entries that are the number 1, of two bytes each.
fn ziplist() -> Vec<u8> {
    let len = 11 + 2 * ELEMENTS;
    let mut out = [len.to_le_bytes(), (len - 3).to_le_bytes()].concat();
    out.extend_from_slice(&[0xff, 0xff, 0, 0xf2]);
    (1..ELEMENTS).for_each(|_| out.extend_from_slice(&[2, 0xf2]));
    out.push(0xff);
    out
}

fn listpack(content: &[u8]) -> Vec<u8> {
    let len = content.len() as u32 + 7;
    [&len.to_le_bytes()[..], &[0xff, 0xff], content, &[0xff]].concat()
}

/// Fields that are numbers, with values and times that are in the wrong order.
fn rows() -> Vec<u8> {
    let mut out = Vec::new();
    for number in 0..ELEMENTS / 8 {
        out.push(0xf3);
        out.extend_from_slice(&(number + (1 << 24)).to_le_bytes());
        out.extend_from_slice(&[5, 1, 1, 0xf4]);
        out.extend_from_slice(&(u64::from(ELEMENTS - number) << 26).to_le_bytes());
        out.push(9);
    }
    listpack(&out)
}

/// The most memory that was ever resident since the last call of [`forget_peak`], in bytes.
fn peak_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[test]
fn restoring_takes_a_few_times_what_is_restored() {
    let pack = listpack(&[1, 1].repeat(ELEMENTS as usize));
    let thresholds = Thresholds { hash_max_listpack_entries: u64::MAX, ..Thresholds::default() };
    for (value_type, before, content) in [
        (LIST_ZIPLIST, &[][..], ziplist()),
        (LIST_QUICKLIST, &[1], ziplist()),
        (LIST_QUICKLIST_2, &[1, 2], pack),
        (HASH_LISTPACK_TIMES, &[0; 8], rows()),
    ] {
        let payload = payload(value_type, &[before, &string(&content)]);
        forget_peak();
        let start = peak_bytes();
        let value = restore(&payload, &thresholds).unwrap();
        let taken = peak_bytes() - start;
        let len = if matches!(value, Value::Hash(_)) { ELEMENTS / 8 } else { ELEMENTS };
        assert_eq!(value.as_ref().elements_len(), len as usize);
        assert!(taken < 6 * content.len(), "type {value_type}: {} bytes take {taken}", content.len());
    }
}
