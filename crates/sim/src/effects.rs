//! Replaying the effects of writes into an empty shard gives the same data.

use crate::clock::START_UNIX_US;
use crate::generate::{Generator, Kind};
use crate::kernel::Sights;
use crate::replica::{Replica, run};
use crate::script::{self, Action, Check};
use crate::weather::Weather;
use crate::world::{World, registry};
use tessera_command::Command;
use tessera_command::keys::find_keys;
use tessera_config::{ByteCount, MaxMemoryPolicy};
use tessera_keyspace::Shard;
use tessera_resp::args::OwnedArgs;
use tessera_storage::rdb::dump;
use tessera_values::list::End;
use tessera_values::{List, Value};

const DATABASES: u16 = 4;

/// Runs `len` random writes on one shard and replays their effects into another, as a log or a replica would.
pub fn check(seed: u64, len: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut generator = Generator::new(Kind::Writes, "", random.u64(..));
    let mut now_ms = START_UNIX_US / 1000;
    let mut shard = Shard::new(DATABASES, random.u64(..));
    shard.effects_mut().set_recording(true);
    let mut replica = Replica::of(&shard);
    for _ in 0..len {
        if random.u8(..50) == 0 {
            now_ms += random.i64(0..5_000);
        }
        shard.set_now_ms(now_ms);
        let words = OwnedArgs::from_words(generator.words().0);
        let db = u16::from(random.u8(..8) == 0);
        let effect = run(&mut shard, db, words.as_args());
        shard.effects_mut().note(db, effect, words.as_args());
        if random.u8(..30) == 0 {
            shard.remove_met_expired();
            shard.expire_cycle(|| true);
        }
    }
    shard.expire_cycle(|| true);
    let recorded = shard.effects_mut().take();
    replica.follow(&shard, recorded);
}

/// Clients of a server of several shards send random writes while the time of keys and fields comes to its end, move
/// values and elements between shards, wait for elements, and have no room for more keys. The world checks whenever all
/// is quiet what the shards have recorded.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let mut config = World::config();
    if random.u8(..3) == 0 {
        config.max_memory = ByteCount(random.u64(20_000..60_000));
        config.max_memory_policy =
            [MaxMemoryPolicy::AllKeysRandom, MaxMemoryPolicy::VolatileTtl][random.usize(..2)];
    }
    let wall_moves = random.bool();
    let mut world = World::with_config(shards, weather, wall_moves, random.u64(..), config);
    let mut writer = Writer { generator: Generator::new(Kind::Writes, "", random.u64(..)), random };
    for round in 0..6 {
        // Only who is alone lets the time pass in the middle, and only others are waited for.
        let is_alone = round % 2 == 0;
        let scripts: Vec<Vec<Action>> =
            if is_alone { vec![writer.script(true)] } else { (0..3).map(|_| writer.script(false)).collect() };
        let depth_max = [1, 4, 64][writer.random.usize(..3)];
        script::play(&mut world, &scripts, depth_max, writer.random.u64(..));
        world.clock().jump(writer.random.i64(0..5_000));
    }
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

/// Writes scripts of writes.
struct Writer {
    generator: Generator,
    random: fastrand::Rng,
}

impl Writer {
    fn script(&mut self, is_alone: bool) -> Vec<Action> {
        let db = u16::from(self.random.u8(..4) == 0).to_string();
        let mut script = vec![Action::call(&["SELECT", &db], Check::Kind)];
        while script.len() < 200 {
            let words = match self.random.u8(..24) {
                0 => self.restoring(),
                1..4 => self.moving(),
                4..7 if !is_alone => self.waiting(),
                7..10 => self.reading(),
                10 => self.configuring(),
                _ => self.generator.words().0,
            };
            let owned = OwnedArgs::from_words(&words);
            let Ok(command) = registry().resolve(owned.as_args()) else { continue };
            if is_alone && self.random.u8(..4) == 0 {
                self.let_keys_end(command, &owned, &mut script);
            }
            script.push(Action::Call(words, Check::Kind));
        }
        script
    }

    /// The time of all keys that the command names is over when it comes.
    fn let_keys_end(&mut self, command: &Command, words: &OwnedArgs, script: &mut Vec<Action>) {
        let mut keys = Vec::new();
        find_keys(command, words.as_args(), &mut keys);
        for key in keys.iter().filter_map(|key| words.as_args().get(key.index)) {
            let expire = [b"PEXPIRE".to_vec(), key.to_vec(), self.random.u8(1..50).to_string().into_bytes()];
            script.push(Action::Call(expire.to_vec(), Check::Kind));
        }
        script.push(Action::Jump(self.random.i64(50..100)));
    }

    /// A key of one of these kinds.
    fn key(&mut self, kinds: &[&str]) -> String {
        format!("{}:{}", kinds[self.random.usize(..kinds.len())], self.random.u8(..6))
    }

    /// Values and elements go from one key to another, from one database to another, or all go.
    fn moving(&mut self) -> Vec<Vec<u8>> {
        const ANY: &[&str] = &["list", "hash", "set", "zset", "key"];
        let (from, to) = (self.key(ANY), self.key(ANY));
        let (list, other_list) = (self.key(&["list"]), self.key(&["list"]));
        let (set, other_set) = (self.key(&["set"]), self.key(&["set"]));
        let member = format!("member:{}", self.random.u8(..16));
        let words: &[&str] = match self.random.u8(..16) {
            0 | 1 => &["RENAME", &from, &to],
            2 => &["RENAMENX", &from, &to],
            3 | 4 => &["COPY", &from, &to, "REPLACE"],
            5 => &["COPY", &from, &to, "DB", "1", "REPLACE"],
            6 => &["MOVE", &from, "1"],
            7 => &["SWAPDB", "0", "1"],
            8 if self.random.u8(..4) == 0 => &["FLUSHALL", "ASYNC"],
            9 | 10 => &["SMOVE", &set, &other_set, &member],
            11 => &["RPOPLPUSH", &list, &other_list],
            12 => &["RPUSH", &list, "1", "2", "3"],
            13 => &["SADD", &set, &member, "1"],
            _ => &["LMOVE", &list, &other_list, "LEFT", "RIGHT"],
        };
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    /// Somebody may have to come and bring what is waited for, and if nobody does it is waited for a while.
    fn waiting(&mut self) -> Vec<Vec<u8>> {
        let (list, other_list) = (self.key(&["list"]), self.key(&["list"]));
        let (sorted_set, other_sorted_set) = (self.key(&["zset"]), self.key(&["zset"]));
        let words: &[&str] = match self.random.u8(..7) {
            0 => &["BLPOP", &list, &other_list, "0.02"],
            1 => &["BRPOP", &list, "key:1", "0.02"],
            2 => &["BLMOVE", &list, &other_list, "LEFT", "RIGHT", "0.02"],
            3 => &["BRPOPLPUSH", &list, &other_list, "0.02"],
            4 => &["BLMPOP", "0.02", "2", &list, &other_list, "LEFT", "COUNT", "2"],
            5 => &["BZPOPMIN", &sorted_set, &other_sorted_set, "0.02"],
            _ => &["BZMPOP", "0.02", "2", &sorted_set, &other_sorted_set, "MAX", "COUNT", "2"],
        };
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    /// What only looks finds keys whose time is over, keeps an estimate, or has a value be kept in another form.
    fn reading(&mut self) -> Vec<Vec<u8>> {
        const ANY: &[&str] = &["list", "hash", "set", "zset", "hll", "geo", "key"];
        let (any, other) = (self.key(ANY), self.key(ANY));
        let (hash, hll, sorted_set) = (self.key(&["hash"]), self.key(&["hll"]), self.key(&["zset"]));
        let words: &[&str] = match self.random.u8(..9) {
            0 | 1 => &["PFCOUNT", &hll],
            2 => &["PFCOUNT", &hll, &any],
            3 => &["SORT", &sorted_set, "ALPHA"],
            4 => &["HGETALL", &hash],
            5 => &["EXISTS", &any, &other],
            6 => &["GETEX", &any],
            7 => &["CLIENT", "NO-TOUCH", if self.random.bool() { "ON" } else { "OFF" }],
            _ => &["SCAN", "0", "COUNT", "100"],
        };
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    /// From now on values are kept in another form.
    fn configuring(&mut self) -> Vec<Vec<u8>> {
        const NAMES: &[&str] = &[
            "hash-max-listpack-entries",
            "hash-max-listpack-value",
            "list-max-listpack-size",
            "set-max-intset-entries",
            "set-max-listpack-entries",
            "zset-max-listpack-entries",
            "zset-max-listpack-value",
        ];
        let name = NAMES[self.random.usize(..NAMES.len())];
        let most = ["1", "4", "64", "512"][self.random.usize(..4)];
        ["CONFIG", "SET", name, most].map(|word| word.as_bytes().to_vec()).into()
    }

    /// A list comes from elsewhere. Its time may come to an end, or be over already.
    fn restoring(&mut self) -> Vec<Vec<u8>> {
        let mut list = List::default();
        list.push(End::Back, [b"restored".as_slice()].into_iter(), 128);
        let payload = dump(Value::from(list).as_ref(), false);
        let key = self.key(&["list", "key"]).into_bytes();
        let at_ms = START_UNIX_US / 1000 + self.random.i64(-10_000..30_000);
        let words: [&[u8]; 6] = match self.random.u8(..4) {
            0 => [b"RESTORE", &key, b"0", &payload, b"REPLACE", b"ABSTTL"],
            1 => [b"RESTORE", &key, b"20", &payload, b"FREQ", b"1"],
            2 => [b"RESTORE", &key, b"2000", &payload, b"IDLETIME", b"10"],
            _ => return restore_until(&key, at_ms, &payload),
        };
        words.map(<[u8]>::to_vec).to_vec()
    }
}

fn restore_until(key: &[u8], at_ms: i64, payload: &[u8]) -> Vec<Vec<u8>> {
    let at_ms = at_ms.to_string();
    [b"RESTORE", key, at_ms.as_bytes(), payload, b"ABSTTL", b"REPLACE"].map(<[u8]>::to_vec).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_a_shard_records_leads_to_what_it_holds() {
        for seed in 0..4 {
            check(seed, 500);
        }
    }

    #[test]
    fn changes_are_counted_where_they_are_made() {
        let mut world = World::new(2, Weather::calm(), false, 1);
        let waiting = Action::call(&["BLPOP", "list", "0"], Check::Exact);
        let changing = [
            Action::call(&["SET", "key", "text"], Check::Exact),
            Action::call(&["GET", "key"], Check::Exact),
            Action::call(&["SETNX", "key", "other"], Check::Exact),
            Action::call(&["RPUSH", "list", "first", "second"], Check::Exact),
        ];
        script::play(&mut world, &[vec![waiting], changing.to_vec()], 1, 1);
        // SET and RPUSH, and BLPOP, whether it came first or not.
        assert_eq!(world.shards().map(|shard| shard.stats().dirty).sum::<u64>(), 3);
        world.shut_down();
    }

    #[test]
    fn what_shards_record_leads_to_what_they_hold() {
        for seed in 0..4 {
            play([2, 3][seed as usize % 2], seed);
        }
    }

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
