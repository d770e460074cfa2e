//! Bounded memory: no more goes than has to, whether the bound comes down or something large comes in.

use crate::client::Client;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use std::collections::BTreeMap;
use tessera_config::{Config, MaxMemoryPolicy};
use tessera_resp::scan;

const POLICIES: [MaxMemoryPolicy; 7] = [
    MaxMemoryPolicy::AllKeysLru,
    MaxMemoryPolicy::AllKeysLfu,
    MaxMemoryPolicy::AllKeysRandom,
    MaxMemoryPolicy::VolatileLru,
    MaxMemoryPolicy::VolatileLfu,
    MaxMemoryPolicy::VolatileRandom,
    MaxMemoryPolicy::VolatileTtl,
];
const VALUE_MAX_LEN_BYTES: usize = 1500;
/// Keys are evicted to that fraction of the bound below it, or less.
const RESERVE_FRACTION: u64 = 256;
/// For how long nothing happens before something large comes, in nanoseconds: longer than memory besides the keys takes
/// to count, and than what tells old keys from new ones.
const PAUSE_NS: u64 = 3_000_000_000;
const PAUSE_MS: i64 = 3_000;
const LARGE_WRITES: u32 = 6;

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

struct Squeeze {
    world: World,
    client: Client,
    random: fastrand::Rng,
    policy: MaxMemoryPolicy,
    large_keys: Vec<Vec<u8>>,
}

impl Squeeze {
    fn ask(&mut self, words: &[Vec<u8>]) -> Vec<u8> {
        self.client.say(words);
        self.world.note_answer();
        loop {
            let (weather, step) = (*self.world.weather(), self.world.steps());
            if self.client.act(&mut self.world.kernel(), &weather, step) {
                self.world.note_answer();
            }
            if let Some(reply) = self.client.replies.pop_front() {
                return reply;
            }
            if self.world.step() == Step::Idle {
                self.world.sleep();
            }
        }
    }

    fn used_bytes(&self) -> u64 {
        self.world.shards().map(|shard| shard.entry_bytes() as u64).sum()
    }

    /// The memory of every key, in bytes.
    fn sizes(&self) -> BTreeMap<Vec<u8>, u64> {
        let entries = self.world.shards().flat_map(|shard| shard.database(0).table().iter());
        entries.map(|entry| (entry.key().to_vec(), entry.allocated_bytes() as u64)).collect()
    }

    fn is_volatile_only(&self) -> bool {
        !matches!(
            self.policy,
            MaxMemoryPolicy::AllKeysLru | MaxMemoryPolicy::AllKeysLfu | MaxMemoryPolicy::AllKeysRandom
        )
    }

    fn fill(&mut self, keys: usize) {
        for number in 0..keys {
            let len = self.random.usize(1..VALUE_MAX_LEN_BYTES);
            let mut set = words(&["SET", &format!("small:{number}")]);
            set.push(vec![b'v'; len]);
            if self.is_volatile_only() {
                let expire_s = self.random.u32(10_000..100_000).to_string();
                set.extend(words(&["EX", &expire_s]));
            }
            assert_eq!(self.ask(&set), b"+OK\r\n");
        }
    }

    /// Compares what is left with what was there `before`, once all is quiet under a bound of `limit_bytes`. Something
    /// new of `new_bytes` is gone as well.
    fn check(&mut self, limit_bytes: u64, before: &BTreeMap<Vec<u8>, u64>, new_bytes: u64, what: &str) {
        self.world.settle();
        let (used_bytes, after) = (self.used_bytes(), self.sizes());
        let can_evict = self.world.shards().any(tessera_keyspace::Shard::can_evict);
        assert!(
            used_bytes <= limit_bytes || !can_evict,
            "{what}: {used_bytes} bytes are used of {limit_bytes}, and keys may go"
        );
        let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
        // Whoever evicts is done only with a key that is as long as it is.
        let largest_bytes = gone.map(|(_, bytes)| *bytes).max().map(|bytes| bytes.max(new_bytes));
        let Some(largest_bytes) = largest_bytes else { return };
        let too_far_bytes = limit_bytes / RESERVE_FRACTION + self.world.nodes() as u64 * largest_bytes;
        assert!(
            used_bytes + too_far_bytes >= limit_bytes,
            "{what}: {used_bytes} bytes are left of {limit_bytes}, and the largest key that went had {largest_bytes}"
        );
    }

    /// Makes a key that is large, in one of the ways that there are. Whether it is new.
    fn write_something_large(&mut self, key: &str, len: usize) -> bool {
        let value = || vec![b'l'; len];
        let source = self.large_keys.last().map(|key| String::from_utf8_lossy(key).into_owned());
        let source = source.filter(|source| self.sizes().contains_key(source.as_bytes()));
        let (reply, is_one) = match (self.random.u8(..8), source) {
            (0, _) => {
                self.ask(&words(&["SET", key, "x"]));
                (self.ask(&[b"APPEND".to_vec(), key.into(), value()]), true)
            }
            (1, _) => (self.ask(&words(&["SETRANGE", key, &len.to_string(), "end"])), true),
            (2, _) => {
                let mut mset = words(&["MSET"]);
                for part in 0..4 {
                    mset.extend([format!("{key}:{part}").into_bytes(), vec![b'm'; len / 4]]);
                }
                (self.ask(&mset), false)
            }
            (3, _) => {
                let mut sadd = words(&["SADD", key]);
                sadd.extend((0..len / 60).map(|number| format!("{key}:{number}").into_bytes()));
                (self.ask(&sadd), true)
            }
            (4, Some(source)) => (self.ask(&words(&["COPY", &source, key])), true),
            (5, Some(source)) => {
                let reply = self.ask(&words(&["DUMP", &source]));
                let payload = scan::text(&reply).expect("the key was there").to_vec();
                (self.ask(&[b"RESTORE".to_vec(), key.into(), b"0".to_vec(), payload]), true)
            }
            (6, Some(source)) => (self.ask(&words(&["SUNIONSTORE", key, &source, "no such"])), true),
            _ => (self.ask(&[b"SET".to_vec(), key.into(), value()]), true),
        };
        // A set's command may meet a string, and of keys without an expiry there may be too many.
        let is_done = reply.first() != Some(&b'-');
        let is_refused =
            reply.starts_with(b"-WRONGTYPE") || self.is_volatile_only() && reply.starts_with(b"-OOM");
        assert!(is_done || is_refused, "{}", reply.escape_ascii());
        is_one && is_done
    }
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let policy = POLICIES[seed as usize % POLICIES.len()];
    let config = Config {
        max_memory_policy: policy,
        max_memory_eviction_tenacity: [0, 1, 10, 50, 100][random.usize(..5)],
        lazy_free_lazy_eviction: random.bool(),
        ..Config::default()
    };
    let weather = Weather::draw(&mut random);
    let world = World::with_config(shards, weather, false, random.u64(..), config);
    let client = Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..));
    let keys = random.usize(200..600);
    let mut squeeze = Squeeze { world, client, random, policy, large_keys: Vec::new() };
    squeeze.fill(keys);
    // The bound comes down, in steps.
    let mut limit_bytes = squeeze.used_bytes();
    for _ in 0..2 {
        let before = squeeze.sizes();
        limit_bytes = limit_bytes * squeeze.random.u64(70..96) / 100;
        let limit = limit_bytes.to_string();
        assert_eq!(squeeze.ask(&words(&["CONFIG", "SET", "maxmemory", &limit])), b"+OK\r\n");
        squeeze.check(limit_bytes, &before, 0, "a lower bound");
    }
    for number in 0..LARGE_WRITES {
        squeeze.world.clock().advance(PAUSE_NS);
        squeeze.world.clock().jump(PAUSE_MS);
        squeeze.world.settle();
        let before = squeeze.sizes();
        let len = limit_bytes as usize * squeeze.random.usize(5..30) / 100;
        let key = format!("large:{number}");
        let is_new = squeeze.write_something_large(&key, len);
        squeeze.world.settle();
        // Its memory may be twice what is in it, or that of what it is a copy of.
        let new_bytes = before.values().copied().max().unwrap_or(0).max(2 * len as u64);
        let is_there = squeeze.sizes().contains_key(key.as_bytes());
        squeeze.check(limit_bytes, &before, if is_there { 0 } else { new_bytes }, &key);
        // Where what is older goes first, or what has no expiry does not go, that is something else.
        let stays = policy == MaxMemoryPolicy::AllKeysLru || squeeze.is_volatile_only();
        assert!(is_there || !is_new || !stays, "{key} is gone");
        if is_there {
            squeeze.large_keys.push(key.into_bytes());
        }
        if squeeze.is_volatile_only() && happens(&mut squeeze.random, 70) {
            squeeze.ask(&words(&["DEL", &format!("large:{number}")]));
        }
    }
    squeeze.world.kernel().end(squeeze.client.socket, true);
    squeeze.world.check_empty();
    squeeze.world.shut_down();
}
