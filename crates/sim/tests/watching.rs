//! Clients that leave in the middle of WATCH and transactions: no owner of a key remembers them.

use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

fn say(client: &mut Client, line: &str) {
    client.say(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

/// Clients say some of this in a row and leave `steps` steps later.
fn leave(shards: usize, seed: u64, steps: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, seed);
    let mut clients: Vec<Client> = (0..4)
        .map(|number| Client::new(world.kernel().connect(number % shards), seed + number as u64))
        .collect();
    let mut watched_max = 0;
    for client in &mut clients {
        for _ in 0..random.usize(1..8) {
            let line = match random.u8(..9) {
                0..4 => format!("WATCH k{} k{} k{}", random.u8(..9), random.u8(..9), random.u8(..9)),
                4 => "MULTI".to_owned(),
                5 => format!("SET k{} v", random.u8(..9)),
                6 => "EXEC".to_owned(),
                7 => "UNWATCH".to_owned(),
                _ => ["DISCARD", "RESET", "SELECT 1"][random.usize(..3)].to_owned(),
            };
            say(client, &line);
        }
    }
    for _ in 0..steps {
        for client in &mut clients {
            let (weather, step) = (*world.weather(), world.steps());
            if client.act(&mut world.kernel(), &weather, step) {
                world.note_answer();
            }
        }
        if world.step() == Step::Idle {
            world.sleep();
        }
        watched_max = watched_max.max(world.shards().map(|shard| shard.watched_keys_len()).sum());
    }
    for client in &clients {
        world.kernel().end(client.socket, random.bool());
    }
    world.settle();
    world.check_empty();
    watched_max
}

#[test]
fn whoever_leaves_watches_nothing() {
    let mut watched = 0;
    for seed in 0..400 {
        let shards = [1, 2, 3, 5][seed as usize % 4];
        watched += usize::from(leave(shards, seed, seed % 97) > 0);
    }
    assert!(watched > 100, "{watched} of them had begun to watch something");
}
