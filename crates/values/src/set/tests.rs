use super::members::Member;
use super::*;
use fastrand::Rng;
use std::collections::BTreeSet;

fn small(seed: u64) -> Thresholds {
    Thresholds {
        set_max_intset_entries: 20,
        set_max_listpack_entries: 12,
        set_max_listpack_value_bytes: 8,
        seed,
        ..Thresholds::default()
    }
}

fn add(set: &mut Set, member: &str, thresholds: &Thresholds) -> bool {
    set.add(Element::new(member.as_bytes()), thresholds)
}

fn set_of(members: impl IntoIterator<Item = String>, thresholds: &Thresholds) -> Set {
    let mut set = Set::default();
    for member in members {
        add(&mut set, &member, thresholds);
    }
    set
}

fn texts(set: &Set) -> BTreeSet<Vec<u8>> {
    let all: Vec<Vec<u8>> = set.as_ref().iter().map(Element::to_vec).collect();
    let sorted: BTreeSet<Vec<u8>> = all.iter().cloned().collect();
    assert_eq!(sorted.len(), all.len(), "a member comes once");
    sorted
}

/// Bytes written by hand from the description of the format.
#[test]
fn the_format_of_integers_is_that_of_redis() {
    let mut integers = IntSet::new();
    assert_eq!(integers.as_bytes(), [2, 0, 0, 0, 0, 0, 0, 0]);
    for integer in [5, -1, 300, 5] {
        integers.insert(integer);
    }
    assert_eq!(integers.as_bytes(), [2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 5, 0, 0x2c, 1]);
    assert!(integers.insert(-40_000));
    assert_eq!(
        integers.as_bytes(),
        [4, 0, 0, 0, 4, 0, 0, 0, 0xc0, 0x63, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0x2c, 1, 0, 0]
    );
    integers.retain(|integer| integer != -1);
    assert!(integers.remove(300) && !integers.remove(300) && integers.remove(-40_000));
    assert_eq!(integers.as_bytes(), [4, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]);
    assert!(integers.insert(i64::MAX));
    assert_eq!(integers.as_bytes()[..16], [8, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(integers.as_bytes()[16..], i64::MAX.to_le_bytes());
    assert_eq!((integers.first(), integers.last(), integers.get(2)), (Some(5), Some(i64::MAX), None));
}

#[test]
fn integers_behave_like_a_set() {
    for seed in 0..40 {
        let mut random = Rng::with_seed(seed);
        let (mut integers, mut model) = (IntSet::new(), BTreeSet::new());
        for round in 0..300 {
            let bits = [8, 15, 16, 17, 31, 32, 33, 63][random.usize(..1 + round / 40)];
            let integer = random.i64(..) >> (63 - bits);
            match random.u8(..20) {
                0..11 => assert_eq!(integers.insert(integer), model.insert(integer)),
                11..17 => {
                    let nearest = model.range(integer..).next().copied().unwrap_or(integer);
                    assert_eq!(integers.remove(nearest), model.remove(&nearest));
                }
                17 => {
                    integers.retain(|integer| integer % 5 != 0);
                    model.retain(|integer| integer % 5 != 0);
                }
                _ => assert_eq!(integers.contains(integer), model.contains(&integer)),
            }
            assert!(integers.iter().eq(model.iter().copied()));
            assert_eq!(
                u32::from_le_bytes(integers.as_bytes()[4..8].try_into().unwrap()) as usize,
                model.len()
            );
        }
    }
}

fn random_member(random: &mut Rng) -> String {
    match random.u8(..12) {
        0 => (random.i64(..) >> random.u32(..64)).to_string(),
        1..5 => random.i32(-15..15).to_string(),
        5 => format!("0{}", random.u8(..9)),
        6 => "l".repeat(random.usize(..12)),
        _ => format!("m{}", random.u8(..40)),
    }
}

/// What a set owns, counted member by member.
fn counted_bytes(set: &Set) -> usize {
    match &set.form {
        Form::Integers(integers) => integers.allocated_bytes(),
        Form::Flat(pack) => pack.allocated_bytes(),
        Form::Table(members) => {
            let owned = |member: &Member| match member.as_element() {
                Element::Integer(_) => 0,
                Element::Bytes(bytes) => crate::allocation::block_len_bytes(bytes.len()),
            };
            members.allocated_without_members() + members.iter().map(owned).sum::<usize>()
        }
    }
}

#[test]
fn it_behaves_like_a_set() {
    let mut encodings = BTreeSet::new();
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let thresholds = small(seed);
        let (mut set, mut model) = (Set::default(), BTreeSet::<Vec<u8>>::new());
        let only_integers = random.u8(..3) == 0;
        for _ in 0..200 {
            let mut text = random_member(&mut random);
            if only_integers && Element::new(text.as_bytes()).as_integer().is_none() {
                text = random.u8(..30).to_string();
            }
            let member = Element::new(text.as_bytes());
            match random.u8(..20) {
                0..11 => assert_eq!(set.add(member, &thresholds), model.insert(text.clone().into_bytes())),
                11..17 => assert_eq!(set.remove(member), model.remove(text.as_bytes())),
                17 => {
                    let count = random.usize(..=model.len());
                    let mut taken = 0;
                    set.pop_some(count, &thresholds, &mut random, |member| {
                        assert!(model.remove(&member.to_vec()));
                        taken += 1;
                    });
                    assert_eq!(taken, count);
                }
                18 => set.pop(&mut random, |member| assert!(model.remove(&member.to_vec()))),
                _ => {
                    let count = random.usize(..model.len() + 3);
                    let mut drawn = Vec::new();
                    set.as_ref().sample(count, &mut random, |member| drawn.push(member.to_vec()));
                    assert_eq!(drawn.len(), count.min(model.len()));
                    assert!(drawn.iter().all(|member| model.contains(member)));
                    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
                }
            }
            assert_eq!(set.as_ref().contains(member), model.contains(text.as_bytes()));
            assert_eq!((texts(&set), set.len()), (model.clone(), model.len()));
            assert_eq!(set.allocated_bytes(), counted_bytes(&set));
            let drawn = set.as_ref().random(&mut random).map(Element::to_vec);
            assert_eq!(drawn.is_some_and(|member| model.contains(&member)), !model.is_empty());
            encodings.insert(set.encoding_name());
        }
        let copy = set_of(model.iter().map(|member| String::from_utf8(member.clone()).unwrap()), &thresholds);
        assert_eq!(set, copy);
        let mut other = copy.clone();
        if add(&mut other, "another", &thresholds) {
            assert_ne!(set, other);
        }
    }
    assert_eq!(encodings.len(), 3);
}

/// As `setTypeCreate`, `setTypeMaybeConvert` and `setTypeAddAux` of Redis 7.2 have it.
#[test]
fn encodings_change_where_redis_changes_them() {
    let thresholds = Thresholds::default();
    let name = |set: &Set| set.encoding_name();
    let numbers = |count: u32| (0..count).map(|number| number.to_string());
    let words = |count: u32| (0..count).map(|number| format!("w{number}"));
    assert_eq!(name(&set_of(numbers(512), &thresholds)), "intset");
    assert_eq!(name(&set_of(numbers(513), &thresholds)), "hashtable");
    for (integers, expected) in [(0, "listpack"), (127, "listpack"), (128, "hashtable")] {
        assert_eq!(name(&set_of(numbers(integers).chain(words(1)), &thresholds)), expected, "{integers}");
    }
    assert_eq!(name(&set_of(words(128), &thresholds)), "listpack");
    assert_eq!(name(&set_of(words(129), &thresholds)), "hashtable");
    for (len, expected) in [(64, "listpack"), (65, "hashtable")] {
        for first in ["a", "7"] {
            let set = set_of([first.to_owned(), "x".repeat(len)], &thresholds);
            assert_eq!(name(&set), expected, "{first} {len}");
        }
    }
    // The longest integer's digits count as well.
    let short = Thresholds { set_max_listpack_value_bytes: 3, ..thresholds };
    assert_eq!(name(&set_of(["-99".into(), "a".into()], &short)), "listpack");
    assert_eq!(name(&set_of(["-100".into(), "a".into()], &short)), "hashtable");
    assert_eq!(name(&set_of(["a".into(), "-100".into()], &short)), "hashtable");
    for (first, count, expected) in [
        ("1", 512, "intset"),
        ("1", 513, "hashtable"),
        ("a", 128, "listpack"),
        ("a", 129, "hashtable"),
        ("01", 1, "listpack"),
    ] {
        assert_eq!(name(&Set::for_members(Element::new(first.as_bytes()), count, &thresholds)), expected);
        let mut set = set_of([first.to_owned()], &thresholds);
        set.reserve(count, &thresholds);
        assert_eq!(name(&set), expected);
    }
    let mut set = set_of(numbers(513), &thresholds);
    set.pop_some(13, &thresholds, &mut Rng::with_seed(1), |_| {});
    assert_eq!((name(&set), set.len()), ("hashtable", 500));
    set.become_integers(&thresholds);
    assert_eq!((name(&set), set.len()), ("intset", 500));
}

/// If those that stay are a fifth of those that go, or fewer, they make a new set, which begins as a listpack.
#[test]
fn taking_most_of_a_large_set_makes_a_small_one() {
    let thresholds = Thresholds::default();
    let mut random = Rng::with_seed(1);
    for (count, expected) in [(499, "hashtable"), (500, "listpack"), (595, "listpack")] {
        let mut set = set_of((0..600).map(|number| number.to_string()), &thresholds);
        let mut taken = 0;
        let old = set.pop_some(count, &thresholds, &mut random, |_| taken += 1);
        // What is to be freed are those that went.
        assert_eq!(old.map(|old| old.len()), (expected == "listpack").then_some(count));
        assert_eq!((taken, set.len(), set.encoding_name()), (count, 600 - count, expected));
    }
    let mut set = set_of((0..6000).map(|number| number.to_string()), &thresholds);
    set.pop_some(5500, &thresholds, &mut random, |_| {});
    assert_eq!((set.len(), set.encoding_name()), (500, "hashtable"));
}

#[test]
fn every_member_is_drawn_alike() {
    let mut random = Rng::with_seed(5);
    let thresholds = small(1);
    for (len, prefix) in [(20, ""), (12, "m"), (300, "m"), (300, "")] {
        let thresholds = if len == 300 { thresholds } else { Thresholds::default() };
        let members: Vec<String> = (0..len).map(|number| format!("{prefix}{number}")).collect();
        let set = set_of(members.clone(), &thresholds);
        // Draws singly, few and many of the set at once; pops the same.
        for method in 0..5 {
            let wanted = if method < 2 { len / 5 } else { len - len / 6 };
            let mut counts = vec![0u32; len];
            let mut count = |member: Element<'_>| {
                let text = member.to_vec();
                let number: usize = std::str::from_utf8(&text[prefix.len()..]).unwrap().parse().unwrap();
                counts[number] += 1;
            };
            let rounds = if method == 4 { 400 * len } else { 400 * len / wanted };
            for _ in 0..rounds {
                match method {
                    0 | 2 => set.as_ref().sample(wanted, &mut random, &mut count),
                    1 | 3 => drop(set.clone().pop_some(wanted, &thresholds, &mut random, &mut count)),
                    _ => count(set.as_ref().random(&mut random).unwrap()),
                }
            }
            // About 400 each; six standard deviations.
            assert!(
                counts.iter().all(|count| (280..=520).contains(count)),
                "{len} {prefix} {method} {counts:?}"
            );
        }
    }
}

#[test]
fn a_walk_meets_all_that_stays() {
    let thresholds = Thresholds::default();
    for seed in 0..10 {
        let mut random = Rng::with_seed(seed);
        let mut set = set_of((0..2000).map(|number| format!("m{number}")), &thresholds);
        let (mut seen, mut position) = (BTreeSet::new(), 0);
        loop {
            let next = set.as_ref().scan(position, 10, |member| {
                seen.insert(member.to_vec());
            });
            for _ in 0..5 {
                set.remove(Element::new(format!("m{}", random.u32(1000..2000)).as_bytes()));
            }
            match next {
                Some(next) => position = next,
                None => break,
            }
        }
        assert!((0..1000).all(|number| seen.contains(format!("m{number}").as_bytes())));
    }
}

#[test]
fn a_large_set_is_freed_in_pieces() {
    let thresholds = Thresholds::default();
    let mut set = set_of((0..5000).map(|number| format!("m{number}")), &thresholds);
    let mut pieces = 0;
    let mut before = set.len();
    while set.free_some() {
        pieces += 1;
        assert!(before - set.len() < 1000);
        before = set.len();
    }
    assert_eq!((pieces > 5, set.len()), (true, 0));
}
