use super::*;
use crate::listpack::Element;
use std::cmp::Ordering;

/// What a sorted set is: elements in order.
#[derive(Clone, Default)]
struct Model(Vec<(Vec<u8>, f64)>);

fn order(left: (&[u8], f64), right: (&[u8], f64)) -> Ordering {
    left.1.partial_cmp(&right.1).unwrap().then_with(|| left.0.cmp(right.0))
}

impl Model {
    fn rank(&self, member: &[u8]) -> Option<usize> {
        self.0.iter().position(|(other, _)| other == member)
    }

    fn set(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let before = self.remove(member);
        let at = self.0.partition_point(|(other, other_score)| {
            order((other, *other_score), (member, score)) == Ordering::Less
        });
        self.0.insert(at, (member.to_vec(), score));
        before
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.rank(member).map(|rank| self.0.remove(rank).1)
    }

    fn ranks_of(&self, span: &Span<'_>) -> Vec<usize> {
        let is_in = |(member, score): &(Vec<u8>, f64)| {
            let member = Element::Bytes(member);
            span.reaches(member, *score) && span.is_within(member, *score)
        };
        (0..self.0.len()).filter(|rank| is_in(&self.0[*rank])).collect()
    }
}

fn owned((member, score): (Element<'_>, f64)) -> (Vec<u8>, f64) {
    (member.to_vec(), score)
}

fn check(set: &SortedSet, model: &Model) {
    if let Form::Ranked(ranked) = &set.form {
        ranked.check();
    }
    assert_eq!(set.len(), model.0.len());
    assert_eq!(set.as_ref().iter().map(owned).collect::<Vec<_>>(), model.0);
    assert_eq!(
        set.as_ref().iter().rev().map(owned).collect::<Vec<_>>(),
        model.0.iter().rev().cloned().collect::<Vec<_>>()
    );
}

/// Members of many lengths, and scores that are often equal.
struct Source {
    random: fastrand::Rng,
    members: u32,
    scores: u32,
    /// Members may have up to so many bytes more.
    longer: usize,
}

impl Source {
    fn member(&mut self) -> Vec<u8> {
        let number = self.random.u32(..self.members);
        let longer = number as usize * 7919 % (self.longer + 1);
        match number % 5 {
            0 => number.to_string().into_bytes(),
            _ => [format!("member:{number}").into_bytes(), vec![b'x'; longer]].concat(),
        }
    }

    fn score(&mut self) -> f64 {
        match self.random.u32(..50) {
            0 => f64::INFINITY,
            1 => f64::NEG_INFINITY,
            2..10 => f64::from(self.random.u32(..self.scores)) / 8.0,
            _ => f64::from(self.random.u32(..self.scores)),
        }
    }

    fn span(&mut self) -> ([f64; 2], [bool; 2]) {
        ([self.score(), self.score()], [self.random.bool(), self.random.bool()])
    }
}

fn thresholds(entries: u64, value_bytes: u64) -> Thresholds {
    Thresholds {
        zset_max_listpack_entries: entries,
        zset_max_listpack_value_bytes: value_bytes,
        ..Thresholds::default()
    }
}

#[test]
fn it_behaves_like_a_sorted_vector() {
    for seed in 0..24 {
        let random = fastrand::Rng::with_seed(seed);
        let members = [30, 300, 3000][seed as usize % 3];
        let scores = [1, 20, 100_000][seed as usize / 3 % 3];
        let mut source = Source { random, members, scores, longer: [0, 40, 300][seed as usize % 3] };
        let thresholds = thresholds([128, 0, 10][seed as usize % 3], 64);
        let (mut set, mut model) = (SortedSet::default(), Model::default());
        for phase in 0..6 {
            for _ in 0..source.random.u32(1..members) {
                let member = source.member();
                if (source.random.u8(..10) < 7) == (phase % 2 == 0) {
                    let score = source.score();
                    assert_eq!(set.set(&member, score, &thresholds), model.set(&member, score));
                } else if source.random.u8(..20) == 0 && !model.0.is_empty() {
                    let from = source.random.usize(..model.0.len());
                    let to = from + source.random.usize(..model.0.len() / 8 + 2);
                    let removed = set.remove_range(from..to);
                    assert_eq!(removed, model.0.drain(from..to.min(model.0.len())).count());
                } else {
                    assert_eq!(set.remove(&member), model.remove(&member));
                }
                let member = source.member();
                let rank = model.rank(&member);
                assert_eq!(set.as_ref().rank(&member), rank.map(|rank| (rank, model.0[rank].1)));
                assert_eq!(set.as_ref().score(&member), rank.map(|rank| model.0[rank].1));
            }
            check(&set, &model);
            for _ in 0..30 {
                compare_ranges(&set, &model, &mut source);
            }
            assert!(set == set.clone());
        }
        while !model.0.is_empty() {
            let at = source.random.usize(..model.0.len());
            let (member, score) = model.0.remove(at);
            assert_eq!(set.remove(&member), Some(score));
        }
        check(&set, &model);
    }
}

fn compare_ranges(set: &SortedSet, model: &Model, source: &mut Source) {
    let ([low, high], [low_open, high_open]) = source.span();
    let span = Span::Score {
        min: ScoreBound { score: low, is_exclusive: low_open },
        max: ScoreBound { score: high, is_exclusive: high_open },
    };
    compare_span(set, model, &span);
    if model.0.iter().all(|(_, score)| *score == model.0[0].1) {
        let (low, high) = (source.member(), source.member());
        let mut bound = |member| match source.random.u8(..6) {
            0 => LexBound::Lowest,
            1 => LexBound::Highest,
            2..4 => LexBound::Including(member),
            _ => LexBound::Excluding(member),
        };
        compare_span(set, model, &Span::Lex { min: bound(&low), max: bound(&high) });
    }
    let from = source.random.usize(..model.0.len() + 2);
    let to = from + source.random.usize(..100);
    let expected: Vec<_> = model.0.iter().take(to).skip(from).cloned().collect();
    assert_eq!(set.as_ref().range(from..to).map(owned).collect::<Vec<_>>(), expected);
    let backwards: Vec<_> = set.as_ref().range(from..to).rev().map(owned).collect();
    assert_eq!(backwards.into_iter().rev().collect::<Vec<_>>(), expected);
    assert_eq!(set.as_ref().get(from).map(owned), model.0.get(from).cloned());
}

fn compare_span(set: &SortedSet, model: &Model, span: &Span<'_>) {
    let expected = model.ranks_of(span);
    assert_eq!(set.as_ref().first_of(span), expected.first().copied(), "{span:?}");
    assert_eq!(set.as_ref().last_of(span), expected.last().copied(), "{span:?}");
    assert_eq!(set.as_ref().ranks_of(span).collect::<Vec<_>>(), expected, "{span:?}");
}

#[test]
fn large_sets_keep_their_order_and_give_memory_back() {
    for (seed, scores) in [(1, u32::MAX), (2, 1), (3, 50_000)] {
        let random = fastrand::Rng::with_seed(seed);
        let mut source = Source { random, members: 30_000, scores, longer: 8 };
        let mut set = SortedSet::default();
        let mut model = std::collections::BTreeMap::new();
        let thresholds = Thresholds::default();
        for _ in 0..45_000 {
            let (member, score) = (source.member(), source.score());
            assert_eq!(set.set(&member, score, &thresholds), model.insert(member, score));
        }
        let sorted = |model: &std::collections::BTreeMap<Vec<u8>, f64>| {
            let mut sorted: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
            sorted.sort_by(|left, right| order((&left.0, left.1), (&right.0, right.1)));
            Model(sorted)
        };
        check(&set, &sorted(&model));
        let full = set.allocated_bytes();
        let members: Vec<_> = model.keys().cloned().collect();
        for member in members.iter().filter(|_| source.random.u8(..10) > 0) {
            assert_eq!(set.remove(member), model.remove(member));
        }
        check(&set, &sorted(&model));
        assert!(set.allocated_bytes() < full / 4, "{} of {full}", set.allocated_bytes());
    }
}

#[test]
fn members_in_order_fill_the_nodes() {
    let names: Vec<String> = (0..20_000).map(|number| format!("member:{number:09}")).collect();
    let mut bytes = Vec::new();
    for backwards in [false, true] {
        let mut set = SortedSet::default();
        for number in 0..names.len() {
            let number = if backwards { names.len() - 1 - number } else { number };
            set.set(names[number].as_bytes(), number as f64, &Thresholds::default());
        }
        bytes.push(set.allocated_bytes() / names.len());
    }
    let elements =
        names.iter().enumerate().map(|(number, name)| (Element::Bytes(name.as_bytes()), number as f64));
    let built = SortedSet::from_sorted(elements, &Thresholds::default());
    bytes.push(built.allocated_bytes() / names.len());
    assert!(bytes.iter().all(|bytes| *bytes <= 60), "{bytes:?} bytes for a member of 16 bytes");
}

#[test]
fn small_sets_become_large_ones_at_the_thresholds() {
    let thresholds = thresholds(4, 8);
    let mut set = SortedSet::default();
    for member in ["a", "b", "c", "12345678"] {
        set.set(member.as_bytes(), 1.0, &thresholds);
    }
    assert_eq!(set.encoding_name(), "listpack");
    set.set(b"a", 2.0, &thresholds);
    assert_eq!(set.encoding_name(), "listpack");
    let mut longer = set.clone();
    longer.remove(b"b");
    longer.set(b"123456789", 1.0, &thresholds);
    assert_eq!(longer.encoding_name(), "skiplist");
    let mut more = set.clone();
    more.set(b"d", 1.0, &thresholds);
    assert_eq!(more.encoding_name(), "skiplist");
    more.remove(b"d");
    assert_eq!((more.encoding_name(), &more), ("skiplist", &set));
    set.reserve(4, &thresholds);
    assert_eq!(set.encoding_name(), "listpack");
    set.reserve(5, &thresholds);
    assert_eq!((set.encoding_name(), &set), ("skiplist", &more));
}

#[test]
fn scores_stand_in_a_listpack_as_redis_writes_them() {
    let mut set = SortedSet::default();
    let scores =
        [(-0.0, "0"), (1e300, "1e+300"), (2.5, "2.5"), (1e17, "100000000000000000"), (f64::INFINITY, "inf")];
    for (index, (score, _)) in scores.iter().enumerate() {
        set.set(&[b'a' + index as u8], *score, &Thresholds::default());
    }
    let SortedSetRef::Listpack(listpack) = set.as_ref() else { panic!("it is small") };
    let elements: Vec<_> =
        listpack.iter().map(|element| String::from_utf8(element.to_vec()).unwrap()).collect();
    assert_eq!(elements, ["a", "0", "c", "2.5", "d", "100000000000000000", "b", "1e+300", "e", "inf"]);
    assert!(SortedSet::from_listpack(listpack.to_listpack()) == set);
}

#[test]
fn a_walk_meets_all_members() {
    let mut set = SortedSet::default();
    let mut names = std::collections::BTreeSet::new();
    for number in 0..3000 {
        set.set(format!("{number}").as_bytes(), f64::from(number), &Thresholds::default());
        names.insert(number.to_string().into_bytes());
    }
    let (mut position, mut met) = (0, std::collections::BTreeSet::new());
    loop {
        let mut count = 0;
        let next = set.as_ref().scan(position, 50, |member, score| {
            assert_eq!(member.to_vec(), score.to_string().into_bytes());
            met.insert(member.to_vec());
            count += 1;
        });
        assert!(count < 100);
        match next {
            Some(next) => position = next,
            None => break,
        }
    }
    assert_eq!(met, names);
}

#[test]
fn a_large_set_is_freed_in_slices() {
    let mut set = SortedSet::default();
    for number in 0..20_000 {
        set.set(format!("member:{number}").as_bytes(), f64::from(number % 77), &Thresholds::default());
    }
    let full = set.allocated_bytes();
    let mut slices = 0;
    while set.free_some() {
        slices += 1;
        assert!(set.allocated_bytes() <= full);
    }
    assert!(slices > 20, "{slices}");
    assert!(set.allocated_bytes() < full / 20, "{}", set.allocated_bytes());
}

#[test]
fn a_copy_counts_its_own_memory() {
    let thresholds = thresholds(0, 0);
    let mut set = SortedSet::default();
    for number in 0..1500 {
        let member = format!("{number}").repeat(1 + number % 40);
        set.set(member.as_bytes(), number as f64, &thresholds);
    }
    let copy = set.clone();
    let Form::Ranked(ranked) = &copy.form else { panic!("it is large") };
    ranked.check();
    assert!(copy.allocated_bytes() < set.allocated_bytes());
}
