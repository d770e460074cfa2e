use super::*;
use std::collections::BTreeSet;

type Numbers = HashTable<u32>;

fn hash_of(table: &Numbers) -> impl Fn(&u32) -> u64 + use<> {
    let hasher = table.hasher.clone();
    move |number| hasher.hash_one(&number.to_le_bytes()[..])
}

fn insert(table: &mut Numbers, number: u32) {
    let hash_of = hash_of(table);
    table.insert(hash_of(&number), number, hash_of);
}

fn remove(table: &mut Numbers, number: u32) -> Option<u32> {
    let hash_of = hash_of(table);
    table.remove(hash_of(&number), |other| *other == number, hash_of)
}

fn has(table: &Numbers, number: u32) -> bool {
    table.find(hash_of(table)(&number), |other| *other == number).is_some()
}

fn check(table: &Numbers) {
    let parts: Vec<&Part<u32>> = table.parts.iter().flatten().map(|part| &**part).collect();
    assert_eq!(parts.iter().map(|part| part.elements.len()).sum::<usize>(), table.len());
    let deepest = parts.iter().filter(|part| part.depth == table.depth).count();
    assert_eq!(deepest, table.deepest);
    assert_eq!(table.directory.len(), 1 << table.depth);
    let bytes: usize =
        parts.iter().map(|part| part.elements.allocation_size() + size_of::<Part<u32>>()).sum();
    assert_eq!(bytes, table.parts_bytes);
    assert_eq!(table.parts.len(), parts.len() + table.free.len());
}

#[test]
fn it_behaves_like_a_set() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut table, mut model) = (Numbers::new(seed), BTreeSet::new());
        for phase in 0..6 {
            for _ in 0..random.usize(..6000) {
                let number = random.u32(..8000);
                assert_eq!(has(&table, number), model.contains(&number));
                if (random.u8(..10) < 7) == (phase % 2 == 0) {
                    if model.insert(number) {
                        insert(&mut table, number);
                    }
                } else {
                    assert_eq!(remove(&mut table, number).is_some(), model.remove(&number));
                }
            }
            check(&table);
            assert_eq!(table.iter().copied().collect::<BTreeSet<_>>(), model);
        }
        for number in model {
            assert_eq!(remove(&mut table, number), Some(number));
        }
        check(&table);
        assert_eq!((table.len(), table.depth, table.parts.len()), (0, 0, 1));
    }
}

#[test]
fn a_walk_meets_all_that_stays() {
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut table = Numbers::new(seed);
        (0..5000).for_each(|number| insert(&mut table, number));
        let (mut seen, mut position, mut others) = (BTreeSet::new(), 0, 5000..);
        let shrink = random.bool();
        loop {
            let hash_of = hash_of(&table);
            let next = table.scan(position, random.usize(1..200), hash_of, |number| {
                seen.insert(*number);
            });
            // Numbers below 1000 stay; others go and come meanwhile.
            for _ in 0..20 {
                if shrink {
                    remove(&mut table, random.u32(1000..5000));
                } else {
                    insert(&mut table, others.next().unwrap());
                }
            }
            match next {
                Some(next) => assert!(next > position),
                None => break,
            }
            position = next.unwrap();
        }
        assert!((0..1000).all(|number| seen.contains(&number)));
    }
}

#[test]
fn every_element_is_drawn_alike() {
    let mut random = fastrand::Rng::with_seed(7);
    for len in [1, 3, 300, 1000] {
        let mut table = Numbers::new(1);
        (0..len).for_each(|number| insert(&mut table, number));
        let draws = 400 * len;
        let mut counts = vec![0u32; len as usize];
        for _ in 0..draws {
            counts[*table.random(&mut random).unwrap() as usize] += 1;
        }
        // Six standard deviations.
        assert!(counts.iter().all(|count| (280..=520).contains(count)), "{len}: {counts:?}");
    }
}

#[test]
fn a_large_table_is_taken_apart() {
    let mut table = Numbers::new(3);
    (0..10_000).for_each(|number| insert(&mut table, number));
    let mut all = BTreeSet::new();
    while let Some(some) = table.take_some() {
        let before = all.len();
        all.extend(some);
        assert!(all.len() - before <= SEGMENT_MAX_LEN);
    }
    assert_eq!((all.len(), table.len()), (10_000, 0));
}
