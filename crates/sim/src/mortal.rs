//! Every write meets keys and fields whose time is over and that nobody has removed yet: what it records leads to what
//! it did, although a replica has them all.

use crate::clock::START_UNIX_US;
use crate::generate::{Generator, Kind};
use crate::replica::{Replica, run};
use crate::world::registry;
use tessera_command::keys::find_keys;
use tessera_command::{Command, Flags, Group};
use tessera_keyspace::{EvictionPolicy, Shard, ShardSettings};
use tessera_resp::args::OwnedArgs;

const DATABASES: u16 = 4;
/// Databases that commands name.
const NAMED_DATABASES: u16 = 3;
/// So many commands meet each other's keys.
const COMMANDS_PER_SHARD: usize = 20;

/// What may hold elements whose names the generator draws, too. The word behind the name is the key.
const FIXTURES: &[(Group, &str)] = &[
    (Group::String, "SET 5"),
    (Group::String, "SET text"),
    (Group::List, "RPUSH member:1 5 member:2"),
    (Group::Hash, "HSET a 1 b 2 c text d 4.5"),
    (Group::Set, "SADD member:1 member:2 member:3 5"),
    (Group::Set, "SADD 1 2 3 5"),
    (Group::SortedSet, "ZADD 1 member:1 2 member:2 5 member:3"),
    (Group::HyperLogLog, "PFADD member:1 member:2 member:3"),
    (Group::Geo, "GEOADD 13.361 38.115 member:1 15.087 37.502 member:2"),
];

/// A shard and what its effects lead to.
struct Pair {
    random: fastrand::Rng,
    shard: Shard,
    replica: Replica,
    now_ms: i64,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut shard = Shard::new(DATABASES, seed);
        shard.set_settings(ShardSettings {
            eviction_policy: EvictionPolicy::AllKeysRandom,
            ..ShardSettings::default()
        });
        shard.effects_mut().set_recording(true);
        let replica = Replica::of(&shard);
        let mut pair =
            Pair { random: fastrand::Rng::with_seed(seed), shard, replica, now_ms: START_UNIX_US / 1000 };
        pair.pass(0);
        pair
    }

    fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        self.shard.set_now_ms(self.now_ms);
    }

    fn run(&mut self, db: u16, words: &OwnedArgs) {
        let effect = run(&mut self.shard, db, words.as_args());
        self.shard.effects_mut().note(db, effect, words.as_args());
    }

    fn follow(&mut self) {
        let recorded = self.shard.effects_mut().take();
        self.replica.follow(&self.shard, recorded);
    }

    /// Puts something at `key` that is mostly over soon.
    fn put(&mut self, db: u16, key: &[u8], group: Group) {
        let fits: Vec<&str> =
            FIXTURES.iter().filter(|(own, _)| *own == group).map(|(_, line)| *line).collect();
        let line = match self.random.u8(..4) {
            1.. if !fits.is_empty() => fits[self.random.usize(..fits.len())],
            _ => FIXTURES[self.random.usize(..FIXTURES.len())].1,
        };
        let mut words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        words.insert(1, key);
        self.run(db, &OwnedArgs::from_words([b"DEL", key]));
        self.run(db, &OwnedArgs::from_words(words));
        let at_ms = match self.random.u8(..10) {
            0..6 => self.now_ms + 5,
            6..8 => self.now_ms + 100_000,
            _ => i64::MAX,
        };
        let at = at_ms.to_string();
        if line.starts_with("HSET") && self.random.bool() {
            // Some fields, or all of them.
            let fields: &[&[u8]] = &[b"2", b"a", b"b", b"c", b"d"];
            let (count, last) = if self.random.bool() { (b"2", 3) } else { (b"4", 5) };
            let words = [b"HPEXPIREAT", key, at.as_bytes(), b"FIELDS", count];
            self.run(db, &OwnedArgs::from_words(words.into_iter().chain(fields[1..last].iter().copied())));
        } else if at_ms < i64::MAX {
            self.run(db, &OwnedArgs::from_words([b"PEXPIREAT", key, at.as_bytes()]));
        }
    }

    /// Has `command` meet such keys where it looks for any.
    fn meet(&mut self, command: &Command, words: &OwnedArgs) {
        let args = words.as_args();
        let mut keys = Vec::new();
        find_keys(command, args, &mut keys);
        let mut keys: Vec<Vec<u8>> =
            keys.iter().filter_map(|key| args.get(key.index)).map(<[u8]>::to_vec).collect();
        keys.extend(args.iter().flat_map(keys_of_pattern));
        for db in 0..NAMED_DATABASES {
            for key in &keys {
                if self.random.u8(..8) > 3 * u8::from(db > 0) {
                    let group = if key.starts_with(b"hash") { Group::Hash } else { command.spec.group };
                    self.put(db, key, group);
                }
            }
        }
        self.pass(10);
        self.follow();
        let db = u16::from(self.random.u8(..8) == 0);
        self.run(db, words);
        self.follow();
        // What the shard does by itself.
        match self.random.u8(..6) {
            0 => drop(self.shard.evict()),
            1 => drop(self.shard.expire_cycle(|| true)),
            2 => self.shard.remove_met_expired(),
            _ => return,
        }
        self.follow();
    }
}

/// The keys that SORT makes of a pattern and of the numbers in the fixtures.
fn keys_of_pattern(word: &[u8]) -> Vec<Vec<u8>> {
    let end = word.windows(2).position(|two| two == b"->").unwrap_or(word.len());
    let Some(star) = word.iter().position(|byte| *byte == b'*').filter(|star| *star < end) else {
        return Vec::new();
    };
    [b'1', b'2', b'3', b'5'].map(|number| [&word[..star], &[number], &word[star + 1..end]].concat()).to_vec()
}

/// Every command that may change keys, `draws` times with random words.
pub fn check(seed: u64, draws: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut generator = Generator::new(Kind::Writes, "", random.u64(..));
    let blocking = registry().numbered().iter().copied().filter(|command| command.flags.has(Flags::BLOCKING));
    let mut commands: Vec<&Command> = generator.commands().chain(blocking).collect();
    commands.retain(|command| command.is_write());
    for _ in 0..draws {
        random.shuffle(&mut commands);
        for some in commands.chunks(COMMANDS_PER_SHARD) {
            let mut pair = Pair::new(random.u64(..));
            for command in some {
                let words = OwnedArgs::from_words(generator.words_of(command).0);
                pair.meet(command, &words);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn writes_record_what_they_did_with_keys_whose_time_is_over() {
        super::check(1, 40);
    }
}
