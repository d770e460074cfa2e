//! Commands of one kind in a row, whose keys are on several shards, go together, and are answered as if each went
//! alone.

use tessera_sim::script::{self, Action, Check};
use tessera_sim::weather::Weather;
use tessera_sim::world::World;

/// Keys, some of which are always on other shards than the rest.
const KEYS: usize = 12;

/// Words of a command on some of the keys.
fn command(random: &mut fastrand::Rng, kind: usize) -> Vec<String> {
    let mut words =
        vec![["MSET", "MGET", "DEL", "EXISTS", "TOUCH", "UNLINK", "MSET", "MGET"][kind].to_owned()];
    // Without a key, or with half a pair: refused.
    let keys = if random.u8(..20) == 0 { 0 } else { random.usize(1..6) };
    for _ in 0..keys {
        words.push(format!("key:{}", random.usize(..KEYS)));
        if words[0] == "MSET" {
            words.push(format!("value:{}", random.u32(..)));
        }
    }
    if random.u8(..30) == 0 {
        words.push(format!("key:{}", random.usize(..KEYS)));
    }
    words
}

/// A pipeline of rows, and of what comes between.
fn pipeline(random: &mut fastrand::Rng) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for _ in 0..random.usize(2..8) {
        let kind = random.usize(..8);
        (0..random.usize(1..10)).for_each(|_| commands.push(command(random, kind)));
        let between = match random.u8(..12) {
            0 => "LPUSH key:0 element",
            1 => "GET key:3",
            2 => "MULTI",
            3 => "EXEC",
            4 => "SELECT 1",
            5 => "SELECT 0",
            6 => "CLIENT SETNAME name",
            7 => "mget key:1 key:2 key:3",
            _ => continue,
        };
        commands.push(between.split(' ').map(str::to_owned).collect());
    }
    commands
}

fn replies(shards: usize, commands: &[Vec<String>], seed: u64) -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let call = |command: &Vec<String>| {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        Action::call(&words, Check::Exact)
    };
    let script: Vec<Action> = commands.iter().map(call).collect();
    let replies = script::play(&mut world, &[script], 64, random.u64(..)).remove(0);
    world.shut_down();
    replies
}

#[test]
fn what_goes_together_is_answered_as_on_one_shard() {
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let commands = pipeline(&mut random);
        let expected = replies(1, &commands, seed);
        for shards in [2, 3, 5] {
            let found = replies(shards, &commands, seed + 1_000 * shards as u64);
            for ((command, expected), found) in commands.iter().zip(&expected).zip(&found) {
                let text = String::from_utf8_lossy;
                assert_eq!(text(found), text(expected), "{shards} shards, seed {seed}, {command:?}");
            }
            assert_eq!(found.len(), expected.len());
        }
    }
}
