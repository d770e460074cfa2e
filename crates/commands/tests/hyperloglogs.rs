//! HyperLogLogs on one shard: what is logged, and what damaged ones do. Replies are those of Redis 7.2.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_keyspace::Effect;
use tessera_values::hyperloglog;

const NOW_MS: i64 = 1_700_000_000_000;

fn check(engine: &mut Engine, line: &str, reply: &str, effect: Effect) {
    assert_eq!(engine.run(line), reply, "{line}");
    assert_eq!(engine.effect, effect, "{line}");
}

#[test]
fn only_what_changes_something_is_logged() {
    let mut engine = Engine::new(NOW_MS);
    for (line, reply, effect) in [
        ("PFADD log a b c", ":1", Effect::Verbatim),
        ("PFADD log a b c", ":0", Effect::None),
        ("PFADD log", ":0", Effect::None),
        ("PFADD fresh", ":1", Effect::Verbatim),
        ("PFCOUNT none", ":0", Effect::None),
        // The estimate is kept in the value, and so on replicas as well.
        ("PFCOUNT log", ":3", Effect::Verbatim),
        ("PFCOUNT log", ":3", Effect::None),
        ("PFCOUNT log fresh", ":3", Effect::None),
        ("PFDEBUG ENCODING log", "+sparse", Effect::None),
        ("PFDEBUG TODENSE log", ":1", Effect::Verbatim),
        ("PFDEBUG TODENSE log", ":0", Effect::None),
        ("PFMERGE log", "+OK", Effect::Verbatim),
    ] {
        check(&mut engine, line, reply, effect);
    }
}

/// Redis keeps the elements before the one that it cannot add; its replicas do not learn of them.
#[test]
fn elements_added_before_a_mistake_is_met_stay_and_are_logged() {
    let mut corrupt = hyperloglog::empty();
    // 8193 registers instead of 16384: `foo` belongs to one of those, `a` to none.
    let runs_at = corrupt.len() - 2;
    corrupt[runs_at..].copy_from_slice(&[0b0110_0000, 0]);
    let mut engine = Engine::new(NOW_MS);
    engine.run_words(&[b"SET", b"log", &corrupt]);
    assert!(engine.run_words(&[b"PFADD", b"log", b"foo", b"a"]).starts_with(b"-INVALIDOBJ"));
    assert_eq!(engine.effect, Effect::Rewritten);
    let recorded = engine.recorded();
    assert!(recorded.len() == 1 && recorded[0].starts_with("SET log HYLL"), "{recorded:?}");
    assert!(recorded[0].ends_with(" KEEPTTL"));
    let held = engine.run_words(&[b"GET", b"log"]);
    assert!(!held.ends_with(b"\x60\x00\r\n"));
    assert!(engine.run_words(&[b"PFADD", b"log", b"a", b"foo"]).starts_with(b"-INVALIDOBJ"));
    assert_eq!(engine.effect, Effect::None);
    assert_eq!(engine.run_words(&[b"GET", b"log"]), held);
}
