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
        let (mut seen, mut position, mut others) = (BTreeSet::new(), 0u64, 5000..);
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
                Some(next) => assert!(next.reverse_bits() > position.reverse_bits()),
                None => break,
            }
            position = next.unwrap();
            assert!(position < 1 << 30, "{position} is much more than there are elements");
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

/// Elements go and others come, so that there are always as many.
fn churn(table: &mut Numbers, numbers: &mut [u32], times: u32, random: &mut fastrand::Rng) {
    let first = numbers.iter().max().unwrap() + 1;
    for next in first..first + times {
        let index = random.usize(..numbers.len());
        remove(table, numbers[index]).unwrap();
        insert(table, next);
        numbers[index] = next;
    }
}

/// How far counts are from being equal, in standard deviations of what chance makes of them (chi-squared).
fn unfairness(counts: impl ExactSizeIterator<Item = u32> + Clone) -> f64 {
    let len = counts.len() as f64;
    let expected = counts.clone().sum::<u32>() as f64 / len;
    let chi_squared: f64 = counts.map(|count| (f64::from(count) - expected).powi(2) / expected).sum();
    (chi_squared - len) / (2.0 * len).sqrt()
}

#[test]
fn what_comes_and_goes_leaves_memory_and_chances_as_they_were() {
    // Segments of these have all kinds of lengths; at 7,000 and 14,000 half of them have just split.
    for len in [100, 1000, 7000, 10_000, 13_000, 14_000] {
        let mut random = fastrand::Rng::with_seed(7);
        let mut table = Numbers::new(1);
        let mut numbers: Vec<u32> = (0..len).collect();
        numbers.iter().for_each(|number| insert(&mut table, *number));
        let before = table.allocated_bytes();
        churn(&mut table, &mut numbers, 10 * len, &mut random);
        check(&table);
        let after = table.allocated_bytes();
        assert!(after * 5 <= before * 6, "{len}: {before} to {after}");

        let mut counts: std::collections::BTreeMap<u32, u32> =
            numbers.iter().map(|number| (*number, 0)).collect();
        for _ in 0..50 * len {
            *counts.get_mut(table.random(&mut random).unwrap()).unwrap() += 1;
        }
        let unfairness = unfairness(counts.values().copied());
        assert!(unfairness.abs() < 6.0, "{len}: {unfairness}");
    }
}

#[test]
fn elements_of_like_hashes_are_visited_together() {
    // Hashes are what is added here. The last bits of some differ only.
    let hash_of = |number: &u64| *number;
    let mut table = HashTable::<u64>::new(0);
    let hashes: Vec<u64> = (0..300u64).flat_map(|number| [number << 52 | 1, number << 52 | 0xffff]).collect();
    hashes.iter().for_each(|hash| table.insert(*hash, *hash, hash_of));
    let (mut cursor, mut visited) = (0, Vec::new());
    loop {
        let before = visited.len();
        let next = table.scan(cursor, 1, hash_of, |hash| visited.push(*hash));
        // Segments behind the last may be empty.
        assert!(visited.len() == before + 2 || before == hashes.len());
        let Some(next) = next else { break };
        assert!(next < 1 << scan::CURSOR_BITS);
        cursor = next;
    }
    assert_eq!(visited, hashes);
}
