//! Replaying the effects of writes into an empty shard gives the same data.

use crate::clock::START_UNIX_US;
use crate::generate::{Generator, Kind};
use crate::kernel::Sights;
use crate::script::{self, Action, Check};
use crate::weather::Weather;
use crate::world::{World, registry};
use std::collections::BTreeMap;
use tessera_command::{Command, Run};
use tessera_keyspace::{Effect, Shard};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_values::Value;

const DATABASES: u16 = 4;

/// A write that was logged: its database and its words.
pub type Logged = (u16, OwnedArgs);

/// What a shard holds: by database and key, the value and the expiry.
type Contents = BTreeMap<(u16, Vec<u8>), (Value, Option<i64>)>;

/// Runs `len` random writes on one shard and replays their effects into another, as a log or a replica would.
pub fn check(seed: u64, len: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut generator = Generator::new(Kind::Writes, "", random.u64(..));
    let mut now_ms = START_UNIX_US / 1000;
    let mut shard = Shard::new(DATABASES, random.u64(..));
    shard.effects_mut().set_wanted(true);
    let mut log = Vec::new();
    for _ in 0..len {
        if random.u8(..50) == 0 {
            now_ms += random.i64(0..5_000);
        }
        shard.set_now_ms(now_ms);
        let (words, _) = generator.words();
        let words = OwnedArgs::from_words(&words);
        let db = u16::from(random.u8(..8) == 0);
        let effect = run(&mut shard, db, words.as_args());
        // What expired on the way goes before the command that met it.
        log.extend(shard.effects_mut().take());
        if effect == Effect::Verbatim {
            log.push((db, words));
        }
        if random.u8(..30) == 0 {
            shard.remove_met_expired();
            shard.expire_cycle(|| true);
            log.extend(shard.effects_mut().take());
        }
    }
    shard.expire_cycle(|| true);
    log.extend(shard.effects_mut().take());

    // Nothing expires in a replica by itself: there, the time of every key is still to come.
    let mut replica = Shard::new(DATABASES, random.u64(..));
    for (db, words) in &log {
        let _ = run(&mut replica, *db, words.as_args());
    }
    compare(&contents(&shard), &contents(&replica), &log);
}

/// Clients of a server of several shards send random writes, of all kinds but those that wait, while the time of keys and fields
/// comes to its end. The world checks at its end what the shards have recorded.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let mut generator = Generator::new(Kind::Writes, "", random.u64(..));
    for round in 0..6 {
        // Only who is alone lets the time pass in the middle.
        let scripts: Vec<Vec<Action>> =
            (0..[1, 3][round % 2]).map(|_| script(&mut generator, &mut random, round % 2 == 0)).collect();
        let depth_max = [1, 4, 64][random.usize(..3)];
        script::play(&mut world, &scripts, depth_max, random.u64(..));
        world.clock().jump(random.i64(0..5_000));
    }
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

fn script(generator: &mut Generator, random: &mut fastrand::Rng, is_alone: bool) -> Vec<Action> {
    let db = u16::from(random.u8(..4) == 0).to_string();
    let mut script = vec![Action::call(&["SELECT", &db], Check::Kind)];
    while script.len() < 200 {
        if is_alone && random.u8(..15) == 0 {
            script.push(Action::Jump(random.i64(0..5_000)));
        }
        // Few commands move elements within a list, or take several: they are to meet lists and sorted sets.
        let words = match random.u8(..20) {
            0 => {
                let list = format!("list:{}", random.u8(..6));
                ["LMOVE", &list, &list, "LEFT", "RIGHT"].map(|word| word.as_bytes().to_vec()).to_vec()
            }
            _ => generator.words().0,
        };
        let owned = OwnedArgs::from_words(&words);
        let waits = |command: &Command| matches!(command.run, Run::Blocking(_));
        if !registry().resolve(owned.as_args()).is_ok_and(waits) {
            script.push(Action::Call(words, Check::Kind));
        }
    }
    script
}

/// Replays what a node's shard has recorded into an empty one, as a log or a replica of this shard alone would.
pub fn check_shard(shard: &Shard, log: &[Logged]) {
    let mut replica = Shard::new(shard.databases_len() as u16, 1);
    replica.set_settings(shard.settings());
    for (db, words) in log {
        let _ = run(&mut replica, *db, words.as_args());
    }
    compare(&contents(shard), &contents(&replica), log);
}

fn run(shard: &mut Shard, db: u16, args: Args<'_>) -> Effect {
    let Ok(command) = registry().resolve(args) else { return Effect::None };
    if !command.takes(args.len()) {
        return Effect::None;
    }
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, Protocol::Resp2);
    let result = match command.run {
        Run::Write(run) => run(args, &mut shard.view_mut(db, true), &mut reply),
        Run::Gather(steps) => steps.run_on_one_shard(args, shard, db, true, &mut reply),
        Run::Blocking(steps) => steps.run_without_waiting(args, &mut shard.view_mut(db, true), &mut reply),
        _ => panic!("{} is logged, but is no write", command.full_name),
    };
    result.unwrap_or_else(|error| error.effect())
}

fn contents(shard: &Shard) -> Contents {
    let mut contents = Contents::new();
    for db in 0..shard.databases_len() as u16 {
        for entry in shard.database(db).table().iter() {
            contents.insert((db, entry.key().to_vec()), (entry.value().to_value(), entry.expire_at_ms()));
        }
    }
    contents
}

fn compare(primary: &Contents, replica: &Contents, log: &[Logged]) {
    let keys = primary.keys().chain(replica.keys());
    for (db, key) in keys {
        let place = &(*db, key.clone());
        if primary.get(place) == replica.get(place) {
            continue;
        }
        let about_key = log.iter().filter(|(_, words)| {
            let is_of_all = registry().resolve(words.as_args()).is_ok_and(|command| !command.has_keys());
            is_of_all || words.as_args().iter().any(|word| word == key)
        });
        let history: Vec<String> =
            about_key.map(|(db, words)| format!("  db {db}: {:?}", words.as_args())).collect();
        panic!(
            "after a replay, {} of database {db} differs:\n  was {:?}\n  is  {:?}\nlogged of it:\n{}",
            key.escape_ascii(),
            primary.get(place),
            replica.get(place),
            history.join("\n")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn random_writes_reach_every_encoding() {
        let mut seen = BTreeSet::new();
        for seed in 0..10 {
            let mut generator = Generator::new(Kind::Writes, "", seed);
            let mut shard = Shard::new(DATABASES, seed);
            shard.set_now_ms(START_UNIX_US / 1000);
            for number in 1..=1_000 {
                let (words, _) = generator.words();
                let _ = run(&mut shard, 0, OwnedArgs::from_words(&words).as_args());
                if number % 20 > 0 {
                    continue;
                }
                let entries = shard.database(0).table().iter().map(|entry| entry.value());
                seen.extend(entries.map(|value| (value.value_type().name(), value.encoding_name())));
            }
        }
        let expected = [
            ("hash", "hashtable"),
            ("hash", "listpack"),
            ("list", "listpack"),
            ("list", "quicklist"),
            ("set", "hashtable"),
            ("set", "intset"),
            ("set", "listpack"),
            ("string", "embstr"),
            ("string", "int"),
            ("string", "raw"),
            ("zset", "listpack"),
            ("zset", "skiplist"),
        ];
        assert!(seen.is_superset(&BTreeSet::from(expected)), "only {seen:?}");
    }
}
