//! Histories that one order leads to, and such as none does, each with what is said of it.

use tessera_consistency::work::{Shape, Workload};
use tessera_consistency::{History, Step, Transaction};

fn append(list: u32, element: u64) -> Step {
    Step::Append { list, element, len: None }
}

fn read(list: u32, elements: &[u64]) -> Step {
    Step::Read { list, elements: elements.to_vec() }
}

fn set(register: u32, value: u64) -> Step {
    Step::Set { register, value }
}

fn get(register: u32, value: u64) -> Step {
    Step::Get { register, value: Some(value) }
}

fn at(began: u64, ended: u64, steps: &[Step]) -> Transaction {
    Transaction { client: 0, began, ended: Some(ended), steps: steps.to_vec(), is_refused: false }
}

/// All at once, so that time says nothing.
fn beside(steps: &[Step]) -> Transaction {
    at(0, 10, steps)
}

fn judge(transactions: Vec<Transaction>) -> Result<usize, String> {
    History { transactions }.check()
}

#[track_caller]
fn is_found(transactions: Vec<Transaction>, said: &str) {
    match judge(transactions) {
        Ok(_) => panic!("nothing is said of it"),
        Err(why) => assert!(why.contains(said), "{why}"),
    }
}

const CIRCLE: &str = "come before each other";

#[test]
fn what_one_order_leads_to_passes() {
    let transactions = vec![
        beside(&[append(1, 1), append(2, 2)]),
        beside(&[read(1, &[1]), append(2, 3)]),
        beside(&[read(1, &[]), read(2, &[])]),
        beside(&[set(1, 5), set(2, 5)]),
        beside(&[get(1, 5), get(2, 5)]),
        at(20, 30, &[read(1, &[1]), read(2, &[2, 3]), get(1, 5)]),
    ];
    assert!(judge(transactions).is_ok_and(|edges| edges > 6));
}

#[test]
fn two_that_write_in_opposite_orders_are_found() {
    // G0.
    is_found(
        vec![
            beside(&[append(1, 1), append(2, 2)]),
            beside(&[append(1, 3), append(2, 4)]),
            beside(&[read(1, &[1, 3])]),
            beside(&[read(2, &[4, 2])]),
        ],
        CIRCLE,
    );
}

#[test]
fn what_was_refused_and_is_seen_is_found() {
    // G1a.
    let refused = Transaction { is_refused: true, ..beside(&[append(1, 1)]) };
    is_found(vec![refused, beside(&[read(1, &[1])])], "refused");
    let refused = Transaction { is_refused: true, ..beside(&[set(1, 1)]) };
    is_found(vec![refused, beside(&[get(1, 1)])], "refused");
}

#[test]
fn half_of_a_transaction_that_is_seen_is_found() {
    // G1b, and reads of half an MSET.
    is_found(
        vec![
            beside(&[append(1, 1), append(1, 2)]),
            beside(&[read(1, &[1])]),
            at(20, 30, &[read(1, &[1, 2])]),
        ],
        CIRCLE,
    );
    is_found(
        vec![
            at(0, 10, &[set(1, 1), set(2, 1)]),
            at(20, 30, &[set(1, 2), set(2, 2)]),
            at(20, 40, &[get(1, 2), get(2, 1)]),
        ],
        CIRCLE,
    );
    is_found(
        vec![beside(&[set(1, 1), set(2, 1)]), beside(&[get(1, 1), Step::Get { register: 2, value: None }])],
        CIRCLE,
    );
}

#[test]
fn two_that_see_each_other_are_found() {
    // G1c.
    is_found(vec![beside(&[append(1, 1), read(2, &[2])]), beside(&[append(2, 2), read(1, &[1])])], CIRCLE);
}

#[test]
fn two_that_do_not_see_each_other_are_found() {
    // G2, write skew: each reads what the other writes, as it was before.
    is_found(
        vec![
            beside(&[read(1, &[]), append(2, 2)]),
            beside(&[read(2, &[]), append(1, 1)]),
            at(20, 30, &[read(1, &[1]), read(2, &[2])]),
        ],
        CIRCLE,
    );
}

#[test]
fn who_sees_one_write_of_a_transaction_and_not_the_other_is_found() {
    // G-single, read skew.
    is_found(
        vec![
            beside(&[append(1, 1), append(2, 2)]),
            beside(&[read(1, &[1]), read(2, &[])]),
            at(20, 30, &[read(1, &[1]), read(2, &[2])]),
        ],
        CIRCLE,
    );
}

#[test]
fn who_sees_a_half_of_two_that_nothing_orders_is_found() {
    let setters = [beside(&[set(1, 5), set(2, 5)]), beside(&[set(1, 6), set(2, 6)])];
    let with = |steps: &[Step]| [&setters[..], &[beside(steps)]].concat();
    let nothing = Step::Get { register: 2, value: None };
    is_found(with(&[get(1, 5), get(2, 6)]), "and each has set both");
    is_found(with(&[get(2, 5), get(1, 6)]), "and each has set both");
    assert!(judge(with(&[get(1, 5), nothing])).is_err());
    assert!(judge(with(&[get(1, 6), get(2, 6)])).is_ok());
    assert!(judge(with(&[get(1, 5), set(2, 7), get(2, 7)])).is_ok());
    // Who has set but one of them may have come between.
    let mut transactions = with(&[get(1, 5), get(2, 7)]);
    transactions.push(beside(&[set(2, 7)]));
    assert!(judge(transactions).is_ok());
}

#[test]
fn lost_updates_are_found() {
    // Both read what was there and gave something else.
    is_found(
        vec![
            at(0, 10, &[set(1, 1)]),
            at(20, 30, &[get(1, 1), set(1, 2)]),
            at(20, 30, &[get(1, 1), set(1, 3)]),
        ],
        CIRCLE,
    );
    // Guarded by WATCH.
    is_found(
        vec![
            beside(&[read(1, &[]), append(1, 1)]),
            beside(&[read(1, &[]), append(1, 2)]),
            at(20, 30, &[read(1, &[1, 2])]),
        ],
        CIRCLE,
    );
}

#[test]
fn stale_reads_are_found() {
    is_found(
        vec![at(0, 10, &[append(1, 1)]), at(20, 30, &[read(1, &[])]), at(40, 50, &[read(1, &[1])])],
        CIRCLE,
    );
    is_found(vec![at(0, 10, &[set(1, 1)]), at(20, 30, &[set(1, 2)]), at(40, 50, &[get(1, 1)])], CIRCLE);
    // The new value has been seen by somebody who had ended.
    is_found(
        vec![
            at(0, 10, &[set(1, 1)]),
            at(20, 90, &[set(1, 2)]),
            at(30, 40, &[get(1, 2)]),
            at(50, 60, &[get(1, 1)]),
        ],
        CIRCLE,
    );
    // As long as nobody had, it may have been either.
    let open = vec![
        at(0, 10, &[set(1, 1)]),
        at(20, 90, &[set(1, 2)]),
        at(30, 60, &[get(1, 2)]),
        at(50, 60, &[get(1, 1)]),
    ];
    assert!(judge(open).is_ok());
}

#[test]
fn what_is_lost_doubled_or_made_up_is_found() {
    is_found(vec![at(0, 10, &[append(1, 1)]), at(20, 30, &[read(1, &[])])], "is lost");
    is_found(vec![beside(&[append(1, 1)]), beside(&[read(1, &[1, 1])])], "twice");
    is_found(vec![beside(&[append(1, 1)]), beside(&[read(2, &[1])])], "nobody appended");
    is_found(vec![beside(&[get(1, 7)])], "nobody gave");
    is_found(
        vec![
            beside(&[append(1, 1)]),
            beside(&[append(1, 2)]),
            beside(&[read(1, &[1])]),
            beside(&[read(1, &[2])]),
        ],
        "was read as",
    );
    let placed = Step::Append { list: 1, element: 1, len: Some(2) };
    is_found(vec![beside(&[placed]), beside(&[read(1, &[1])])], "is element 1 of list 1, not 2");
}

#[test]
fn of_what_was_not_answered_all_happened_or_nothing() {
    let unknown = Transaction { ended: None, ..beside(&[append(1, 1), append(2, 2)]) };
    let reader = |one: &[u64], other: &[u64]| at(20, 30, &[read(1, one), read(2, other)]);
    assert!(judge(vec![unknown.clone(), reader(&[], &[])]).is_ok());
    assert!(judge(vec![unknown.clone(), reader(&[1], &[2])]).is_ok());
    is_found(vec![unknown, reader(&[1], &[])], "is lost");
}

#[test]
fn a_transaction_that_does_not_see_itself_is_found() {
    is_found(vec![beside(&[append(1, 1), read(1, &[])]), at(20, 30, &[read(1, &[1])])], "as it has made it");
    is_found(vec![beside(&[read(1, &[1]), append(1, 1)])], "as it has made it");
    is_found(vec![beside(&[set(1, 1), get(1, 2)]), beside(&[set(1, 2)])], "as it has made it");
}

/// A store of one thread, that does what jobs ask for.
#[derive(Default)]
struct Store {
    texts: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
    lists: std::collections::BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    queue: Option<Vec<Vec<Vec<u8>>>>,
}

impl Store {
    fn say(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        match (words[0].as_slice(), &mut self.queue) {
            (b"MULTI", _) => {
                self.queue = Some(Vec::new());
                b"+OK\r\n".to_vec()
            }
            (b"EXEC", queue) => {
                let queue = queue.take().unwrap_or_default();
                let mut out = format!("*{}\r\n", queue.len()).into_bytes();
                queue.iter().for_each(|words| out.extend(self.run(words)));
                out
            }
            (_, Some(queue)) => {
                queue.push(words.to_vec());
                b"+QUEUED\r\n".to_vec()
            }
            (_, None) => self.run(words),
        }
    }

    fn run(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        let bulk = |text: Option<&Vec<u8>>| match text {
            None => b"$-1\r\n".to_vec(),
            Some(text) => [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat(),
        };
        match words[0].as_slice() {
            b"RPUSH" => {
                let list = self.lists.entry(words[1].clone()).or_default();
                list.push(words[2].clone());
                format!(":{}\r\n", list.len()).into_bytes()
            }
            b"LRANGE" => {
                let list = self.lists.get(&words[1]).cloned().unwrap_or_default();
                let elements: Vec<u8> = list.iter().flat_map(|element| bulk(Some(element))).collect();
                [format!("*{}\r\n", list.len()).into_bytes(), elements].concat()
            }
            b"APPEND" => {
                let text = self.texts.entry(words[1].clone()).or_default();
                text.extend(&words[2]);
                format!(":{}\r\n", text.len()).into_bytes()
            }
            b"GET" => bulk(self.texts.get(&words[1])),
            b"MGET" => {
                let texts: Vec<u8> = words[1..].iter().flat_map(|key| bulk(self.texts.get(key))).collect();
                [format!("*{}\r\n", words.len() - 1).into_bytes(), texts].concat()
            }
            b"SET" | b"MSET" => {
                words[1..].chunks(2).for_each(|pair| {
                    self.texts.insert(pair[0].clone(), pair[1].clone());
                });
                b"+OK\r\n".to_vec()
            }
            _ => b"+OK\r\n".to_vec(),
        }
    }
}

/// What clients were told whose jobs run one after the other, each at some moment between its beginning and its end.
fn played(seed: u64) -> History {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut work =
        Workload::new(Shape { lists: 3, texts: 3, registers: 3, round: 0, jobs_per_kill: 0 }, seed);
    let mut store = Store::default();
    let mut history = History::default();
    for moment in 1..80_u64 {
        let job = if moment == 79 { work.read_all() } else { work.draw() };
        let replies: Vec<Vec<u8>> = job.commands().iter().map(|words| store.say(words)).collect();
        let mut times = (moment * 10 - random.u64(..60).min(moment * 10), moment * 10 + random.u64(..60));
        if moment == 79 {
            times = (10_000, 10_001);
        }
        let done = job.done(moment as usize % 5, times, &replies).unwrap_or_else(|why| panic!("{why}"));
        history.transactions.extend(done);
    }
    history
}

#[test]
fn what_a_store_of_one_thread_tells_passes() {
    for seed in 0..300 {
        assert!(played(seed).check().is_ok(), "{seed}: {:?}", played(seed).check());
    }
}

#[test]
fn what_is_told_wrongly_is_found_in_most_cases() {
    let mut found = 0;
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut history = played(seed);
        // Somebody is told what was there a while before.
        let reads = history.transactions.iter_mut().flat_map(|transaction| &mut transaction.steps);
        let mut reads: Vec<&mut Step> =
            reads.filter(|step| matches!(step, Step::Read { elements, .. } if elements.len() > 3)).collect();
        if let Some(Step::Read { elements, .. }) = random.choice(reads.iter_mut()) {
            elements.truncate(elements.len() - 3);
        }
        found += usize::from(history.check().is_err());
    }
    // What was appended at about the time of the read may as well have come later.
    assert!(found > 200, "{found} of 300");
}
