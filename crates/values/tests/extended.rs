//! Sums of extended floats against what a real server answered.
//!
//! `data/extended.tsv` has a sum a line: what a key was set to, what INCRBYFLOAT was told to add, and the answer of
//! Valkey 7.2.7 on x86-64; `refused` where that was "value is not a valid float", `not finite` where it was
//! "increment would produce NaN or Infinity".

use tessera_values::extended::Extended;

const RECORDED: &str = include_str!("data/extended.tsv");

fn answer(first: &str, second: &str) -> String {
    let numbers = Extended::parse(first.as_bytes()).zip(Extended::parse(second.as_bytes()));
    match numbers {
        None => "refused".into(),
        Some((first, second)) => (first + second).format().unwrap_or("not finite".into()),
    }
}

#[test]
fn sums_are_those_of_a_real_server() {
    assert!(RECORDED.lines().count() > 500);
    for line in RECORDED.lines() {
        let mut columns = line.split('\t');
        let (first, second, expected) =
            (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        assert_eq!(answer(first, second), expected, "{first} + {second}");
    }
}

#[test]
fn sums_do_not_depend_on_the_order() {
    for line in RECORDED.lines() {
        let (first, rest) = line.split_once('\t').unwrap();
        let (second, _) = rest.split_once('\t').unwrap();
        assert_eq!(answer(first, second), answer(second, first), "{first} + {second}");
    }
}

#[test]
fn text_is_bounded() {
    let nines = |len: usize| [b"0.".to_vec(), vec![b'9'; len - 2]].concat();
    assert!(Extended::parse(&nines(5119)).is_some());
    assert!(Extended::parse(&nines(5120)).is_none());
    assert!(Extended::parse(b"").is_none());
}
