//! Collections in a listpack that is nearly as long as a listpack may be: whatever is done to them next, they go over
//! to another form in time. Such come with RESTORE, and need not be large there: they compress well.

use crate::hash::FieldExpire;
use crate::list::{End, ListBuilder};
use crate::listpack::{Element, LONGEST_BYTES, Listpack, MAX_LEN_BYTES};
use crate::{Collection, Hash, Set, SortedSet, Thresholds};

/// Bytes that the listpack is shorter than it may be: more than any element takes besides its text.
const SHORTER: std::ops::Range<usize> = 0..70;

/// A listpack of these elements and a text that makes it so much shorter than the longest.
fn nearly_full(before: &[Element<'_>], shorter: usize, behind: &[Element<'_>]) -> (Listpack, Vec<u8>) {
    let mut frame = Listpack::new();
    frame.extend(before.iter().chain(behind).copied());
    // The text's own length is told in 5 bytes before it and 3 behind it.
    let text = vec![b'x'; LONGEST_BYTES - shorter - frame.len_bytes() - 8];
    let mut listpack = Listpack::new();
    listpack.extend(before.iter().copied().chain([Element::new(&text)]).chain(behind.iter().copied()));
    assert_eq!(listpack.len_bytes(), LONGEST_BYTES - shorter);
    (listpack, text)
}

/// Thresholds that let everything stay small.
fn wide() -> Thresholds {
    Thresholds {
        hash_max_listpack_value_bytes: u64::MAX,
        set_max_listpack_value_bytes: u64::MAX,
        zset_max_listpack_value_bytes: u64::MAX,
        ..Thresholds::default()
    }
}

#[test]
fn a_hash_takes_another_field_value_and_time() {
    for thresholds in [Thresholds::default(), wide()] {
        for shorter in SHORTER {
            let (plain, text) = nearly_full(&[Element::Bytes(b"field")], shorter, &[]);
            let no_time = [Element::Integer(0)];
            let (timed, timed_text) = nearly_full(&[Element::Bytes(b"field")], shorter, &no_time);
            for (hash, text) in
                [(Hash::from_listpack(plain), text), (Hash::from_listpack_with_times(timed), timed_text)]
            {
                let mut timed = hash.clone();
                assert!(timed.set_expire(b"field", Some(9_000_000_000_000), &thresholds));
                let found = timed.as_ref().find(b"field", 0).unwrap();
                assert_eq!(
                    (found.value.to_vec(), found.expire_at_ms),
                    (text.clone(), Some(9_000_000_000_000))
                );

                for expire in [FieldExpire::Keep, FieldExpire::AtMs(9_000_000_000_000)] {
                    let mut set = hash.clone();
                    assert!(set.set(b"other", &text[..30], expire, &thresholds));
                    assert!(!set.set(b"other", &text[..60], expire, &thresholds));
                    assert_eq!(set.as_ref().get(b"field", 0).unwrap().to_vec(), text);
                    assert_eq!(set.len(), 2);
                }
            }
        }
    }
}

#[test]
fn a_sorted_set_takes_another_member_and_score() {
    const LONG_SCORE: f64 = -2.225_073_858_507_201_4e-308;
    for thresholds in [Thresholds::default(), wide()] {
        for shorter in SHORTER {
            let (listpack, text) = nearly_full(&[], shorter, &[Element::Integer(1)]);
            let set = SortedSet::from_listpack(listpack);
            let mut scored = set.clone();
            assert_eq!(scored.set(&text, LONG_SCORE, &thresholds), Some(1.0));
            assert_eq!(scored.as_ref().score(&text), Some(LONG_SCORE));
            let mut grown = set.clone();
            for (member, score) in [(&b"a"[..], 1.0), (b"0123456789abcdef", LONG_SCORE), (b"7", 2.5)] {
                assert_eq!(grown.set(member, score, &thresholds), None);
                assert_eq!(grown.as_ref().score(member), Some(score));
            }
            assert_eq!((grown.as_ref().score(&text), grown.len()), (Some(1.0), 4));
            let sorted = SortedSet::from_sorted([(Element::new(&text), LONG_SCORE)].into_iter(), &thresholds);
            assert_eq!(sorted.as_ref().score(&text), Some(LONG_SCORE));
        }
    }
}

#[test]
fn a_sorted_set_of_many_members_counts_their_scores() {
    let thresholds = Thresholds { zset_max_listpack_entries: u64::MAX, ..Thresholds::default() };
    let names: Vec<String> = (0..30_000).map(|index| format!("{index:020}")).collect();
    let elements = names
        .iter()
        .enumerate()
        .map(|(index, name)| (Element::new(name.as_bytes()), index as f64 + 0.123_456_789));
    let set = SortedSet::from_sorted(elements, &thresholds);
    assert_eq!((set.encoding_name(), set.len()), ("skiplist", 30_000));
}

#[test]
fn a_set_takes_another_member() {
    for thresholds in [Thresholds::default(), wide()] {
        for shorter in SHORTER {
            let (listpack, text) = nearly_full(&[], shorter, &[Element::Integer(1)]);
            for member in [&b"2"[..], b"-9223372036854775808", b"0123456789abcdef"] {
                let mut set = Set::from_listpack(listpack.clone(), &thresholds);
                assert!(set.add(Element::new(member), &thresholds));
                assert!(
                    set.as_ref().contains(Element::new(&text)) && set.as_ref().contains(Element::new(member))
                );
                assert_eq!(set.len(), 3);
            }
        }
    }
}

#[test]
fn a_list_takes_another_element_anywhere() {
    for setting in [-2, 1, 3, 1000] {
        for shorter in SHORTER.step_by(9) {
            let ends = [Element::Bytes(b"first"), Element::Bytes(b"second")];
            let (listpack, text) = nearly_full(&ends, shorter, &[Element::Bytes(b"last")]);
            for long in [1, 300, MAX_LEN_BYTES - 1, MAX_LEN_BYTES] {
                let new = vec![b'n'; long];
                for (pivot, side) in
                    [("first", End::Front), ("first", End::Back), ("last", End::Front), ("last", End::Back)]
                {
                    let mut builder = ListBuilder::new(setting);
                    builder.push_listpack(listpack.clone());
                    let mut list = builder.finish();
                    assert!(list.insert(side, pivot.as_bytes(), &new, setting));
                    let mut expected =
                        vec![b"first".to_vec(), b"second".to_vec(), text.clone(), b"last".to_vec()];
                    let at = expected.iter().position(|element| element == pivot.as_bytes()).unwrap();
                    expected.insert(at + usize::from(side == End::Back), new.clone());
                    assert!(list.as_ref().iter().map(Element::to_vec).eq(expected.iter().cloned()));
                    for index in 0..expected.len() {
                        let mut changed = list.clone();
                        assert!(changed.set(index, &new, setting));
                        assert_eq!(changed.as_ref().get(index).unwrap().to_vec(), new);
                        assert_eq!(changed.len(), expected.len());
                    }
                    list.push(End::Front, [&new[..]].into_iter(), setting);
                    list.push(End::Back, [&new[..]].into_iter(), setting);
                    assert_eq!(list.len(), 7);
                }
            }
        }
    }
}
