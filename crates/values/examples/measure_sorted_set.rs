//! What a large sorted set costs: `cargo run --release -p tessera-values --example measure_sorted_set -- 5000000`.

#![expect(clippy::print_stdout, reason = "the results are for whoever runs it")]

use std::hint::black_box;
use std::time::Instant;
use tessera_values::{Collection, SortedSet, Thresholds};

const CALLS: u64 = 1_000_000;

/// A member of 16 bytes.
fn member(number: u64) -> [u8; 16] {
    let mut bytes = *b"member:000000000";
    let digits = number.to_string();
    bytes[16 - digits.len()..].copy_from_slice(digits.as_bytes());
    bytes
}

fn measure(what: &str, calls: u64, mut call: impl FnMut(u64)) {
    let start = Instant::now();
    (0..calls).for_each(&mut call);
    let ns = start.elapsed().as_nanos() / u128::from(calls.max(1));
    println!("{what:32} {ns:6} ns");
}

fn main() {
    let len = std::env::args().nth(1).and_then(|len| len.parse().ok()).unwrap_or(5_000_000);
    let thresholds = Thresholds::default();
    for (order, spread) in [("scores at random", 1u64 << 40), ("scores ascending", 0), ("one score", 1)] {
        let mut random = fastrand::Rng::with_seed(1);
        let mut set = SortedSet::default();
        let mut numbers: Vec<u64> = (0..len).collect();
        if spread > 0 {
            random.shuffle(&mut numbers);
        }
        let mut score_of = |number: u64| match spread {
            0 => number as f64,
            spread => random.u64(..spread) as f64,
        };
        println!("{len} members, {order}");
        measure("ZADD of a new member", len, |call| {
            let number = numbers[call as usize];
            set.set(&member(number), score_of(number), &thresholds);
        });
        println!("{:32} {:6}", "bytes for each member", set.allocated_bytes() as u64 / len);
        let mut random = fastrand::Rng::with_seed(2);
        measure("ZSCORE", CALLS, |_| {
            black_box(set.as_ref().score(&member(random.u64(..len))));
        });
        measure("ZRANK", CALLS, |_| {
            black_box(set.as_ref().rank(&member(random.u64(..len))));
        });
        measure("ZRANGE of one, by rank", CALLS, |_| {
            let rank = random.usize(..len as usize);
            black_box(set.as_ref().range(rank..rank + 1).next());
        });
        measure("ZADD of another score", CALLS, |_| {
            set.set(&member(random.u64(..len)), random.u64(..1 << 40) as f64, &thresholds);
        });
        measure("ZREM and ZADD", CALLS, |_| {
            let member = member(random.u64(..len));
            let score = set.remove(&member).unwrap_or_default();
            set.set(&member, score, &thresholds);
        });
        measure("ZREM", len * 9 / 10, |call| {
            black_box(set.remove(&member(numbers[call as usize])));
        });
        println!("{:32} {:6}", "bytes for each that is left", set.allocated_bytes() / set.len());
    }
}
