//! How fast values are written, compressed and summed up:
//! `cargo run --release -p tessera-storage --example measure_encode`. Counted is the time on a processor (Linux tells
//! it), so that others on the machine matter less.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::hint::black_box;
use tessera_storage::checksum::crc64;
use tessera_storage::lzf;
use tessera_storage::rdb::{EncodeOptions, EntryEncoder, KeyFacts, put_entry};
use tessera_values::{Collection, SortedSet, StringRef, Thresholds, ValueRef};

/// Nanoseconds on a processor so far.
fn processor_ns() -> u64 {
    let times =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with scheduler statistics");
    times.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number of nanoseconds")
}

/// Runs `work` for about half a second; how many units a second, if each time is `units`.
fn rate(units: usize, mut work: impl FnMut()) -> f64 {
    let (start_ns, mut times, mut batch) = (processor_ns(), 0, 1);
    loop {
        (0..batch).for_each(|_| work());
        times += batch;
        let elapsed_ns = processor_ns() - start_ns;
        if elapsed_ns > 500_000_000 {
            return (units * times) as f64 / (elapsed_ns as f64 / 1e9);
        }
        if elapsed_ns < 50_000_000 {
            batch *= 2;
        }
    }
}

fn text(random: &mut fastrand::Rng, len_bytes: usize) -> Vec<u8> {
    let words = ["{\"name\":", "\"value\",", "\"id\":", "12345,", "[1,2,3],", "\"user\",", "true,", "null}"];
    let mut text = Vec::new();
    while text.len() < len_bytes {
        text.extend_from_slice(words[random.usize(..words.len())].as_bytes());
        text.extend_from_slice(random.u16(..).to_string().as_bytes());
    }
    text.truncate(len_bytes);
    text
}

fn main() {
    let mut random = fastrand::Rng::with_seed(1);
    let bytes: Vec<u8> = (0..1 << 20).map(|_| random.u8(..)).collect();
    println!("CRC-64: {:.2} GB/s", rate(bytes.len(), || _ = black_box(crc64(black_box(&bytes)))) / 1e9);

    for len in [64, 200, 2000, 20_000, 262_144] {
        let (noise, text) = (bytes[..len].to_vec(), text(&mut random, len));
        let mut out = Vec::with_capacity(2 * len);
        let mut speed = |input: &[u8]| {
            rate(len, || {
                out.clear();
                black_box(lzf::compress(black_box(input), len - 4, &mut out));
            }) / 1e6
        };
        let (noise, readable) = (speed(&noise), speed(&text));
        println!("LZF, {len} bytes: {noise:.0} MB/s of noise, {readable:.0} MB/s of text into {}", out.len());
        let packed = out.clone();
        let unpacked = rate(len, || drop(black_box(lzf::decompress(black_box(&packed), len)))) / 1e6;
        println!("    and back: {unpacked:.0} MB/s");
    }

    let mut out = Vec::with_capacity(1 << 16);
    for compress in [false, true] {
        let (options, facts) = (EncodeOptions { compress }, KeyFacts::default());
        let entries = rate(1, || {
            if out.len() > 1 << 15 {
                out.clear();
            }
            let value = ValueRef::String(StringRef::Fixed(black_box(&bytes[..64])));
            put_entry(&mut out, black_box(b"key:000000000001"), value, &facts, options);
        });
        println!("entries of 64 random bytes, compress {compress}: {:.1} M/s", entries / 1e6);
    }

    let (mut sorted_set, thresholds) = (SortedSet::default(), Thresholds::default());
    for number in 0..1_000_000u32 {
        sorted_set.set(format!("member:{number}").as_bytes(), random.f64(), &thresholds);
    }
    let (value, options) = (ValueRef::SortedSet(sorted_set.as_ref()), EncodeOptions { compress: true });
    for len_bytes in [4096, 65_536, usize::MAX] {
        let elements = rate(1_000_000, || {
            out.clear();
            let mut entry = EntryEncoder::begin(&mut out, b"key", value, &KeyFacts::default(), options);
            while entry.write_some(value, len_bytes, &mut out) {
                out.clear();
            }
        });
        println!("a million sorted members in pieces of {len_bytes}: {:.1} M/s", elements / 1e6);
    }
}
