//! Sorting only a part of a slice.
//!
//! Which of several equal elements comes first is not left to the sort: clients see it. So this is the quicksort of
//! Bentley and McIlroy ("Engineering a Sort Function", 1993), with their choice of the pivot and their order of
//! exchanges, as Redis has it.

use std::cmp::Ordering;
use std::ops::Range;

/// Slices shorter than this are sorted by insertion.
const INSERTION_MAX_LEN: usize = 7;
/// Of slices longer than this, the pivot is the median of three medians.
const SIMPLE_MEDIAN_MAX_LEN: usize = 40;

/// Puts into `wanted` what sorting all of `items` would put there, and the others before and behind it in any order.
pub fn partial_sort<T>(items: &mut [T], wanted: Range<usize>, compare: impl Fn(&T, &T) -> Ordering) {
    // Not by recursion: unlucky choices of the pivot would make it deep.
    let mut left = Vec::new();
    left.push(0..items.len());
    while let Some(range) = left.pop() {
        if range.len() < INSERTION_MAX_LEN {
            insertion_sort(&mut items[range], &compare);
            continue;
        }
        let (lower_len, higher_len) = partition(&mut items[range.clone()], &compare);
        let parts = [range.start..range.start + lower_len, range.end - higher_len..range.end];
        let is_wanted =
            |part: &Range<usize>| part.len() > 1 && wanted.start < part.end && part.start < wanted.end;
        left.extend(parts.into_iter().filter(is_wanted));
    }
}

fn insertion_sort<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && compare(&items[at - 1], &items[at]) == Ordering::Greater {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// The index of the middle one of three.
fn median<T>(items: &[T], [a, b, c]: [usize; 3], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let order = |left: usize, right: usize| compare(&items[left], &items[right]);
    if order(a, b) == Ordering::Less {
        if order(b, c) == Ordering::Less {
            b
        } else if order(a, c) == Ordering::Less {
            c
        } else {
            a
        }
    } else if order(b, c) == Ordering::Greater {
        b
    } else if order(a, c) == Ordering::Less {
        a
    } else {
        c
    }
}

fn pivot<T>(items: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let (len, last) = (items.len(), items.len() - 1);
    let middle = len / 2;
    if len == INSERTION_MAX_LEN {
        return middle;
    }
    let mut candidates = [0, middle, last];
    if len > SIMPLE_MEDIAN_MAX_LEN {
        let apart = len / 8;
        candidates = [
            median(items, [0, apart, 2 * apart], compare),
            median(items, [middle - apart, middle, middle + apart], compare),
            median(items, [last - 2 * apart, last - apart, last], compare),
        ];
    }
    median(items, candidates, compare)
}

/// Puts what is lower than one of the items first and what is higher last. How many there are of each.
fn partition<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) -> (usize, usize) {
    let len = items.len();
    items.swap(0, pivot(items, compare));
    // Those equal to the pivot, which is the first one, are collected at both ends: before `equal_end` and behind
    // `equal_start`. Those from `low` to `high` are not known yet.
    let (mut equal_end, mut low) = (1, 1);
    let (mut high, mut equal_start) = (len - 1, len - 1);
    loop {
        while low <= high {
            let order = compare(&items[low], &items[0]);
            if order == Ordering::Greater {
                break;
            }
            if order == Ordering::Equal {
                items.swap(equal_end, low);
                equal_end += 1;
            }
            low += 1;
        }
        while low <= high {
            let order = compare(&items[high], &items[0]);
            if order == Ordering::Less {
                break;
            }
            if order == Ordering::Equal {
                items.swap(high, equal_start);
                equal_start -= 1;
            }
            high -= 1;
        }
        if low > high {
            break;
        }
        items.swap(low, high);
        low += 1;
        high -= 1;
    }
    let (lower_len, higher_len) = (low - equal_end, equal_start - high);
    exchange(items, 0, low, equal_end.min(lower_len));
    exchange(items, low, len, higher_len.min(len - 1 - equal_start));
    (lower_len, higher_len)
}

/// Exchanges `count` items from `start` on with the last ones before `end`.
fn exchange<T>(items: &mut [T], start: usize, end: usize, count: usize) {
    for offset in 0..count {
        items.swap(start + offset, end - count + offset);
    }
}

#[cfg(test)]
mod tests {
    use super::partial_sort;

    #[test]
    fn the_wanted_part_is_that_of_all_sorted() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..3000 {
            let (len, different) = (random.usize(1..300), random.u32(1..300));
            let mut items: Vec<u32> = (0..len).map(|_| random.u32(..different)).collect();
            let mut sorted = items.clone();
            sorted.sort_unstable();
            let start = random.usize(..len);
            let end = random.usize(start..len) + 1;
            partial_sort(&mut items, start..end, u32::cmp);
            assert_eq!(items[start..end], sorted[start..end]);
            items.sort_unstable();
            assert_eq!(items, sorted);
        }
    }

    /// Against an order that changes its mind, it still ends and loses nothing.
    #[test]
    fn a_contradictory_order_does_no_harm() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..1000 {
            let len = random.usize(..200);
            let mut items: Vec<usize> = (0..len).collect();
            let choices = std::cell::RefCell::new(random.fork());
            partial_sort(&mut items, 0..random.usize(..=len), |_, _| choices.borrow_mut().i8(-1..=1).cmp(&0));
            items.sort_unstable();
            assert!(items.into_iter().eq(0..len));
        }
    }
}
