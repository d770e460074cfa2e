//! Clients that leave in the middle of WATCH and transactions: no owner of a key remembers them. And what had been
//! answered to anybody before a key was watched is no change.

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

/// Says something and waits for the reply.
fn ask(world: &mut World, client: &mut Client, line: &str) -> Vec<u8> {
    say(client, line);
    loop {
        if let Some(reply) = client.replies.pop_front() {
            return reply;
        }
        let (weather, step) = (*world.weather(), world.steps());
        if client.act(&mut world.kernel(), &weather, step) {
            world.note_answer();
        }
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
}

#[test]
fn what_was_answered_before_a_key_is_watched_is_no_change() {
    for seed in 0..300 {
        let shards = [2, 3, 5][seed as usize % 3];
        let mut random = fastrand::Rng::with_seed(seed);
        let mut world = World::new(shards, Weather::draw(&mut random), false, seed);
        let mut connect =
            |world: &World| Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..));
        let (mut writer, mut watcher) = (connect(&world), connect(&world));
        for round in 0..5 {
            let keys = [0, 1, 2, 3, 4].map(|number| format!("k{number}"));
            let pairs = keys.each_ref().map(|key| format!("{key} {round}")).join(" ");
            assert_eq!(ask(&mut world, &mut writer, &format!("MSET {pairs}")), b"+OK\r\n");
            let watched = format!("WATCH {}", keys.join(" "));
            assert_eq!(ask(&mut world, &mut watcher, &watched), b"+OK\r\n");
            ask(&mut world, &mut watcher, "MULTI");
            ask(&mut world, &mut watcher, "SET other x");
            assert_eq!(ask(&mut world, &mut watcher, "EXEC"), b"*1\r\n+OK\r\n", "seed {seed}");
            // And what had not been done when EXEC was sent, though it had been answered, is one. The fewer keys are
            // watched, the sooner all are on the watcher's own shard.
            let watched = format!("WATCH {}", keys[..1 + round % 2].join(" "));
            assert_eq!(ask(&mut world, &mut watcher, &watched), b"+OK\r\n");
            ask(&mut world, &mut watcher, "MULTI");
            assert_eq!(ask(&mut world, &mut writer, &format!("MSET {pairs}")), b"+OK\r\n");
            assert_eq!(ask(&mut world, &mut watcher, "EXEC"), b"*-1\r\n", "seed {seed}");
        }
        for client in [writer, watcher] {
            world.kernel().end(client.socket, true);
        }
        world.check_empty();
    }
}
