use super::*;
use crate::string::Digits;

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(Element::to_vec).collect()
}

/// Bytes written by hand from the description of the format.
#[test]
fn the_format_is_that_of_redis() {
    let mut pack = Listpack::new();
    assert_eq!(pack.as_bytes(), [7, 0, 0, 0, 0, 0, 0xff]);
    for word in ["5", "ab", "-1", "4095", "300000", "-9223372036854775808"] {
        pack.push_back(word.as_bytes());
    }
    let expected: &[&[u8]] = &[
        &[0x05, 1],
        &[0x82, b'a', b'b', 3],
        &[0xdf, 0xff, 2],
        &[0xcf, 0xff, 2],
        &[0xf2, 0xe0, 0x93, 0x04, 4],
        &[0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80, 9],
    ];
    let elements = expected.concat();
    assert_eq!(pack.as_bytes()[..6], [(elements.len() + 7) as u8, 0, 0, 0, 6, 0]);
    assert_eq!(pack.as_bytes()[6..6 + elements.len()], elements);
    assert_eq!(pack.as_bytes().last(), Some(&0xff));

    let mut long = Listpack::new();
    long.push_back(&[b'x'; 200]);
    assert_eq!(long.as_bytes()[6..8], [0xe0, 200]);
    // 202 is 1 * 128 + 74, the higher bits first and the continued byte marked.
    assert_eq!(long.as_bytes()[208..211], [1, 74 | 0x80, 0xff]);
    let mut longer = Listpack::new();
    longer.push_back(&[b'x'; 5000]);
    assert_eq!(longer.as_bytes()[6..11], [0xf0, 0x88, 0x13, 0, 0]);
}

fn random_word(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(..6) {
        0 => random.i64(..).to_string().into_bytes(),
        1 => (random.i64(..) >> random.u32(..64)).to_string().into_bytes(),
        2 => vec![b'y'; random.usize(..300)],
        3 if random.u8(..20) == 0 => vec![b'z'; random.usize(4000..20_000)],
        _ => random.u8(..40).to_string().into_bytes(),
    }
}

#[test]
fn it_behaves_like_a_vector() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut pack, mut model) = (Listpack::new(), Vec::<Vec<u8>>::new());
        for _ in 0..200 {
            let word = random_word(&mut random);
            let index = random.usize(..=model.len());
            match random.u8(..10) {
                0..3 => {
                    pack.push_back(&word);
                    model.push(word);
                }
                3 => {
                    pack.push_front(&word);
                    model.insert(0, word);
                }
                4 | 5 => {
                    pack.insert(pack.seek(index), &[Element::new(&word), Element::new(b"7")]);
                    model.insert(index, b"7".to_vec());
                    model.insert(index, word);
                }
                6 if index < model.len() => {
                    pack.replace(pack.seek(index).unwrap(), &word);
                    model[index] = word;
                }
                7 if index < model.len() => {
                    let count = random.usize(..4);
                    let next = pack.remove(pack.seek(index).unwrap(), count);
                    model.drain(index..model.len().min(index + count));
                    assert_eq!(next, pack.seek(index));
                }
                _ => {
                    let stride = random.usize(1..3);
                    let found = model.iter().step_by(stride).position(|other| *other == word);
                    let place = found.and_then(|number| pack.seek(number * stride));
                    assert_eq!(pack.find(pack.first(), &word, stride), place);
                }
            }
            assert_eq!(texts(&pack), model);
            assert_eq!(pack.len(), model.len());
            assert!(pack.iter().rev().map(Element::to_vec).eq(model.iter().rev().cloned()));
            let total = u32::from_le_bytes(pack.as_bytes()[..4].try_into().unwrap());
            assert_eq!((total as usize, pack.is_empty()), (pack.len_bytes(), model.is_empty()));
        }
    }
}

#[test]
fn more_elements_than_the_header_counts() {
    let mut pack = Listpack::new();
    let elements = vec![Element::Integer(1); 65_533];
    pack.insert(None, &elements);
    for len in 65_534..65_540 {
        pack.push_back(b"2");
        assert_eq!(pack.len(), len);
    }
    assert_eq!(pack.get(pack.seek(65_538).unwrap()), Element::Integer(2));
    assert_eq!(pack.seek(65_539), None);
    pack.remove(pack.first().unwrap(), 100);
    assert_eq!(pack.len(), 65_439);
}

#[test]
fn a_listpack_of_many_elements_is_seldom_counted() {
    let mut pack = Listpack::new();
    pack.insert(None, &vec![Element::Integer(1); 70_000]);
    let (mut recounted, mut uncounted) = (0, 0);
    for len in (1..70_000).rev() {
        let before = pack.counted();
        pack.remove(pack.last().unwrap(), 1);
        recounted += u32::from(before == MANY && pack.counted() != MANY);
        uncounted += u32::from(len < usize::from(MANY) && pack.counted() == MANY);
        if pack.counted() != MANY {
            assert_eq!(usize::from(pack.counted()), len);
        }
        if len % 1000 == 0 {
            assert_eq!(pack.len(), len);
        }
    }
    assert_eq!(recounted, 1);
    // As many as there are in the bytes after which it is counted, of two bytes each.
    assert!(uncounted <= RECOUNT_BYTES as u32 / 2, "{uncounted}");
    pack.remove(pack.first().unwrap(), 1);
    assert!(pack.is_empty());
    assert_eq!(pack.iter().count(), 0);
}

#[test]
fn elements_tell_their_bytes() {
    let mut digits = Digits::new();
    assert_eq!(Element::new(b"-12").as_bytes(&mut digits), b"-12");
    assert_eq!(Element::new(b"-012").as_integer(), None);
    assert_eq!(Element::new(b"-12").len_bytes(), 3);
}

/// Adding, taking and moving many at a time come to the same as one by one.
#[test]
fn many_elements_at_once_are_like_one_by_one() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let words: Vec<Vec<u8>> = (0..random.usize(..60)).map(|_| random_word(&mut random)).collect();
        let one_by_one = |words: &[Vec<u8>]| {
            let mut pack = Listpack::new();
            words.iter().for_each(|word| pack.push_back(word));
            pack
        };
        let at = random.usize(..=words.len());
        let mut pack = one_by_one(&words[..at]);
        pack.extend(words[at..].iter().map(|word| Element::new(word)));
        assert_eq!(pack, one_by_one(&words));

        if let Some(position) = pack.seek(at) {
            let behind = pack.split_off(position);
            assert_eq!((&pack, &behind), (&one_by_one(&words[..at]), &one_by_one(&words[at..])));
            pack.append(&behind);
            assert_eq!(pack, one_by_one(&words));
        }

        let keep: Vec<bool> = words.iter().map(|_| random.bool()).collect();
        let mut asked = keep.iter();
        pack.retain(|_| *asked.next().unwrap());
        let kept = words.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(word, _)| word.clone());
        assert_eq!(pack, one_by_one(&kept.collect::<Vec<_>>()));
        assert!(
            pack.allocated_bytes()
                <= 2 * crate::allocation::block_len_bytes(pack.len_bytes()).max(SHRINK_MIN_BYTES)
        );
    }
}

#[test]
fn elements_beyond_what_the_header_counts_move_too() {
    let mut pack = Listpack::new();
    pack.extend((0..70_000).map(|_| Element::Integer(1)));
    let behind = pack.split_off(pack.seek(69_000).unwrap());
    assert_eq!((pack.len(), behind.len(), behind.counted()), (69_000, 1000, 1000));
    let behind = pack.split_off(pack.seek(100).unwrap());
    assert_eq!((pack.len(), pack.counted(), behind.len()), (100, 100, 68_900));
    pack.append(&behind);
    assert_eq!((pack.len(), pack.counted()), (69_000, MANY));
    let mut number = 0;
    pack.retain(|_| {
        number += 1;
        number % 69 == 0
    });
    assert_eq!((pack.len(), pack.counted()), (1000, 1000));
}
