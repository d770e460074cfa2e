//! Places on one shard: what is logged. Replies are those of Redis 7.2.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_keyspace::Effect;

const NOW_MS: i64 = 1_700_000_000_000;

#[test]
fn places_are_logged_as_scores() {
    let mut engine = Engine::new(NOW_MS);
    engine.run("GEOADD Sicily NX CH 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    assert_eq!(engine.effect, Effect::Rewritten);
    let line = "ZADD Sicily NX CH 3479099956230698 Palermo 3479447370796909 Catania";
    assert_eq!(engine.recorded(), [line]);
    for line in
        ["GEOADD Sicily 13.361389 38.115556 Palermo", "GEOADD Sicily XX 1 1 nobody", "GEOADD none XX 1 1 a"]
    {
        assert_eq!(engine.run(line), ":0", "{line}");
        assert_eq!((engine.effect, engine.recorded().len()), (Effect::None, 0), "{line}");
    }
}

#[test]
fn what_is_stored_is_searched_for_again_elsewhere() {
    let mut engine = Engine::new(NOW_MS);
    engine.run("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    for (line, reply, effect) in [
        ("GEORADIUS Sicily 15 37 100 km", "*1 $7 Catania", Effect::None),
        ("GEORADIUS Sicily 15 37 100 km STORE near", ":1", Effect::Verbatim),
        ("GEOSEARCHSTORE near Sicily FROMMEMBER Palermo BYRADIUS 1 m", ":1", Effect::Verbatim),
        ("GEOSEARCHSTORE near none FROMMEMBER Palermo BYRADIUS 1 m", ":0", Effect::Verbatim),
        ("GEOSEARCHSTORE near none FROMMEMBER Palermo BYRADIUS 1 m", ":0", Effect::None),
    ] {
        assert_eq!(engine.run(line), reply, "{line}");
        assert_eq!(engine.effect, effect, "{line}");
    }
}
