use super::pair::Pair;
use super::*;
use std::collections::BTreeMap;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn thresholds(random: &mut fastrand::Rng) -> Thresholds {
    Thresholds {
        hash_max_listpack_entries: *random.choice(&[0, 1, 20, 400, 400]).unwrap_or(&0),
        hash_max_listpack_value_bytes: *random.choice(&[0, 12, 64, 64, 64]).unwrap_or(&0),
        seed: random.u64(..),
        ..Thresholds::default()
    }
}

fn word(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..8) {
        0 => random.i64(..).to_string().into_bytes(),
        1 => vec![b'x'; random.usize(..20)],
        _ => random.i32(-300..300).to_string().into_bytes(),
    }
}

fn live(model: &Model, now_ms: i64) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
    model
        .iter()
        .filter(move |(_, (_, at_ms))| at_ms.is_none_or(|at_ms| at_ms >= now_ms))
        .map(|(field, (value, _))| (field, value))
}

/// The memory as it is, counted anew.
fn counted_bytes(hash: &Hash) -> Option<usize> {
    let Form::Table(table) = &hash.form else { return None };
    Some(table.iter().map(Pair::allocated_bytes).sum())
}

fn check(hash: &Hash, model: &Model, now_ms: i64) {
    assert_eq!(hash.len(), model.len());
    assert_eq!(hash.as_ref().live_len(now_ms), live(model, now_ms).count());
    let mut seen: Vec<_> =
        hash.as_ref().iter(now_ms).map(|(field, value)| (field.to_vec(), value.to_vec())).collect();
    seen.sort_unstable();
    let expected = live(model, now_ms).map(|(field, value)| (field.clone(), value.clone()));
    assert!(seen.into_iter().eq(expected));
    assert_eq!(hash.as_ref().next_field_expire_at_ms(), model.values().filter_map(|(_, at_ms)| *at_ms).min());
    if let (Form::Table(table), Some(pairs_bytes)) = (&hash.form, counted_bytes(hash)) {
        assert_eq!(table.pairs_bytes(), pairs_bytes);
    }
    if let Form::Volatile(listpack) = &hash.form {
        let times: Vec<i64> =
            flat::rows(listpack, VOLATILE).map(|(_, _, at_ms)| at_ms.unwrap_or(i64::MAX)).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn it_behaves_like_a_map() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let thresholds = thresholds(&mut random);
        let (mut hash, mut model) = (Hash::default(), Model::new());
        // Half of them never hear of expiry.
        let expiring = seed % 2 == 0;
        let mut now_ms = 1000;
        for step in 0..1500 {
            let (field, value) = (word(&mut random), word(&mut random));
            let known = model.get(&field).cloned();
            match random.u8(..12) {
                0..6 => {
                    let expire = match random.u8(..3) {
                        0 if expiring => FieldExpire::AtMs(now_ms + random.i64(0..2000)),
                        1 => FieldExpire::Keep,
                        _ => FieldExpire::Clear,
                    };
                    assert_eq!(hash.set(&field, &value, expire, &thresholds), known.is_none());
                    let after_ms = expire.after(known.and_then(|(_, at_ms)| at_ms));
                    model.insert(field, (value, after_ms));
                }
                6..8 => {
                    assert_eq!(hash.remove(&field), model.remove(&field).is_some());
                }
                8 if expiring => {
                    let at_ms = random.bool().then(|| now_ms + random.i64(0..2000));
                    assert_eq!(hash.set_expire(&field, at_ms, &thresholds), known.is_some());
                    if let Some((_, expire_at_ms)) = model.get_mut(&field) {
                        *expire_at_ms = at_ms;
                    }
                }
                9 if expiring => {
                    now_ms += random.i64(0..200);
                    let (max, mut removed) = (random.usize(..6), Vec::new());
                    hash.remove_expired_fields(now_ms, max, |field| removed.push(field.to_vec()));
                    let mut due: Vec<i64> = model.values().filter_map(|(_, at_ms)| *at_ms).collect();
                    due.retain(|at_ms| *at_ms < now_ms);
                    due.sort_unstable();
                    due.truncate(max);
                    let mut times = Vec::new();
                    for field in removed {
                        times
                            .push(model.remove(&field).expect("the field was there").1.expect("with a time"));
                    }
                    assert_eq!(times, due);
                }
                _ => {
                    let found = hash.as_ref().find(&field, now_ms);
                    let expected = known.filter(|(_, at_ms)| at_ms.is_none_or(|at_ms| now_ms <= at_ms));
                    let found = found.map(|found| (found.value.to_vec(), found.expire_at_ms));
                    assert_eq!(found, expected);
                }
            }
            if step % 50 == 0 {
                check(&hash, &model, now_ms);
            }
        }
        check(&hash, &model, now_ms);
        let copy = hash.clone();
        assert_eq!(copy, hash);
        for field in model.keys() {
            assert!(hash.remove(field));
            assert_ne!(copy, hash);
        }
        check(&hash, &Model::new(), now_ms);
    }
}

#[test]
fn a_listpack_keeps_the_order_in_which_fields_came() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let thresholds = Thresholds::default();
        let (mut hash, mut model) = (Hash::default(), Vec::<(Vec<u8>, Vec<u8>)>::new());
        for _ in 0..600 {
            let (field, value) = (word(&mut random), word(&mut random));
            let place = model.iter().position(|(known, _)| *known == field);
            if random.u8(..3) == 0 {
                hash.remove(&field);
                place.map(|place| model.remove(place));
            } else {
                hash.set(&field, &value, FieldExpire::Clear, &thresholds);
                match place {
                    Some(place) => model[place].1 = value,
                    None => model.push((field, value)),
                }
            }
            assert_eq!(hash.encoding_name(), "listpack");
        }
        assert!(hash.as_ref().iter(0).map(|(field, value)| (field.to_vec(), value.to_vec())).eq(model));
    }
}

#[test]
fn a_listpack_becomes_a_table_beyond_its_bounds_and_stays_one() {
    let thresholds = Thresholds { hash_max_listpack_entries: 3, ..Thresholds::default() };
    let mut hash = Hash::default();
    for (field, encoding) in [("a", "listpack"), ("b", "listpack"), ("c", "listpack"), ("d", "hashtable")] {
        hash.set(field.as_bytes(), b"1", FieldExpire::Clear, &thresholds);
        assert_eq!(hash.encoding_name(), encoding);
    }
    for field in ["a", "b", "c"] {
        hash.remove(field.as_bytes());
    }
    assert_eq!(hash.encoding_name(), "hashtable");
    for (field_len, value_len, encoding) in [(64, 64, "listpack"), (65, 0, "hashtable"), (0, 65, "hashtable")]
    {
        let mut hash = Hash::default();
        hash.set(&vec![b'f'; field_len], &vec![b'v'; value_len], FieldExpire::Clear, &thresholds);
        assert_eq!(hash.encoding_name(), encoding, "{field_len} {value_len}");
    }
    // What is to come decides, even if it is the same field again and again.
    let mut hash = Hash::default();
    hash.prepare(4, [b"a".as_slice(); 8].into_iter(), &thresholds);
    assert_eq!(hash.encoding_name(), "hashtable");
    let mut hash = Hash::default();
    hash.prepare(1, [b"a".as_slice(), &[b'v'; 65]].into_iter(), &thresholds);
    assert_eq!(hash.encoding_name(), "hashtable");
}

#[test]
fn a_lowered_bound_shows_at_whatever_is_set_next() {
    let (wide, narrow) =
        (Thresholds::default(), Thresholds { hash_max_listpack_entries: 3, ..Thresholds::default() });
    for expire in [FieldExpire::Clear, FieldExpire::AtMs(1 << 40)] {
        let mut hash = Hash::default();
        for field in [b"a", b"b", b"c", b"d"] {
            hash.set(field, b"1", expire, &wide);
        }
        assert!(hash.as_ref().is_flat());
        assert!(!hash.set(b"a", b"2", FieldExpire::Keep, &narrow));
        assert_eq!(hash.encoding_name(), "hashtable");
        assert_eq!((hash.len(), hash.as_ref().get(b"a", 0).is_some()), (4, true));
    }
}

#[test]
fn whoever_wants_to_give_times_gets_the_form_that_has_them() {
    let thresholds = Thresholds::default();
    let mut hash = Hash::default();
    hash.set(b"a", b"1", FieldExpire::Clear, &thresholds);
    hash.prepare_expiry(&thresholds);
    assert_eq!((hash.encoding_name(), hash.as_ref().get(b"a", 0).is_some()), ("listpackex", true));
    assert!(!hash.set_expire(b"nothing", Some(5), &thresholds));
    hash.prepare_expiry(&thresholds);
    assert_eq!((hash.encoding_name(), hash.len()), ("listpackex", 1));
    hash.enlarge(&thresholds);
    hash.prepare_expiry(&thresholds);
    assert_eq!(hash.encoding_name(), "hashtable");
}

#[test]
fn equal_hashes_are_equal_however_they_are_kept() {
    let (flat, table) =
        (Thresholds::default(), Thresholds { hash_max_listpack_entries: 0, ..Thresholds::default() });
    let (mut first, mut second) = (Hash::default(), Hash::default());
    for number in 0..100 {
        let (field, value) = (number.to_string(), (number * 7).to_string());
        first.set(field.as_bytes(), value.as_bytes(), FieldExpire::Clear, &flat);
        second.set(field.as_bytes(), value.as_bytes(), FieldExpire::Clear, &table);
    }
    assert_ne!(first.encoding_name(), second.encoding_name());
    assert_eq!(first, second);
    second.set_expire(b"7", Some(5), &table);
    assert_ne!(first, second);
    first.set_expire(b"7", Some(5), &flat);
    assert_eq!(first.encoding_name(), "listpackex");
    assert_eq!(first, second);
}

#[test]
fn fields_without_expiry_pay_nothing_for_it() {
    let thresholds = Thresholds::default();
    let mut hash = Hash::default();
    hash.set(b"field", b"value", FieldExpire::Clear, &thresholds);
    hash.set_expire(b"field", None, &thresholds);
    assert_eq!(hash.encoding_name(), "listpack");
    hash.set(b"long", &[b'v'; 100], FieldExpire::Clear, &thresholds);
    let before_bytes = hash.allocated_bytes();
    hash.set_expire(b"field", Some(5), &thresholds);
    assert!(hash.allocated_bytes() > before_bytes);
    assert_eq!(hash.as_ref().next_field_expire_at_ms(), Some(5));
}

#[test]
fn random_fields_are_drawn_fairly_and_never_expired_ones() {
    for max_entries in [1000, 0] {
        let thresholds = Thresholds { hash_max_listpack_entries: max_entries, ..Thresholds::default() };
        let mut hash = Hash::default();
        for number in 0..300_u32 {
            hash.set(number.to_string().as_bytes(), b"1", FieldExpire::Clear, &thresholds);
            if number >= 100 {
                hash.set_expire(number.to_string().as_bytes(), Some(10), &thresholds);
            }
        }
        let mut random = fastrand::Rng::with_seed(1);
        let mut drawn = BTreeMap::<Vec<u8>, u32>::new();
        for _ in 0..20_000 {
            let (field, _) = hash.as_ref().random(11, &mut random).unwrap();
            *drawn.entry(field.to_vec()).or_default() += 1;
        }
        assert_eq!(drawn.len(), 100);
        assert!(drawn.values().all(|count| (120..300).contains(count)), "{drawn:?}");
    }
}

#[test]
fn a_scan_meets_all_fields_that_stay() {
    let thresholds = Thresholds { hash_max_listpack_entries: 10, ..Thresholds::default() };
    let mut random = fastrand::Rng::with_seed(1);
    let mut hash = Hash::default();
    for number in 0..2000 {
        hash.set(number.to_string().as_bytes(), b"1", FieldExpire::Clear, &thresholds);
    }
    let mut seen = BTreeMap::new();
    let mut position = Some(0);
    while let Some(from) = position {
        position = hash.as_ref().scan(from, 10, 0, |field, _| {
            seen.insert(field.to_vec(), ());
        });
        for _ in 0..5 {
            let other = random.u32(2000..9000).to_string();
            hash.set(other.as_bytes(), b"1", FieldExpire::Clear, &thresholds);
            hash.remove(random.u32(1000..2000).to_string().as_bytes());
        }
    }
    assert!((0..1000).all(|number: u32| seen.contains_key(number.to_string().as_bytes())));
}

#[test]
fn a_large_hash_is_freed_piece_by_piece() {
    let thresholds = Thresholds { hash_max_listpack_entries: 0, ..Thresholds::default() };
    let mut hash = Hash::default();
    for number in 0..5000_i64 {
        hash.set(number.to_string().as_bytes(), b"1", FieldExpire::AtMs(number), &thresholds);
    }
    let mut pieces = 0;
    while hash.free_some() {
        pieces += 1;
    }
    assert!(pieces > 20, "{pieces}");
    assert_eq!((hash.len(), counted_bytes(&hash)), (0, Some(0)));
}

#[test]
fn the_few_fields_that_are_left_are_drawn_alike() {
    let thresholds = Thresholds { hash_max_listpack_entries: 0, ..Thresholds::default() };
    let mut hash = Hash::default();
    for number in 0..5000_u32 {
        let expire = if number % 500 == 0 { FieldExpire::Clear } else { FieldExpire::AtMs(10) };
        hash.set(number.to_string().as_bytes(), b"1", expire, &thresholds);
    }
    let mut random = fastrand::Rng::with_seed(1);
    let mut drawn = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..1000 {
        let (field, _) = hash.as_ref().random(11, &mut random).unwrap();
        *drawn.entry(field.to_vec()).or_default() += 1;
    }
    assert!(drawn.len() == 10 && drawn.values().all(|count| (60..150).contains(count)), "{drawn:?}");
}
