//! What the commands on sets log, and bounds that a comparison with a server cannot reach. Replies and effects are
//! those of Redis 7.2 where nothing else is said.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use std::collections::BTreeSet;
use tessera_keyspace::Effect;

const NOW_MS: i64 = 1_700_000_000_000;

fn engine() -> Engine {
    Engine::new(NOW_MS)
}

/// `SADD key m0 m1 ...`
fn adding(key: &str, len: usize) -> String {
    let members: Vec<String> = (0..len).map(|number| format!("m{number}")).collect();
    format!("SADD {key} {}", members.join(" "))
}

#[test]
fn a_popped_member_is_logged_as_removed() {
    let mut engine = engine();
    engine.run("SADD s only");
    assert_eq!(engine.effect, Effect::Verbatim);
    assert_eq!(engine.run("SPOP s"), "$4 only");
    assert_eq!(engine.effect, Effect::Rewritten);
    assert_eq!(engine.recorded(), ["SREM s only"]);
    engine.run("SPOP s");
    assert_eq!((engine.effect, engine.recorded().len()), (Effect::None, 0));
    engine.run("SADD s a b");
    engine.run("SPOP s 0");
    assert_eq!((engine.effect, engine.recorded().len()), (Effect::None, 0));
    engine.run("SPOP s 2");
    assert_eq!((engine.effect, engine.recorded()), (Effect::Rewritten, vec!["DEL s".to_owned()]));
}

#[test]
fn many_popped_members_are_logged_in_pieces() {
    for popped in [1, 1024, 1025, 2500, 2999] {
        let mut engine = engine();
        engine.run(&adding("s", 3000));
        engine.run(&format!("SPOP s {popped}"));
        let mut gone = BTreeSet::new();
        for command in engine.recorded() {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(words[..2], ["SREM", "s"]);
            assert!(words.len() <= 2 + 1024);
            gone.extend(words[2..].iter().map(|word| (*word).to_owned()));
        }
        assert_eq!(gone.len(), popped);
        assert!(gone.iter().all(|member| engine.run(&format!("SISMEMBER s {member}")) == ":0"));
        assert_eq!(engine.run("SCARD s"), format!(":{}", 3000 - popped));
    }
}

#[test]
fn what_changes_nothing_is_not_logged() {
    let mut engine = engine();
    engine.run("SADD a 1 2");
    engine.run("SADD b x");
    for line in [
        "SADD a 1 2",
        "SREM a 3",
        "SREM missing 1",
        "SMOVE a b 3",
        "SMOVE a a 1",
        "SMOVE missing b 1",
        "SINTERSTORE missing a b",
        "SDIFFSTORE missing a a",
        "SUNIONSTORE missing none",
    ] {
        engine.run(line);
        assert_eq!(engine.effect, Effect::None, "{line}");
    }
    for line in ["SREM a 1", "SMOVE a b 2", "SUNIONSTORE c b", "SINTERSTORE c missing"] {
        engine.run(line);
        assert_eq!(engine.effect, Effect::Verbatim, "{line}");
    }
    assert_eq!(engine.run("EXISTS a c"), ":0");
}

/// Redis goes on until its memory ends.
#[test]
fn a_reply_of_the_same_members_again_and_again_is_bounded() {
    let mut engine = engine();
    for members in ["a", "1 2 3"] {
        engine.run(&format!("SADD s {members}"));
        for count in ["-9223372036854775807", "-1000000000000", "-100000000"] {
            assert_eq!(engine.run(&format!("SRANDMEMBER s {count}")), "-ERR value is out of range");
        }
    }
    assert!(engine.run("SRANDMEMBER s 9223372036854775807").starts_with("*4 "));
}

/// What is left of a large set of which few members stay is freed later, unless that is not wanted.
#[test]
fn popping_most_of_a_large_set_frees_the_old_one_in_pieces() {
    for wanted in [true, false] {
        let mut engine = engine();
        let mut settings = engine.shard.settings();
        settings.lazy_free.server_delete = wanted;
        engine.shard.set_settings(settings);
        engine.run(&adding("s", 2000));
        engine.run("SPOP s 1000");
        assert!(!engine.shard.has_garbage(), "they went one by one");
        engine.run("SPOP s 950");
        assert_eq!(engine.shard.has_garbage(), wanted);
        assert_eq!(engine.run("SCARD s"), ":50");
        let mut pieces = 0;
        while engine.shard.reclaim(1) {
            pieces += 1;
        }
        assert!(!wanted || pieces > 1);
        assert_eq!(engine.run("SCARD s"), ":50");
    }
}
