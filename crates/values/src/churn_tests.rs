//! Large collections of which elements go while others come: they take no more memory afterwards, and chance treats all
//! alike.

use crate::hash::FieldExpire;
use crate::listpack::Element;
use crate::{Collection, Hash, Set, SortedSet, Thresholds};
use fastrand::Rng;
use std::collections::BTreeMap;

const LENS: [u64; 3] = [1000, 7000, 14_000];

fn name(number: u64) -> Vec<u8> {
    format!("element:{number:08}").into_bytes()
}

/// Has `add` add so many elements, then `remove` take out one at random and `add` another, six times as often as there
/// are elements. How much memory changed, and which elements are left.
fn churn<T>(
    len: u64,
    value: &mut T,
    add: impl Fn(&mut T, u64, &mut Rng),
    remove: impl Fn(&mut T, u64),
    allocated_bytes: impl Fn(&T) -> usize,
) -> (f64, Vec<u64>) {
    let mut random = Rng::with_seed(len);
    let mut numbers: Vec<u64> = (0..len).collect();
    numbers.iter().for_each(|number| add(value, *number, &mut random));
    let before = allocated_bytes(value);
    for next in len..7 * len {
        let index = random.usize(..numbers.len());
        remove(value, numbers[index]);
        add(value, next, &mut random);
        numbers[index] = next;
    }
    (allocated_bytes(value) as f64 / before as f64, numbers)
}

/// Has `draw` draw names, and compares how often each of them came (chi-squared).
fn check_fairness(numbers: &[u64], mut draw: impl FnMut(&mut dyn FnMut(Element<'_>))) {
    let mut counts: BTreeMap<Vec<u8>, u32> = numbers.iter().map(|number| (name(*number), 0)).collect();
    let mut drawn = 0;
    while drawn < 20 * numbers.len() {
        draw(&mut |element| {
            drawn += 1;
            *counts.get_mut(&element.to_vec()).expect("it is there") += 1;
        });
    }
    let (len, expected) = (numbers.len() as f64, drawn as f64 / numbers.len() as f64);
    let chi_squared: f64 =
        counts.values().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    let deviations = (chi_squared - len) / (2.0 * len).sqrt();
    assert!(deviations < 6.0, "{deviations} standard deviations");
}

#[test]
fn sets() {
    let thresholds = Thresholds::default();
    for len in LENS {
        let mut set = Set::large(&thresholds);
        let add =
            |set: &mut Set, number, _: &mut Rng| assert!(set.add(Element::Bytes(&name(number)), &thresholds));
        let remove = |set: &mut Set, number| assert!(set.remove(Element::Bytes(&name(number))));
        let (grown, numbers) = churn(len, &mut set, add, remove, Set::allocated_bytes);
        assert!(grown < 1.1, "{len}: {grown}");
        let mut random = Rng::with_seed(1);
        check_fairness(&numbers, |visit| visit(set.as_ref().random(&mut random).unwrap()));
        check_fairness(&numbers, |visit| set.as_ref().sample(len as usize / 10, &mut random, visit));
    }
}

#[test]
fn members_that_are_taken_by_chance() {
    let thresholds = Thresholds::default();
    let mut set = Set::large(&thresholds);
    let add =
        |set: &mut Set, number, _: &mut Rng| assert!(set.add(Element::Bytes(&name(number)), &thresholds));
    let remove = |set: &mut Set, number| assert!(set.remove(Element::Bytes(&name(number))));
    let (_, numbers) = churn(1000, &mut set, add, remove, Set::allocated_bytes);
    let mut random = Rng::with_seed(1);
    // Of the same set each time: few, most, and one.
    for count in [100, 950] {
        check_fairness(&numbers, |visit| {
            let mut taken = set.clone();
            taken.pop_some(count, &thresholds, &mut random, &mut *visit);
        });
    }
    let mut copies = vec![set.clone(); 10];
    check_fairness(&numbers, |visit| {
        for copy in &mut copies {
            copy.pop(&mut random, &mut *visit);
        }
        if copies[0].len() < 900 {
            copies.fill(set.clone());
        }
    });
}

#[test]
fn hashes() {
    let thresholds = Thresholds::default();
    for len in LENS {
        for expire in [FieldExpire::Clear, FieldExpire::AtMs(1000)] {
            let mut hash = Hash::default();
            hash.enlarge(&thresholds);
            let add = |hash: &mut Hash, number, random: &mut Rng| {
                let expire = match expire {
                    FieldExpire::AtMs(at_ms) => FieldExpire::AtMs(at_ms + random.i64(0..1_000_000)),
                    expire => expire,
                };
                assert!(hash.set(&name(number), b"a value", expire, &thresholds));
            };
            let remove = |hash: &mut Hash, number| assert!(hash.remove(&name(number)));
            let (grown, numbers) = churn(len, &mut hash, add, remove, Hash::allocated_bytes);
            assert!(grown < 1.1, "{len}: {grown}");
            let mut random = Rng::with_seed(1);
            check_fairness(&numbers, |visit| visit(hash.as_ref().random(0, &mut random).unwrap().0));
        }
    }
}

#[test]
fn sorted_sets() {
    let thresholds = Thresholds::default();
    for len in LENS {
        for in_order in [false, true] {
            let mut set = SortedSet::default();
            set.enlarge(&thresholds);
            let add = |set: &mut SortedSet, number, random: &mut Rng| {
                // In order they fill the nodes; what comes later comes anywhere.
                let score = if in_order && number < len { number as f64 } else { random.f64() * len as f64 };
                assert_eq!(set.set(&name(number), score, &thresholds), None);
            };
            let remove = |set: &mut SortedSet, number| assert!(set.remove(&name(number)).is_some());
            let (grown, numbers) = churn(len, &mut set, add, remove, SortedSet::allocated_bytes);
            assert!(grown < 1.1, "{len}: {grown}");
            let mut random = Rng::with_seed(1);
            check_fairness(&numbers, |visit| {
                visit(set.as_ref().get(random.usize(..len as usize)).unwrap().0);
            });
        }
    }
}
