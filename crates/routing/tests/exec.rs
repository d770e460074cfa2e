//! What transactions want of which shards.

use tessera_command::Registry;
use tessera_resp::args::OwnedArgs;
use tessera_routing::SlotTable;
use tessera_routing::exec::{ExecPlan, Planned, Stage};

/// Of two shards `{a}`, whose slot is 15495, is on the second, and `{b}`, 3300, on the first.
fn plan(lines: &[&str]) -> ExecPlan {
    let registry = Registry::new(&tessera_commands::COMMANDS);
    let words: Vec<OwnedArgs> = lines.iter().map(|line| OwnedArgs::from_words(line.split(' '))).collect();
    let planned = words.iter().map(|words| {
        let command = registry.resolve(words.as_args()).unwrap_or_else(|_| panic!("{words:?}"));
        Planned { command, args: words.as_args(), db: 0 }
    });
    ExecPlan::of(planned, &SlotTable::even(2))
}

/// What is wanted: `shard:key`, with a `!` if it may be changed.
fn wanted(plan: &ExecPlan) -> Vec<String> {
    let mut wanted = Vec::new();
    for (shard, participant) in &plan.participants {
        for (key, writes) in &participant.keys {
            let mark = if *writes { "!" } else { "" };
            wanted.push(format!("{shard}:{}{mark}", String::from_utf8_lossy(key)));
        }
    }
    wanted
}

#[test]
fn keys_are_wanted_once_and_as_whoever_wants_most_wants_them() {
    let plan = plan(&["GET a", "GET b", "SET b 1", "MGET a b c", "LMOVE {a}1 {b}2 LEFT LEFT"]);
    assert_eq!(wanted(&plan), ["0:b!", "0:c", "0:{b}2!", "1:a", "1:{a}1!"]);
    assert_eq!((plan.whole, plan.for_all_nodes), (None, false));
    assert_eq!(plan.stages, [Stage::Together(0..4), Stage::Alone(4)]);
    assert!(!plan.is_only_on(0) && !plan.is_only_on(1));
}

#[test]
fn what_is_about_the_client_or_takes_steps_parts_the_others() {
    let plan = plan(&["SET a 1", "DEL a b", "SELECT 1", "INCR b", "CLIENT LIST", "RENAME {a}x {a}y", "PING"]);
    let stages = [
        Stage::Together(0..2),
        Stage::Alone(2),
        Stage::Together(3..4),
        Stage::Alone(4),
        Stage::Together(5..6),
        Stage::Alone(6),
    ];
    assert_eq!((plan.stages.as_slice(), plan.for_all_nodes), (&stages[..], true));
    assert_eq!(wanted(&plan), ["0:b!", "1:a!", "1:{a}x!", "1:{a}y!"]);
}

#[test]
fn all_of_all_shards_is_wanted_where_no_key_says_which() {
    for (line, whole) in [
        ("DBSIZE", Some(false)),
        ("KEYS *", Some(false)),
        ("RANDOMKEY", Some(false)),
        ("SCAN 0", Some(false)),
        ("FLUSHALL", Some(true)),
        ("SWAPDB 0 1", Some(true)),
        ("SORT a BY w_*", Some(true)),
        ("SORT_RO a BY w_*", Some(false)),
        ("SORT_RO a", None),
        ("GET a", None),
    ] {
        assert_eq!(plan(&[line]).whole, whole, "{line}");
    }
    assert_eq!(plan(&["FLUSHDB", "DBSIZE"]).whole, Some(true));
    assert!(!plan(&["DBSIZE"]).is_only_on(0));
}

#[test]
fn one_shard_is_enough_for_its_own_keys_and_for_none() {
    let one = plan(&["SET b 1", "PING", "GET c"]);
    assert!(one.is_only_on(0) && !one.is_only_on(1));
    let none = plan(&["PING", "CONFIG GET port"]);
    assert!(none.is_only_on(0) && none.is_only_on(1));
    assert!(!plan(&["CLIENT LIST"]).is_only_on(0));
    // Words that do not tell their keys: it fails wherever it runs.
    assert!(plan(&["ZUNION 9 a"]).is_only_on(1));
}
