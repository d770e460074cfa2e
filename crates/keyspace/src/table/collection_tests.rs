//! Collections in entries against a model: in the entry's block, in a box, and on their way from one to the other.

use super::raw::INLINE_COLLECTION_MAX_BYTES;
use super::{Content, Entry, OwnedEntry, tests};
use crate::{Event, EvictionPolicy, Expire, Shard, ViewMut};
use fastrand::Rng;
use std::collections::BTreeMap;
use tessera_values::hash::FieldExpire;
use tessera_values::list::End;
use tessera_values::listpack::Element;
use tessera_values::{
    Collection, FlatKind, Hash, List, Set, SortedSet, StringValue, Thresholds, Value, ValueRef,
};

/// Values, of which each is changed in the same way as that of the key, and expiries.
type Model = BTreeMap<Vec<u8>, (Value, Option<i64>)>;

fn thresholds() -> Thresholds {
    Thresholds { set_max_intset_entries: 150, set_max_listpack_entries: 40, ..Thresholds::default() }
}

fn bytes(random: &mut Rng, max_len: usize) -> Vec<u8> {
    match random.u8(..3) {
        0 => random.i64(-200_000..200_000).to_string().into_bytes(),
        _ => (0..random.usize(..max_len)).map(|_| random.alphanumeric() as u8).collect(),
    }
}

/// One of few, so that some are met again.
fn name(random: &mut Rng) -> Vec<u8> {
    format!("name:{}", random.u8(..30)).into_bytes()
}

fn change_list(list: &mut List, random: &mut Rng) {
    let end = if random.bool() { End::Front } else { End::Back };
    match random.u8(..12) {
        0..6 => list.push(end, [bytes(random, 40).as_slice()].into_iter(), -2),
        6..9 => drop(list.pop(end, -2)),
        9 => list.remove_at(end, random.usize(..15), -2),
        10 => list.push(end, vec![b"many".as_slice(); random.usize(1..30)].into_iter(), -2),
        _ => drop(list.set(random.usize(..8), &bytes(random, 400), -2)),
    }
}

fn change_hash(hash: &mut Hash, random: &mut Rng, now_ms: i64) {
    let field = name(random);
    match random.u8(..12) {
        0..6 => drop(hash.set(&field, &bytes(random, 40), FieldExpire::Keep, &thresholds())),
        6..10 => drop(hash.remove(&field)),
        10 => drop(hash.set_expire(&field, Some(now_ms + random.i64(0..40)), &thresholds())),
        _ => drop(hash.set_expire(&field, None, &thresholds())),
    }
    if random.u16(..300) == 0 {
        hash.enlarge(&thresholds());
    }
}

fn change_set(set: &mut Set, random: &mut Rng) {
    let wide = random.bool();
    let integer = if wide { random.i64(..) } else { random.i64(..60) };
    let text = name(random);
    match random.u8(..40) {
        0..18 => drop(set.add(Element::Integer(integer), &thresholds())),
        18 => drop(set.add(Element::new(&text), &thresholds())),
        19..34 => drop(set.remove(Element::Integer(random.i64(..60)))),
        34 => drop(set.remove(Element::new(&text))),
        35 => drop(set.pop_some(random.usize(..10), &thresholds(), random, |_| {})),
        _ => set.pop(random, |_| {}),
    }
}

fn change_sorted_set(set: &mut SortedSet, random: &mut Rng) {
    let member = name(random);
    match random.u8(..10) {
        0..6 => drop(set.set(&member, f64::from(random.i32(-50..50)) / 4.0, &thresholds())),
        6..9 => drop(set.remove(&member)),
        _ => drop(set.remove_range(random.usize(..4)..random.usize(..20))),
    }
    if random.u16(..300) == 0 {
        set.enlarge(&thresholds());
    }
}

/// Changes the collection of a key, which is there, and whatever its kind is that of the model in the same way.
fn change(db: &mut ViewMut<'_>, key: &[u8], model: &mut Model, seed: u64) {
    fn both<C: Collection>(
        db: &mut ViewMut<'_>,
        key: &[u8],
        model: &mut Value,
        mut change: impl FnMut(&mut C),
    ) -> bool {
        let model = C::of_mut(model).unwrap();
        change(model);
        assert!(db.change(key, Event::Changed, |collection| (change(collection), true)).unwrap().is_some());
        model.is_empty()
    }
    let random = || Rng::with_seed(seed);
    let now_ms = db.now_ms();
    let value = &mut model.get_mut(key).unwrap().0;
    let is_empty = match value {
        Value::String(_) => {
            assert!(db.change(key, Event::Changed, |_: &mut List| ((), true)).is_err());
            false
        }
        Value::List(_) => both(db, key, value, |list| change_list(list, &mut random())),
        Value::Hash(_) => both(db, key, value, |hash| change_hash(hash, &mut random(), now_ms)),
        Value::Set(_) => both(db, key, value, |set| change_set(set, &mut random())),
        Value::SortedSet(_) => both(db, key, value, |set| change_sorted_set(set, &mut random())),
    };
    if is_empty {
        model.remove(key);
    }
}

/// A collection that is not empty, or a string.
fn value(random: &mut Rng) -> Value {
    let len = if random.bool() { 3 } else { random.usize(1..60) };
    match random.u8(..6) {
        0 => Value::String(StringValue::fixed(&bytes(random, 600))),
        1 => {
            let mut list = List::default();
            (0..len).for_each(|_| list.push(End::Back, [bytes(random, 40).as_slice()].into_iter(), -2));
            list.into()
        }
        2 => {
            let mut hash = Hash::default();
            for _ in 0..len {
                hash.set(&name(random), &bytes(random, 40), FieldExpire::Clear, &thresholds());
            }
            hash.into()
        }
        3 | 4 => {
            let mut set = Set::default();
            let is_mixed = random.bool();
            for number in 0..len {
                set.add(Element::Integer(number as i64), &thresholds());
                if is_mixed {
                    set.add(Element::new(&name(random)), &thresholds());
                }
            }
            set.into()
        }
        _ => {
            let mut set = SortedSet::default();
            for _ in 0..len {
                set.set(&name(random), random.f64(), &thresholds());
            }
            set.into()
        }
    }
}

fn key(random: &mut Rng) -> Vec<u8> {
    let number = random.usize(..24);
    format!("{number}{}", "k".repeat([0, 10, 100, 251, 254, 300][number % 6])).into_bytes()
}

/// How often values were found where.
#[derive(Debug, Default)]
struct Seen {
    inline: BTreeMap<String, usize>,
    boxed_flat: usize,
    moved_in: usize,
    moved_out: usize,
    emptied: usize,
    evicted: usize,
}

fn check_entry(entry: Entry<'_>, value: &Value, seen: &mut Seen) -> bool {
    let (found, expected) = (entry.value(), value.as_ref());
    assert_eq!(found, expected);
    assert_eq!(found.encoding_name(), expected.encoding_name());
    assert_eq!(found.as_flat(), expected.as_flat(), "the very bytes");
    assert_eq!(found.to_value(), *value);
    let is_inline = entry.inline_flat().is_some();
    match expected.as_flat() {
        None => assert!(!is_inline),
        Some((kind, bytes)) => {
            assert!(entry.allocated_bytes() >= entry.key().len() + bytes.len());
            assert!(is_inline || bytes.len() > INLINE_COLLECTION_MAX_BYTES / 2, "{} in a box", bytes.len());
            assert!(!is_inline || bytes.len() <= INLINE_COLLECTION_MAX_BYTES);
            if is_inline {
                *seen.inline.entry(format!("{kind:?}")).or_default() += 1;
            }
            seen.boxed_flat += usize::from(!is_inline);
        }
    }
    is_inline
}

fn check<'k>(
    shard: &Shard,
    model: &Model,
    keys: impl Iterator<Item = &'k Vec<u8>>,
    inline: &mut BTreeMap<Vec<u8>, bool>,
    seen: &mut Seen,
) {
    let table = shard.database(0).table();
    tests::check(table);
    assert_eq!(table.len(), model.len());
    for key in keys {
        let Some((value, expire_at_ms)) = model.get(key) else { continue };
        let entry = table.get(key).unwrap();
        assert_eq!(entry.expire_at_ms(), *expire_at_ms);
        let is_inline = check_entry(entry, value, seen);
        let was_inline = inline.insert(key.clone(), is_inline);
        seen.moved_in += usize::from(was_inline == Some(false) && is_inline);
        seen.moved_out += usize::from(was_inline == Some(true) && !is_inline);
    }
}

/// Time passes: keys and fields expire.
fn pass_time(shard: &mut Shard, model: &mut Model) {
    let now_ms = shard.now_ms() + 5;
    shard.set_now_ms(now_ms);
    shard.expire_cycle(|| true);
    let keys: Vec<Vec<u8>> = model.keys().cloned().collect();
    for key in keys {
        shard.remove_if_expired(0, &key);
        let (value, expire_at_ms) = model.get_mut(&key).unwrap();
        let mut is_over = expire_at_ms.is_some_and(|at_ms| now_ms > at_ms);
        if let Value::Hash(hash) = value {
            hash.remove_expired_fields(now_ms, usize::MAX, |_| {});
            is_over |= hash.is_empty();
        }
        if is_over {
            model.remove(&key);
        }
    }
}

/// Something happens to a key or two, in the shard and in the model. Which they are.
fn happen(shard: &mut Shard, model: &mut Model, random: &mut Rng, seen: &mut Seen) -> [Vec<u8>; 2] {
    let (key, other) = (key(random), key(random));
    let mut db = shard.view_mut(0, true);
    let expire = if random.bool() { Expire::Clear } else { Expire::Keep };
    match random.u8(..100) {
        0..70 => {
            let before = model.len();
            if model.contains_key(&key) {
                change(&mut db, &key, model, random.u64(..));
            }
            seen.emptied += before - model.len();
        }
        70..80 => {
            let value = value(random);
            let at_ms = model.get(&key).and_then(|(_, at_ms)| *at_ms);
            db.put(&key, value.clone(), expire, Event::Set);
            model.insert(key.clone(), (value, if expire == Expire::Keep { at_ms } else { None }));
        }
        80..88 => {
            let at_ms = random.bool().then(|| db.now_ms() + random.i64(0..300));
            assert_eq!(db.set_expire(&key, at_ms), model.contains_key(&key));
            if let Some((_, expire_at_ms)) = model.get_mut(&key) {
                *expire_at_ms = at_ms;
            }
        }
        // As RENAME and COPY.
        88..91 => {
            let removed = db.remove(&key, Event::Del);
            assert_eq!(removed, model.remove(&key));
            if let Some((value, at_ms)) = removed {
                db.put(&other, value.clone(), at_ms.map_or(Expire::Clear, Expire::AtMs), Event::Set);
                model.insert(other.clone(), (value, at_ms));
            }
        }
        91..94 => {
            if let Some(value) = db.read().peek(&key).map(|entry| entry.value().to_value()) {
                db.put(&other, value.clone(), Expire::Clear, Event::Set);
                model.insert(other.clone(), (value, None));
            }
        }
        94..96 => {
            db.put_string(&key, b"a string", Expire::Clear, Event::Set);
            model.insert(key.clone(), (Value::String(StringValue::fixed(b"a string")), None));
        }
        96 => assert_eq!(db.delete(&key), model.remove(&key).is_some()),
        97 => {
            shard.effects_mut().take();
            let evicted = shard.evict();
            assert_eq!(evicted.is_some(), !model.is_empty());
            for (_, words) in shard.effects_mut().take() {
                assert!(model.remove(words.as_args().get(1).unwrap()).is_some());
                seen.evicted += 1;
            }
        }
        98 => pass_time(shard, model),
        _ => while shard.reclaim(10) {},
    }
    [key, other]
}

#[test]
fn collections_agree_with_a_model_wherever_they_are_kept() {
    let mut seen = Seen::default();
    for seed in 0..6 {
        let mut random = Rng::with_seed(seed);
        let mut shard = Shard::new(1, seed);
        let mut settings = shard.settings();
        settings.eviction_policy = EvictionPolicy::AllKeysRandom;
        shard.set_settings(settings);
        shard.effects_mut().set_recording(true);
        shard.set_now_ms(1000);
        let (mut model, mut inline) = (Model::new(), BTreeMap::new());
        for step in 0..6000 {
            let keys = happen(&mut shard, &mut model, &mut random, &mut seen);
            inline.retain(|key, _| model.contains_key(key));
            if step % 32 == 0 {
                check(&shard, &model, model.keys(), &mut inline, &mut seen);
            } else {
                check(&shard, &model, keys.iter(), &mut inline, &mut seen);
            }
        }
    }
    assert_eq!(seen.inline.len(), 6, "all kinds: {seen:?}");
    assert!(seen.inline.values().all(|count| *count > 500), "{seen:?}");
    assert!(seen.boxed_flat > 1000 && seen.moved_in > 100 && seen.moved_out > 100, "{seen:?}");
    assert!(seen.emptied > 20 && seen.evicted > 20, "{seen:?}");
}

#[test]
fn entries_hold_collections_of_all_kinds_and_lengths() {
    let long_key = vec![b'k'; 300];
    let keys: [&[u8]; 4] = [b"", b"key", &[0; 255], &long_key];
    let mut random = Rng::with_seed(3);
    for round in 0..400 {
        let value = value(&mut random);
        let (key, expire_at_ms) = (keys[round % 4], (round % 3 == 0).then_some(7));
        let entry = OwnedEntry::new(key, Content::Owned(value.clone()), expire_at_ms, 5);
        let seen = entry.as_entry();
        assert_eq!((seen.key(), seen.expire_at_ms(), seen.usage_bits()), (key, expire_at_ms, 5));
        check_entry(seen, &value, &mut Seen::default());
        assert_eq!(entry.into_parts(), (value, expire_at_ms));
    }
}

#[test]
fn a_small_collection_takes_one_block() {
    let mut set = Set::default();
    (0..10).for_each(|number| assert!(set.add(Element::Integer(number), &thresholds())));
    let entry = OwnedEntry::new(b"key:00000001", Content::Owned(set.into()), None, 0);
    // 8 of header, 12 of key, 28 of integers: a block of 48.
    assert_eq!(entry.as_entry().allocated_bytes(), 48);
    assert!(matches!(entry.as_entry().inline_flat(), Some((FlatKind::Integers, bytes)) if bytes.len() == 28));
}

#[test]
fn a_change_that_does_not_change_the_length_happens_where_the_entry_is() {
    let mut shard = Shard::new(1, 1);
    let mut db = shard.view_mut(0, true);
    let mut hash = Hash::default();
    hash.set(b"field", b"value", FieldExpire::Clear, &thresholds());
    db.put(b"key", hash, Expire::AtMs(500), Event::Set);
    let place = |db: &ViewMut<'_>| db.read().peek(b"key").unwrap().key().as_ptr();
    let before = place(&db);
    db.change(b"key", Event::Changed, |hash: &mut Hash| {
        (hash.set(b"field", b"other", FieldExpire::Clear, &thresholds()), true)
    })
    .unwrap();
    assert_eq!(place(&db), before);
    let ValueRef::Hash(hash) = db.read().peek(b"key").unwrap().value() else { panic!("it is a hash") };
    assert_eq!(hash.get(b"field", 0), Some(Element::Bytes(b"other")));
}
