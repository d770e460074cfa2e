//! What the list commands come down to.

#[path = "support/engine.rs"]
mod engine;

use engine::Engine;
use tessera_keyspace::Effect;

#[test]
fn a_move_within_a_list_is_recorded_by_the_shard_that_has_it() {
    let mut engine = Engine::new(1_000);
    engine.run("RPUSH list a b c");
    engine.recorded();
    // The last step is the owner's alone, which may not know the command's words.
    for (line, recorded) in [
        ("LMOVE list list LEFT RIGHT", "LMOVE list list LEFT RIGHT"),
        ("RPOPLPUSH list list", "LMOVE list list RIGHT LEFT"),
    ] {
        engine.run(line);
        assert_eq!(
            (engine.effect, engine.recorded()),
            (Effect::Rewritten, vec![recorded.to_owned()]),
            "{line}"
        );
    }
    engine.run("RPOPLPUSH list other");
    assert_eq!((engine.effect, engine.recorded().len()), (Effect::Verbatim, 0));
}
