use super::*;
use crate::Collection;
use crate::listpack::Element;
use std::collections::VecDeque;

type Model = VecDeque<Vec<u8>>;

const SETTINGS: &[i32] = &[-5, -1, 0, 1, 2, 3, 5, 32, 128, 40_000];

fn random_word(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..12) {
        0 => random.i64(..).to_string().into_bytes(),
        1 => vec![b'y'; random.usize(..300)],
        2 if random.u8(..20) == 0 => vec![b'z'; random.usize(4000..20_000)],
        _ => random.u8(..12).to_string().into_bytes(),
    }
}

fn random_end(random: &mut fastrand::Rng) -> End {
    if random.bool() { End::Front } else { End::Back }
}

fn insert(model: &mut Model, side: End, pivot: &[u8], word: Vec<u8>) -> bool {
    let found = model.iter().position(|other| other == pivot);
    if let Some(index) = found {
        model.insert(if side == End::Front { index } else { index + 1 }, word);
    }
    found.is_some()
}

fn remove_equal(model: &mut Model, from: End, max: usize, needle: &[u8]) -> usize {
    let mut indices: Vec<usize> = (0..model.len()).filter(|index| model[*index] == needle).collect();
    if from == End::Back {
        indices.reverse();
    }
    indices.truncate(max);
    indices.sort_unstable();
    indices.iter().rev().for_each(|index| drop(model.remove(*index)));
    indices.len()
}

fn pop(model: &mut Model, end: End) -> Option<Vec<u8>> {
    if end == End::Front { model.pop_front() } else { model.pop_back() }
}

fn push(model: &mut Model, end: End, word: Vec<u8>) {
    if end == End::Front { model.push_front(word) } else { model.push_back(word) }
}

fn change_both(list: &mut List, model: &mut Model, random: &mut fastrand::Rng, setting: i32) {
    let (word, end) = (random_word(random), random_end(random));
    match random.u8(..12) {
        0..4 => {
            let words: Vec<Vec<u8>> = (0..random.usize(1..6)).map(|_| random_word(random)).collect();
            list.push(end, words.iter().map(Vec::as_slice), setting);
            words.into_iter().for_each(|word| push(model, end, word));
        }
        4 | 5 => {
            let popped = list.pop(end, setting).map(|taken| taken.bytes);
            assert_eq!(popped, pop(model, end));
        }
        6 => {
            let other = random_end(random);
            let moved = pop(model, end);
            if let Some(word) = &moved {
                push(model, other, word.clone());
            }
            assert_eq!(list.rotate(end, other, setting), moved);
        }
        7 | 8 => {
            let index = random.usize(..=model.len() + 1);
            assert_eq!(list.set(index, &word, setting), index < model.len());
            if index < model.len() {
                model[index] = word;
            }
        }
        9 => {
            let pivot = random_word(random);
            assert_eq!(list.insert(end, &pivot, &word, setting), insert(model, end, &pivot, word));
        }
        10 => {
            let max = if random.bool() { usize::MAX } else { random.usize(1..3) };
            assert_eq!(list.remove_equal(end, max, &word, setting), remove_equal(model, end, max, &word));
        }
        _ => {
            let (front, back) = (random.usize(..4), random.usize(..4));
            list.trim(front, back, setting);
            model.drain(..front.min(model.len()));
            model.truncate(model.len().saturating_sub(back));
        }
    }
}

fn check(list: &List, model: &Model, random: &mut fastrand::Rng) {
    assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
    assert!(list.as_ref().iter().map(Element::to_vec).eq(model.iter().cloned()));
    let count = random.usize(..=model.len() + 1);
    assert!(list.as_ref().range_back(count).map(Element::to_vec).eq(model.iter().rev().take(count).cloned()));
    let start = random.usize(..=model.len() + 1);
    let expected = model.iter().skip(start).take(count);
    assert!(list.as_ref().range(start, count).map(Element::to_vec).eq(expected.cloned()));
    assert_eq!(list.as_ref().get(start).map(Element::to_vec), model.get(start).cloned());
    if let Form::Quick(quicklist) = &list.form {
        quicklist.nodes().check();
    }
}

#[test]
fn it_behaves_like_a_deque() {
    for (number, setting) in (0..).zip(SETTINGS.iter().cycle().take(40)) {
        let mut random = fastrand::Rng::with_seed(number);
        let (mut list, mut model) = (List::default(), Model::new());
        for _ in 0..300 {
            // Redis's clients may change the setting while lists are there.
            let setting =
                if random.u8(..50) == 0 { SETTINGS[random.usize(..SETTINGS.len())] } else { *setting };
            change_both(&mut list, &mut model, &mut random, setting);
            check(&list, &model, &mut random);
        }
        let copy = list.clone();
        assert_eq!(copy, list);
        check(&copy, &model, &mut random);
        let elements: Vec<Vec<u8>> = model.into();
        assert_eq!(List::stored(elements.iter().map(Vec::as_slice), *setting), list);
        list.push(End::Back, [b"one more".as_slice()].into_iter(), *setting);
        assert_ne!(copy, list);
    }
}

/// Many nodes of one element each, so that segments split and join.
#[test]
fn many_nodes_keep_their_order() {
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut list, mut model) = (List::default(), Model::new());
        for number in 0..3000u32 {
            let (word, end) = (number.to_string().into_bytes(), random_end(&mut random));
            if number > 10 && random.u8(..3) > 0 {
                let pivot = model[random.usize(..model.len())].clone();
                assert!(list.insert(end, &pivot, &word, 1));
                insert(&mut model, end, &pivot, word);
            } else {
                list.push(end, [word.as_slice()].into_iter(), 1);
                push(&mut model, end, word);
            }
        }
        check(&list, &model, &mut random);
        for index in (0..model.len()).step_by(7) {
            assert_eq!(list.as_ref().get(index).map(Element::to_vec), model.get(index).cloned());
        }
        while model.len() > 3 {
            let index = random.usize(..model.len());
            let word = model.remove(index).unwrap();
            assert_eq!(list.remove_equal(random_end(&mut random), 1, &word, 1), 1);
            if model.len().is_multiple_of(100) {
                check(&list, &model, &mut random);
            }
        }
        check(&list, &model, &mut random);
    }
}

/// As `quicklistNodeExceedsLimit` and `listTypeTryConvertQuicklist` have it.
#[test]
fn a_list_changes_its_form_at_the_bounds() {
    let word = [b'x'; 100];
    // A header of 6, an end of 1; 2 + 100 + 1 for each word. The word to be added counts without its overhead.
    let encodings = |setting: i32, most: usize| {
        let mut list = List::default();
        let mut encodings = Vec::new();
        for _ in 0..most {
            list.push(End::Back, [word.as_slice()].into_iter(), setting);
            encodings.push(list.encoding_name());
        }
        let first_long =
            encodings.iter().position(|encoding| *encoding == "quicklist").map(|index| index + 1);
        let mut last_long = None;
        while list.pop(End::Front, setting).is_some() {
            if list.encoding_name() == "listpack" {
                last_long = last_long.or(Some(list.len()));
            }
        }
        (first_long, last_long)
    };
    // 7 + 39 * 103 + 100 = 4,124 > 4,096; 7 + 38 * 103 + 100 = 4,021. Half of it: 7 + 19 * 103 = 1,964 <= 2,048.
    assert_eq!(encodings(-1, 60), (Some(40), Some(19)));
    assert_eq!(encodings(4, 10), (Some(5), Some(2)));
    // Half of one element is none, and the last one takes the key with it.
    assert_eq!(encodings(0, 10), (Some(2), None));
    // Longer than 8 KB it is too long whatever the number: 7 + 79 * 103 + 100 = 8,244, 7 + 78 * 103 + 100 = 8,141.
    assert_eq!(encodings(1000, 100).0, Some(80));
}

#[test]
fn a_long_list_is_found_and_freed_in_pieces() {
    let mut list = List::default();
    let words: Vec<Vec<u8>> = (0..200_000).map(|number: u32| number.to_string().into_bytes()).collect();
    list.push(End::Back, words.iter().map(Vec::as_slice), -2);
    for index in [0, 1, 65_535, 99_999, 100_000, 199_999] {
        assert_eq!(list.as_ref().get(index).map(Element::to_vec).as_ref(), words.get(index));
    }
    assert_eq!(list.as_ref().get(200_000), None);
    let content: usize = words.iter().map(Vec::len).sum();
    assert!(list.allocated_bytes() < 2 * content, "{} for {content}", list.allocated_bytes());
    let mut calls = 0;
    while list.free_some() {
        calls += 1;
    }
    assert!(calls > 0);
}

/// RESTORE may bring such nodes, whose element need not be long.
#[test]
fn digits_in_a_node_without_a_listpack_are_an_integer() {
    let mut builder = ListBuilder::new(-2);
    builder.push(b"7");
    builder.push_plain(b"42".as_slice().into());
    builder.push_plain(b"word".as_slice().into());
    let list = builder.finish();
    let wanted = [Element::Integer(7), Element::Integer(42), Element::Bytes(b"word")];
    assert!(list.as_ref().iter().eq(wanted));
    assert!(list.as_ref().range_back(3).eq(wanted.into_iter().rev()));
    assert_eq!(list.as_ref().get(1), Some(Element::new(b"42")));
    let mut other = List::default();
    other.push(End::Back, [&b"7"[..], b"42", b"word"].into_iter(), -2);
    assert_eq!(list, other);
}
