//! The table against a model, and its invariants after every kind of change.

use super::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use tessera_values::hash::FieldExpire;
use tessera_values::listpack::Element;
use tessera_values::{
    Digits, Hash, List, ListRef, Set, SortedSet, StringRef, StringValue, Thresholds, Value, ValueRef,
};

fn table() -> Table {
    Table::new(RandomState::with_seeds(1, 2, 3, 4))
}

fn insert(table: &mut Table, key: &[u8], bytes: &[u8], expire_at_ms: Option<i64>) {
    table.insert_new(OwnedEntry::new(key, Content::Bytes(bytes), expire_at_ms, 0));
}

fn numbered(number: u32) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

fn text(entry: Entry<'_>) -> Vec<u8> {
    let ValueRef::String(string) = entry.value() else { panic!("all values here are strings") };
    string.as_bytes(&mut Digits::new()).to_vec()
}

/// Panics if the table is not what it should be.
pub(super) fn check(table: &Table) {
    let (mut totals, mut met) = (Totals::default(), vec![0; table.branches.len()]);
    for branch in &table.directory {
        met[*branch as usize] += 1;
    }
    for (branch, met) in table.branches.iter().zip(met) {
        assert_eq!(met, 1 << (table.directory_bits - branch.depth));
        branch.check();
        for segment in &branch.segments {
            totals.bucket_count += segment.bucket_count();
            let mut volatile = Vec::new();
            assert_eq!(segment.slots().count(), segment.len());
            for slot in segment.slots() {
                let entry = table.entry(slot).unwrap();
                assert_eq!(slot.tag(), tag_at(table.hash(entry.key()), segment.depth()));
                assert_eq!(slot.is_volatile(), entry.expire_at_ms().is_some());
                volatile.extend(entry.expire_at_ms());
                totals.add(entry);
            }
            assert_eq!(usize::from(segment.volatile_len), volatile.len());
            assert!(segment.is_due_in_time(volatile.into_iter()));
        }
    }
    assert_eq!(totals, table.totals);
    assert!(table.iter().all(|entry| table.get(entry.key()).is_some()));
}

#[test]
fn agrees_with_a_model_while_it_grows_and_shrinks() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut table, mut model) = (table(), BTreeMap::<Vec<u8>, (Vec<u8>, Option<i64>)>::new());
    // Up and down again, twice, past the size at which branches split.
    for (phase, removals) in [20, 80, 30, 95].into_iter().enumerate() {
        for step in 0..120_000u32 {
            let key = numbered(random.u32(..90_000));
            let expire_at_ms = random.bool().then(|| random.i64(..1000));
            if random.u32(..100) < removals {
                let removed = table.remove(&key).map(OwnedEntry::into_parts);
                let expected = model
                    .remove(&key)
                    .map(|(bytes, at_ms)| (Value::String(StringValue::fixed(&bytes)), at_ms));
                assert_eq!(removed, expected, "phase {phase} step {step}");
            } else {
                let bytes = vec![b'v'; random.usize(..100)];
                match table.get_mut(&key) {
                    Some(mut entry) => drop(entry.put(Content::Bytes(&bytes), expire_at_ms)),
                    None => insert(&mut table, &key, &bytes, expire_at_ms),
                }
                model.insert(key, (bytes, expire_at_ms));
            }
            assert_eq!(table.len(), model.len());
        }
        check(&table);
        for (key, (bytes, expire_at_ms)) in &model {
            let entry = table.get(key).unwrap();
            assert_eq!((text(entry), entry.expire_at_ms()), (bytes.clone(), *expire_at_ms));
        }
        if removals < 50 {
            assert!(table.branches.len() > 1, "the test is about splitting");
        }
    }
    let full_bytes = table.allocated_bytes();
    for key in model.keys() {
        assert!(table.remove(key).is_some());
    }
    check(&table);
    assert!(table.is_empty());
    assert!(table.allocated_bytes() < 1000, "one segment is left, of {full_bytes} bytes before");
}

#[test]
fn what_changes_where_it_is_is_in_the_books() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..200 {
        let mut table = table();
        for number in 0..4 {
            insert(&mut table, &numbered(number), b"text", random.bool().then_some(1000));
        }
        // Of so few keys each counts: the next that expires is mostly the one that has changed.
        for step in 0..10 {
            let mut entry = table.get_mut(&numbered(random.u32(..4))).unwrap();
            if random.bool() {
                entry.set_expire((random.u8(..4) > 0).then(|| random.i64(..1000)));
            } else {
                let len_bytes = random.usize(..200);
                entry.change_raw(|bytes| bytes.resize(len_bytes, b'x')).unwrap();
            }
            check(&table);
            assert_eq!(table.len(), 4, "step {step}");
        }
    }
}

#[test]
fn memory_comes_back_as_keys_go() {
    let mut table = table();
    let mut bytes_per_key_max: f64 = 0.0;
    for number in 0..200_000u32 {
        insert(&mut table, &numbered(number), b"value", None);
        if number > 2000 {
            bytes_per_key_max = bytes_per_key_max.max(table.allocated_bytes() as f64 / f64::from(number));
        }
    }
    assert!(bytes_per_key_max < 12.0, "{bytes_per_key_max}");
    let most = table.allocated_bytes();
    for number in 0..190_000 {
        table.remove(&numbered(number)).unwrap();
    }
    check(&table);
    assert!(table.allocated_bytes() * 10 < most, "{} of {most}", table.allocated_bytes());
}

#[test]
fn entries_of_all_kinds_are_what_they_were_given() {
    let long_key = vec![b'k'; 300];
    let keys: [&[u8]; 5] = [b"", b"key", &[0; 255], &[1; 256], &long_key];
    let boxed = Value::String(StringValue::raw(b"grown".to_vec()));
    for key in keys {
        for expire_at_ms in [None, Some(0), Some(i64::MIN), Some(i64::MAX)] {
            for len in [0, 1, 8, 63, 64, 65, 100, 500, 512, 600, 4096, 70_000, (1 << 24) - 1, 1 << 24] {
                let bytes = vec![7u8; len];
                let entry = OwnedEntry::new(key, Content::Bytes(&bytes), expire_at_ms, 5);
                let seen = entry.as_entry();
                assert_eq!((seen.key(), seen.expire_at_ms(), seen.usage_bits()), (key, expire_at_ms, 5));
                assert_eq!(text(seen), bytes);
                assert!(seen.allocated_bytes() >= key.len() + len);
                let parts = entry.into_parts();
                assert_eq!(parts, (Value::String(StringValue::fixed(&bytes)), expire_at_ms));
                let again = OwnedEntry::new(key, Content::Owned(parts.0), expire_at_ms, 5);
                assert_eq!(text(again.as_entry()), bytes);
            }
            for value in [Value::String(StringValue::integer(-7)), boxed.clone()] {
                let entry = OwnedEntry::new(key, Content::Owned(value.clone()), expire_at_ms, 0);
                assert_eq!(entry.as_entry().value(), value.as_ref());
                assert_eq!(entry.into_parts(), (value, expire_at_ms));
            }
        }
    }
}

#[test]
fn any_content_may_follow_any_other() {
    let lens = [0, 1, 7, 20, 40, 41, 64, 512, 513, 5000];
    let contents: Vec<Value> = lens
        .iter()
        .map(|len| Value::String(StringValue::fixed(&vec![b'a'; *len])))
        .chain([
            Value::String(StringValue::integer(i64::MIN)),
            Value::String(StringValue::raw(vec![b'b'; 30])),
        ])
        .collect();
    let mut table = table();
    insert(&mut table, b"the key", b"first", None);
    for before in &contents {
        for after in &contents {
            for expire_at_ms in [None, Some(3), Some(4)] {
                table.get_mut(b"the key").unwrap().put(Content::Owned(before.clone()), expire_at_ms);
                let mut entry = table.get_mut(b"the key").unwrap();
                let ValueRef::String(string) = after.as_ref() else { panic!("all values here are strings") };
                match string {
                    StringRef::Integer(value) => entry.put(Content::Integer(value), Some(4)),
                    StringRef::Fixed(bytes) => entry.put(Content::Bytes(bytes), Some(4)),
                    StringRef::Growing(_) => entry.put(Content::Owned(after.clone()), Some(4)),
                };
                assert_eq!(entry.as_entry().value(), after.as_ref());
                assert_eq!(entry.as_entry().expire_at_ms(), Some(4));
                entry.set_expire(expire_at_ms);
                assert_eq!(entry.change_raw(|bytes| bytes.push(b'x')), Some(()));
                let mut bytes = string.as_bytes(&mut Digits::new()).to_vec();
                bytes.push(b'x');
                assert_eq!(text(entry.as_entry()), bytes);
                assert_eq!(entry.as_entry().expire_at_ms(), expire_at_ms);
                entry.set_string(StringValue::integer(12));
                assert_eq!(text(entry.as_entry()), b"12");
                check(&table);
            }
        }
    }
}

#[test]
fn values_that_fit_are_overwritten_where_they_are() {
    let mut table = table();
    insert(&mut table, b"key:000000000001", &[1; 64], None);
    let address = |table: &Table| table.iter().map(|entry| entry.key().as_ptr()).next();
    let before = address(&table);
    table.get_mut(b"key:000000000001").unwrap().put(Content::Bytes(&[2; 60]), None);
    assert_eq!(address(&table), before);
    table.get_mut(b"key:000000000001").unwrap().put(Content::Bytes(&[2; 600]), None);
    assert_ne!(address(&table), before);
    check(&table);
}

#[test]
fn a_scan_sees_what_stays_whatever_else_changes() {
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut table = table();
        for number in 0..5000 {
            insert(&mut table, &numbered(number), b"", None);
        }
        let (mut seen, mut position, mut next) = (BTreeMap::<Vec<u8>, u32>::new(), Some(0), 5000);
        // Growing, shrinking, or neither.
        let (added, removed) = [(40, 0), (0, 40), (20, 20)][seed as usize % 3];
        while let Some(at) = position {
            position = table.scan(at, 10, |entry| *seen.entry(entry.key().to_vec()).or_default() += 1);
            for _ in 0..added {
                insert(&mut table, &numbered(next), b"", None);
                next += 1;
            }
            for _ in 0..removed {
                let number = random.u32(500..next);
                table.remove(&numbered(number));
            }
        }
        for number in 0..500 {
            let times = seen.get(&numbered(number)).copied().unwrap_or(0);
            // Only shrinking may show a key twice.
            assert!(times == 1 || removed > 0 && times > 1, "seed {seed}: {number} seen {times} times");
        }
    }
}

#[test]
fn a_scan_from_every_cursor_shows_the_rest() {
    let mut table = table();
    for number in 0..3000 {
        insert(&mut table, &numbered(number), b"", None);
    }
    let mut hashes: Vec<u64> = table.iter().map(|entry| table.hash(entry.key())).collect();
    hashes.sort_unstable();
    let mut random = fastrand::Rng::with_seed(5);
    for cursor in (0..400).map(|_| random.u64(..1 << CURSOR_BITS)).chain([0, (1 << CURSOR_BITS) - 1]) {
        let mut visited = Vec::new();
        let end = table.scan(cursor, usize::MAX, |entry| {
            visited.push(table.hash(entry.key()));
        });
        assert_eq!(end, None);
        let from = cursor.reverse_bits();
        let missing = hashes.iter().filter(|hash| **hash >= from).any(|hash| !visited.contains(hash));
        assert!(!missing, "from {cursor:x}");
        assert!(visited.len() <= hashes.iter().filter(|hash| **hash >= from).count() + 2);
    }
}

/// Clients keep them as signed numbers or as doubles; many people look at them.
#[test]
fn cursors_are_about_as_large_as_the_table() {
    for len in [0, 1, 10, 1000, 50_000] {
        let mut table = table();
        (0..len).for_each(|number| insert(&mut table, &numbered(number), b"", None));
        for count in [1, 10, 500] {
            let (mut cursor, mut visited) = (0, 0);
            while let Some(next) = table.scan(cursor, count, |_| visited += 1) {
                assert!(next > 0 && next < 1 << CURSOR_BITS);
                // Two keys in a row may lie closer together than most do.
                assert!(next < 64 * u64::from(len) * u64::from(len), "{next} of {len}");
                cursor = next;
            }
            assert_eq!(visited, len);
        }
    }
}

#[test]
fn keys_too_close_for_a_cursor_are_shown_together() {
    // As positions, of which a cursor tells the leading bits only.
    let unit = 1 << (48 - CURSOR_BITS);
    assert_eq!(super::scan::between(5 * unit, 6 * unit - 1), None);
    assert_eq!(super::scan::between(5 * unit, 6 * unit), Some(6 * unit));
    assert_eq!(super::scan::between(5 * unit + 3, 8 * unit + 7), Some(8 * unit));
    assert_eq!(super::scan::between(7 * unit, 7 * unit), None);
}

#[test]
fn a_scan_step_is_as_long_as_asked() {
    let mut table = table();
    for number in 0..5000 {
        insert(&mut table, &numbered(number), b"", None);
    }
    for count in [1, 10, 100, 1000] {
        let mut visited = 0;
        table.scan(0, count, |_| visited += 1);
        assert_eq!(visited, count);
    }
}

#[test]
fn random_entries_are_spread_evenly() {
    let mut table = table();
    for number in 0..3000 {
        insert(&mut table, &numbered(number), b"", None);
    }
    // An uneven table: most of the first half of the keys go.
    for number in 0..1400 {
        table.remove(&numbered(number));
    }
    let mut random = fastrand::Rng::with_seed(3);
    let mut drawn = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..160_000 {
        *drawn.entry(table.random(&mut random).unwrap().key().to_vec()).or_default() += 1;
    }
    assert_eq!(drawn.len(), 1600);
    // 100 draws are expected of each; 6 standard deviations are 60.
    assert!(drawn.values().all(|count| (40..160).contains(count)));
}

#[test]
fn samples_are_of_the_kind_asked_for() {
    let mut table = table();
    for number in 0..20_000 {
        insert(&mut table, &numbered(number), b"", (number % 5000 == 7).then_some(99));
    }
    let mut random = fastrand::Rng::with_seed(3);
    let mut volatile = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..1000 {
        let mut visited = 0;
        table.sample(true, 2, &mut random, |entry| {
            assert!(entry.expire_at_ms().is_some());
            *volatile.entry(entry.key().to_vec()).or_default() += 1;
            visited += 1;
        });
        assert_eq!(visited, 2);
    }
    assert_eq!(volatile.len(), 4, "{volatile:?}");
    let mut all = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..20_000 {
        table.sample(false, 5, &mut random, |entry| *all.entry(entry.key().to_vec()).or_default() += 1);
    }
    // Five draws of each are expected: hardly any (one in 150) is never drawn.
    assert!(all.len() > 19_000, "{}", all.len());
}

#[test]
fn expired_entries_are_found_and_few_are_left_late() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut table = table();
    let mut expiries = BTreeMap::new();
    for number in 0..50_000 {
        let at_ms = (number % 3 != 0).then(|| random.i64(..1_000_000));
        insert(&mut table, &numbered(number), b"v", at_ms);
        expiries.extend(at_ms.map(|at_ms| (numbered(number), at_ms)));
    }
    for now_ms in (0..=1_020_000).step_by(17_000) {
        while let Some(taken) = table.take_expired(now_ms) {
            for entry in taken {
                let at_ms = expiries.remove(entry.as_entry().key()).expect("is volatile and still there");
                assert!(at_ms < now_ms);
            }
        }
        let late = expiries.values().filter(|at_ms| **at_ms < now_ms).count();
        // A sixteenth, and what rounding up leaves in a segment.
        assert!(late * 12 <= expiries.len(), "at {now_ms}: {late} of {}", expiries.len());
        assert_eq!(table.totals().volatile_len, expiries.len());
        check(&table);
    }
    assert!(expiries.is_empty());
    assert_eq!(table.len(), 50_000usize.div_ceil(3));
}

#[test]
fn segments_are_freed_one_at_a_time() {
    let mut table = table();
    for number in 0..5000 {
        insert(&mut table, &numbered(number), b"", None);
    }
    let mut times = 0;
    while table.free_one_segment(drop) {
        times += 1;
    }
    assert!(times > 10);
}

/// Has every block moved for which `is_sparse` says so. How many were, and how many were not.
fn defragment(table: &mut Table, is_sparse: &dyn Fn(*const u8) -> bool, buckets: usize) -> (u64, u64) {
    let mut moves = Moves::new(is_sparse);
    moves.elements_max = 1000;
    let mut position = Some(0);
    let mut left = buckets;
    while let Some(at) = position
        && left > 0
    {
        position = table.defragment_bucket(at, &mut moves);
        left -= 1;
    }
    assert!(left == 0 || moves.key_hits + moves.key_misses == table.len() as u64);
    (moves.hits, moves.misses)
}

/// A value of any kind, and of any way to keep it.
fn any_value(random: &mut fastrand::Rng) -> Value {
    let count = [1, 1, 5, 5, 5, 200, 200, 700][random.usize(..8)];
    let len = [1, 30, 300, 5000][random.usize(..4)];
    let thresholds = Thresholds::default();
    let bytes = |number: usize| {
        let mut bytes = vec![b'e'; if count > 100 { len.min(60) } else { len }];
        bytes.extend_from_slice(number.to_string().as_bytes());
        bytes
    };
    match random.u8(..8) {
        0 => Value::String(StringValue::integer(random.i64(..))),
        1 => Value::String(StringValue::raw(bytes(0))),
        2 => {
            let elements: Vec<Vec<u8>> = (0..count).map(bytes).collect();
            List::stored(elements.iter().map(Vec::as_slice), -2).into()
        }
        3 => {
            let mut hash = Hash::default();
            for number in 0..count {
                hash.set(&bytes(number), b"value", FieldExpire::Clear, &thresholds);
            }
            hash.into()
        }
        4 => {
            let mut set = Set::default();
            for number in 0..count {
                set.add(Element::new(&bytes(number)), &thresholds);
            }
            set.into()
        }
        5 => {
            let mut set = Set::default();
            for number in 0..count {
                set.add(Element::Integer(number as i64), &thresholds);
            }
            set.into()
        }
        6 => {
            let mut sorted_set = SortedSet::default();
            for number in 0..count {
                sorted_set.set(&bytes(number), number as f64, &thresholds);
            }
            sorted_set.into()
        }
        _ => Value::String(StringValue::fixed(&bytes(0))),
    }
}

#[test]
fn what_moves_stays_what_and_where_it_was() {
    for seed in 0..4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut table, mut model) = (table(), BTreeMap::new());
        let draw = RefCell::new(random.fork());
        for step in 0..1500 {
            let len = [8, 40, 300, 5000][random.usize(..4)];
            let mut key = numbered(random.u32(..150));
            key.resize(key.len().max(len * usize::from(key[4] == b'7')), b'k');
            let expire_at_ms = random.bool().then(|| random.i64(..1000));
            match random.u8(..8) {
                0..3 => {
                    assert_eq!(table.remove(&key).map(OwnedEntry::into_parts), model.remove(&key));
                }
                _ => {
                    let value = any_value(&mut random);
                    let (content, usage) = (Content::Owned(value.clone()), random.u32(..1 << USE_BITS));
                    match table.get_mut(&key) {
                        Some(mut entry) => drop(entry.put(content, expire_at_ms)),
                        None => table.insert_new(OwnedEntry::new(&key, content, expire_at_ms, usage)),
                    }
                    model.insert(key, (value, expire_at_ms));
                }
            }
            if step % 50 == 0 {
                let share = [1, 2, 10][random.usize(..3)];
                let usage = |table: &Table| -> Vec<u32> { table.iter().map(Entry::usage_bits).collect() };
                let before = usage(&table);
                let all = [5, usize::MAX][random.usize(..2)];
                defragment(&mut table, &|_| draw.borrow_mut().u8(..share) == 0, all);
                // In the same order too.
                assert_eq!(usage(&table), before);
                check(&table);
                for (key, (value, expire_at_ms)) in &model {
                    let entry = table.get(key).unwrap();
                    assert_eq!((entry.value(), entry.expire_at_ms()), (value.as_ref(), *expire_at_ms));
                }
                assert_eq!(table.len(), model.len());
            }
        }
    }
}

#[test]
fn all_that_had_better_move_has_moved_after_a_pass() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut table = table();
    let long_key = [7; 300];
    insert(&mut table, &long_key, b"value", None);
    for number in 0..20_000 {
        let expire_at_ms = (number % 3 == 0).then_some(i64::from(number));
        insert(&mut table, &numbered(number), &vec![b'v'; random.usize(..600)], expire_at_ms);
    }
    // Everything that there is stands on a bad page, and nothing that comes.
    let met = RefCell::new(BTreeSet::new());
    let (hits, misses) = defragment(
        &mut table,
        &|address| {
            met.borrow_mut().insert(address.addr());
            true
        },
        usize::MAX,
    );
    assert_eq!(misses, 0);
    assert!(hits > 20_001 + 20_001 * 8 / 512, "entries and buckets: {hits}");
    // Each block is asked for once, except for those that were freed and given out again.
    assert!(met.borrow().len() as u64 <= hits);
    check(&table);
    let (again, all) = defragment(&mut table, &|_| false, usize::MAX);
    assert_eq!((again, all), (0, hits));
}

#[test]
fn what_is_large_stays_and_what_may_grow_keeps_its_room() {
    let mut table = table();
    let mut raw = Vec::with_capacity(1000);
    raw.extend_from_slice(b"raw");
    let large = List::stored(std::iter::repeat_n(b"element".as_slice(), 1001), -2);
    let heavy = List::stored(std::iter::repeat_n(vec![b'e'; 3000].as_slice(), 100), -2);
    let values: [Value; 5] = [
        StringValue::raw(raw).into(),
        large.into(),
        heavy.into(),
        StringValue::fixed(&vec![b'f'; 600_000]).into(),
        StringValue::raw(vec![b'g'; 600_000]).into(),
    ];
    for (number, value) in values.into_iter().enumerate() {
        table.insert_new(OwnedEntry::new(&numbered(number as u32), Content::Owned(value), None, 0));
    }
    let addresses = |table: &Table| -> Vec<usize> {
        let inside = |entry: Entry<'_>| match entry.value() {
            ValueRef::String(StringRef::Fixed(bytes) | StringRef::Growing(bytes)) => bytes.as_ptr().addr(),
            ValueRef::List(ListRef::Nodes(nodes)) => {
                nodes.get(nodes.first().unwrap()).unwrap().as_bytes().as_ptr().addr()
            }
            _ => unreachable!(),
        };
        (0..5).map(|number| inside(table.get(&numbered(number)).unwrap())).collect()
    };
    let (before, before_bytes) = (addresses(&table), table.totals().entry_bytes);
    defragment(&mut table, &|_| true, usize::MAX);
    let after = addresses(&table);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
    assert_eq!(table.totals().entry_bytes, before_bytes, "the room to grow is still there");
    check(&table);
}
