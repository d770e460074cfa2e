//! Commands that change whole databases beside those that change keys of several shards: one comes after the other,
//! whatever the moment. No key is lost between two databases, and none is there again after all were removed.

use tessera_sim::script::{self, Action, Check};
use tessera_sim::weather::Weather;
use tessera_sim::world::World;

fn script(commands: &[&str]) -> Vec<Action> {
    let action = |command: &&str| Action::call(&command.split(' ').collect::<Vec<_>>(), Check::Exact);
    commands.iter().map(action).collect()
}

fn texts(replies: &[Vec<u8>]) -> Vec<String> {
    replies
        .iter()
        .map(|reply| String::from_utf8_lossy(reply).replace("\r\n", " ").trim_end().to_owned())
        .collect()
}

const SET_UP: [&str; 9] = [
    "FLUSHALL",
    "SET from zero",
    "RPUSH source element",
    "SELECT 1",
    "SET to one",
    "RPUSH target other",
    "SET from:1 one",
    "SET to:1 one",
    "SELECT 0",
];
const QUESTIONS: [&str; 14] = [
    "GET from",
    "GET to",
    "GET to:1",
    "LRANGE source 0 -1",
    "LRANGE target 0 -1",
    "DBSIZE",
    "SELECT 1",
    "GET from",
    "GET to",
    "GET to:1",
    "LRANGE source 0 -1",
    "LRANGE target 0 -1",
    "GET from:1",
    "DBSIZE",
];

/// What the commands are answered, and what there is then.
fn played(
    world: &mut World,
    clients: &[Vec<Action>],
    random: &mut fastrand::Rng,
) -> (Vec<String>, Vec<String>) {
    script::play(world, &[script(&SET_UP)], 1, random.u64(..));
    let replies = script::play(world, clients, 1, random.u64(..));
    let left = script::play(world, &[script(&QUESTIONS)], 1, random.u64(..)).remove(0);
    (replies.iter().map(|replies| texts(replies).concat()).collect(), texts(&left))
}

fn one_after_the_other(shards: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let mut single = World::new(1, Weather::calm(), false, random.u64(..));
    for keys in [
        "RENAME from to",
        "MSETNX to 1 to:1 1",
        "COPY from to",
        "LMOVE source target LEFT RIGHT",
        "RENAMENX from to:1",
    ] {
        for all in ["SWAPDB 0 1", "FLUSHALL", "FLUSHDB"] {
            let in_order = |first: &str, second: &str, single: &mut World, random: &mut fastrand::Rng| {
                let (replies, left) = played(single, &[script(&[first, second])], random);
                (replies.concat(), left)
            };
            let before = in_order(keys, all, &mut single, &mut random);
            let behind = in_order(all, keys, &mut single, &mut random);
            let (replies, left) = played(&mut world, &[script(&[keys]), script(&[all])], &mut random);
            let (told_before, told_behind) =
                ([&*replies[0], &*replies[1]].concat(), [&*replies[1], &*replies[0]].concat());
            assert!(
                (told_before, &left) == (before.0.clone(), &before.1)
                    || (told_behind, &left) == (behind.0.clone(), &behind.1),
                "{keys} beside {all}, {shards} shards, seed {seed}: {replies:?} {left:?}\nbefore: {before:?}\nbehind: \
                    {behind:?}"
            );
        }
    }
    world.shut_down();
    single.shut_down();
}

#[test]
fn who_changes_all_comes_before_or_behind() {
    for shards in [2, 3] {
        for seed in 0..15 {
            one_after_the_other(shards, seed);
        }
    }
}

/// Many of both at once come to an end.
#[test]
fn nobody_waits_in_a_circle() {
    for seed in 0..10 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut world = World::new(3, Weather::draw(&mut random), false, random.u64(..));
        let commands = [
            "RENAME from to",
            "RENAME to from",
            "SWAPDB 0 1",
            "FLUSHALL",
            "FLUSHDB",
            "MSETNX from 1 to 1",
            "LMOVE source target LEFT RIGHT",
            "BLMOVE source target LEFT RIGHT 0.05",
            "BLPOP source target 0.05",
            "RPUSH source a b",
            "GET from",
            "SET from a",
            "DEL from to",
        ];
        let clients: Vec<Vec<Action>> = (0..6)
            .map(|_| script(&(0..20).map(|_| commands[random.usize(..commands.len())]).collect::<Vec<_>>()))
            .collect();
        script::play(&mut world, &clients, 3, random.u64(..));
        world.check_empty();
        world.shut_down();
    }
}
