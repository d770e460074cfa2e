//! A network that fails ends the server, and what is to be saved is saved before.

use tessera_config::{Config, SavePoint, SavePoints};
use tessera_sim::World;
use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::Step;

const KEYS: usize = 200;

fn play(shards: usize, failing: usize, seed: u64) {
    let config = Config {
        save: SavePoints::of(vec![SavePoint { seconds: 3_600, changes: 1_000_000 }]),
        ..World::config()
    };
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let mut world = World::with_config(shards, weather, false, seed, config.clone());
    let mut client = Client::new(world.kernel().connect(0), seed);
    for number in 0..KEYS {
        client.say(&[b"SET".to_vec(), format!("key:{number}").into_bytes(), b"value".to_vec()]);
    }
    let mut answers = 0;
    while answers < KEYS {
        let step = world.steps();
        if client.act(&mut world.kernel(), &weather, step) {
            world.note_answer();
        }
        answers += client.replies.drain(..).count();
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
    // Somebody waits, and somebody is in the middle of a command.
    client.say(&[b"BLPOP".to_vec(), b"none".to_vec(), b"0".to_vec()]);
    let mut other = Client::new(world.kernel().connect(shards - 1), seed);
    other.say(&[b"MSET".to_vec(), b"key:1".to_vec(), b"a".to_vec(), b"key:2".to_vec(), b"b".to_vec()]);
    let step = world.steps();
    client.act(&mut world.kernel(), &Weather::calm(), step);
    other.act(&mut world.kernel(), &Weather::calm(), step);
    world.kernel().fail(failing);
    world.await_end();
    let mut again = World::on_disk(shards, Weather::calm(), false, seed, config, world.into_disk());
    again.settle();
    assert_eq!(again.keys_len(), KEYS, "shard {failing} of {shards} failed, seed {seed}");
    again.shut_down();
}

#[test]
fn everything_is_saved_when_a_network_fails() {
    for seed in 0..6 {
        for shards in [1, 2, 3] {
            (0..shards).for_each(|failing| play(shards, failing, seed));
        }
    }
}
