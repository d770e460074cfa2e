//! The order of a pipeline's commands whose keys are on different shards: nobody's by default, and theirs if asked for.

use tessera_config::Config;
use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

fn say(client: &mut Client, line: &str) {
    client.say(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

/// One client counts several keys up, always in the same order, in pipelines. Another reads them at one moment, again
/// and again. Whether it has seen a later key ahead of an earlier one.
fn is_seen_ahead(shards: usize, seed: u64, ordered_pipelines: bool) -> bool {
    let mut random = fastrand::Rng::with_seed(seed);
    let config = Config { ordered_pipelines, ..World::config() };
    let mut world = World::with_config(shards, Weather::draw(&mut random), false, seed, config);
    let mut connect =
        |world: &World| Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..));
    let (mut writer, mut reader) = (connect(&world), connect(&world));
    let keys = [0, 1, 2, 3, 4, 5].map(|number| format!("k{number}"));
    say(&mut reader, &format!("MGET {}", keys.join(" ")));
    for _ in 0..30 {
        keys.iter().for_each(|key| say(&mut writer, &format!("INCR {key}")));
    }
    let (mut answers, mut is_ahead) = (0, false);
    while answers < 30 * keys.len() {
        for client in [&mut writer, &mut reader] {
            let (weather, step) = (*world.weather(), world.steps());
            if client.act(&mut world.kernel(), &weather, step) {
                world.note_answer();
            }
        }
        answers += writer.replies.drain(..).count();
        if let Some(reply) = reader.replies.pop_front() {
            let values = String::from_utf8_lossy(&reply).into_owned();
            let values: Vec<u32> = values
                .split("\r\n")
                .skip(1)
                .filter(|line| !line.is_empty() && (!line.starts_with('$') || *line == "$-1"))
                .map(|line| line.parse().unwrap_or(0))
                .collect();
            assert_eq!(values.len(), keys.len());
            is_ahead |= values.windows(2).any(|pair| pair[0] < pair[1]);
            say(&mut reader, &format!("MGET {}", keys.join(" ")));
        }
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
    for client in [writer, reader] {
        world.kernel().end(client.socket, true);
    }
    world.check_empty();
    is_ahead
}

#[test]
fn commands_keep_their_order_over_shards_if_that_is_asked_for() {
    let mut seen = 0;
    for seed in 0..60 {
        let shards = [2, 3, 5][seed as usize % 3];
        assert!(!is_seen_ahead(shards, seed, true), "seed {seed}");
        seen += usize::from(is_seen_ahead(shards, seed, false));
    }
    assert!(seen > 5, "without it a later one was seen first {seen} times");
}
