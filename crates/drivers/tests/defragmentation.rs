//! With the real allocator: after most keys of a shard went at random, memory goes back to the system only when the
//! others have been moved together.

use tessera_drivers::memory::{self, Allocator, Resident, allocated_bytes};
use tessera_keyspace::{DefragCounts, DefragPass, Event, Expire, Shard};
use tessera_values::hash::FieldExpire;
use tessera_values::{Digits, Hash, List, SortedSet, StringValue, Value, ValueRef};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

const KEYS: u32 = 200_000;
const MB: u64 = 1 << 20;

fn resident_bytes() -> u64 {
    memory::purge();
    Resident::of_process().heap_bytes()
}

fn key(number: u32) -> Vec<u8> {
    let len = if number.is_multiple_of(100) { 300 } else { 16 };
    format!("{number:0len$}").into_bytes()
}

fn value(number: u32) -> Value {
    let bytes = |len: usize| vec![number as u8; len];
    let fields = (0..20u8).map(|field| [bytes(70), vec![field]].concat());
    match number % 50 {
        0 => {
            let mut hash = Hash::default();
            fields.for_each(|field| _ = hash.set(&field, b"value", FieldExpire::Clear, &Default::default()));
            hash.into()
        }
        1 => List::stored(fields.collect::<Vec<_>>().iter().map(Vec::as_slice), -2).into(),
        2 => {
            let mut sorted_set = SortedSet::default();
            fields.for_each(|member| _ = sorted_set.set(&member, f64::from(member[70]), &Default::default()));
            sorted_set.into()
        }
        3 => StringValue::raw(bytes(500)).into(),
        // Apart from its entry.
        4 => StringValue::fixed(&bytes(4096)).into(),
        _ => StringValue::fixed(&bytes(64)).into(),
    }
}

fn pass(shard: &mut Shard) -> DefragCounts {
    let mut pass = DefragPass::default();
    while shard.defragment_some(&mut pass, 1000, &memory::is_sparse, || true) {}
    pass.counts
}

#[test]
fn memory_goes_back_after_most_keys_went_at_random() {
    memory::start_giving_back().unwrap();
    let base_bytes = resident_bytes() - allocated_bytes();
    let mut random = fastrand::Rng::with_seed(1);
    let mut shard = Shard::new(1, 1);
    for number in 0..KEYS {
        let expire = if number.is_multiple_of(3) { Expire::AtMs(1000) } else { Expire::Clear };
        shard.view_mut(0, true).put(&key(number), value(number), expire, Event::Set);
    }
    let full_bytes = resident_bytes();
    let counts = pass(&mut shard);
    assert!(counts.hits * 50 < counts.misses, "nothing had better move: {counts:?}");
    let mut numbers: Vec<u32> = (0..KEYS).collect();
    random.shuffle(&mut numbers);
    let (gone, left) = numbers.split_at(KEYS as usize * 9 / 10);
    for number in gone {
        assert!(shard.view_mut(0, true).delete(&key(*number)));
    }
    while shard.reclaim(100) {}
    let (sparse_bytes, used_bytes) = (resident_bytes(), allocated_bytes());
    assert!(sparse_bytes > full_bytes / 2, "it is about sparse pages: {full_bytes}, {sparse_bytes}");
    let counts = pass(&mut shard);
    assert!(counts.key_hits > left.len() as u64 / 2, "{counts:?}");
    assert_eq!(counts.key_hits + counts.key_misses, left.len() as u64);
    let dense_bytes = resident_bytes();
    assert!(allocated_bytes() <= used_bytes + MB);
    assert!(
        // Each length of block has a page that is not full, of up to half a megabyte.
        dense_bytes < base_bytes + used_bytes + used_bytes / 4 + 4 * MB && dense_bytes < sparse_bytes / 2,
        "resident: {base_bytes}, {full_bytes}, then {sparse_bytes}, then {dense_bytes}; of that used: {used_bytes}"
    );
    // There is not much left to do.
    let again = pass(&mut shard);
    assert!(again.hits * 10 < counts.hits, "{again:?} after {counts:?}");
    let view = shard.view(0, false);
    for number in left {
        let found = view.peek(&key(*number)).unwrap().value();
        if let ValueRef::String(string) = found {
            let expected = value(*number);
            let ValueRef::String(expected) = expected.as_ref() else { panic!("a string was put") };
            assert_eq!(string.as_bytes(&mut Digits::new()), expected.as_bytes(&mut Digits::new()));
        }
        assert_eq!(found, value(*number).as_ref());
    }
}
