//! Bounded memory: what may go goes, and nothing is refused as long as something can.

use crate::client::Client;
use crate::kernel::Sights;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use std::collections::{BTreeMap, VecDeque};
use tessera_config::{ByteCount, Config, MaxMemoryPolicy};
use tessera_resp::scan;

const POLICIES: [MaxMemoryPolicy; 8] = [
    MaxMemoryPolicy::NoEviction,
    MaxMemoryPolicy::AllKeysLru,
    MaxMemoryPolicy::AllKeysLfu,
    MaxMemoryPolicy::AllKeysRandom,
    MaxMemoryPolicy::VolatileLru,
    MaxMemoryPolicy::VolatileLfu,
    MaxMemoryPolicy::VolatileRandom,
    MaxMemoryPolicy::VolatileTtl,
];
const VALUE_MAX_LEN_BYTES: usize = 1500;
/// The memory of an entry is less than that, in bytes.
const ENTRY_MAX_BYTES: u64 = 2000;
/// Pairs of an MSET at most.
const PAIRS_MAX: usize = 4;
const OUT_OF_MEMORY: &[u8] = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n";

/// When what was last so: steps of the world.
#[derive(Default)]
struct Seen {
    within: u64,
    exceeded: u64,
    nothing_to_evict: u64,
}

/// The world and what was seen of its memory.
struct Watched {
    world: World,
    limit_bytes: u64,
    policy: MaxMemoryPolicy,
    seen: Seen,
}

impl Watched {
    fn used_bytes(&self) -> u64 {
        let of_shard = |shard: &tessera_keyspace::Shard| {
            (0..shard.databases_len()).map(|db| shard.database(db as u16).entry_bytes() as u64).sum::<u64>()
        };
        self.world.shards().map(of_shard).sum()
    }

    /// By how much the nodes together may misjudge used memory, in bytes: what each may add without looking, and one
    /// command more.
    fn misjudged_bytes(&self) -> u64 {
        let nodes = self.world.nodes() as u64;
        nodes * (self.limit_bytes / 256 + ENTRY_MAX_BYTES * PAIRS_MAX as u64)
    }

    fn look(&mut self) {
        let (used_bytes, step) = (self.used_bytes(), self.world.steps());
        // A single node misjudges nothing.
        let others = if self.world.nodes() == 1 { 0 } else { self.misjudged_bytes() };
        if used_bytes <= self.limit_bytes + others {
            self.seen.within = step;
        }
        if used_bytes > self.limit_bytes {
            self.seen.exceeded = step;
        }
        if !self.world.shards().any(tessera_keyspace::Shard::can_evict) {
            self.seen.nothing_to_evict = step;
        }
        let all_keys =
            [MaxMemoryPolicy::AllKeysLru, MaxMemoryPolicy::AllKeysLfu, MaxMemoryPolicy::AllKeysRandom];
        if all_keys.contains(&self.policy) {
            let most_bytes = self.limit_bytes + self.limit_bytes / 64 + self.misjudged_bytes();
            assert!(used_bytes <= most_bytes, "{used_bytes} bytes are used of {}", self.limit_bytes);
        }
    }

    fn step(&mut self) -> Step {
        let step = self.world.step();
        self.look();
        step
    }

    /// Once all is quiet, nothing is left that should have gone.
    fn check_settled(&mut self) {
        self.world.settle();
        self.look();
        let can_evict = self.world.shards().any(tessera_keyspace::Shard::can_evict);
        let used_bytes = self.used_bytes();
        assert!(
            used_bytes <= self.limit_bytes || !can_evict,
            "{used_bytes} bytes are used of {} with keys that may go",
            self.limit_bytes
        );
    }

    /// What a write was answered that was sent at step `since`.
    fn check_answer(&self, refused: bool, since: u64) {
        let Seen { within, exceeded, nothing_to_evict } = self.seen;
        if refused {
            assert!(exceeded >= since, "a write was refused, and memory was not exceeded");
            assert!(nothing_to_evict >= since, "a write was refused, and keys could go");
        } else if self.policy == MaxMemoryPolicy::NoEviction {
            assert!(within >= since, "a write was not refused, and memory was exceeded");
        }
    }
}

/// What a client waits for.
enum Expected {
    Write(Vec<(Vec<u8>, Vec<u8>)>),
    Read(Vec<u8>),
    Other,
}

/// One client with keys of its own.
struct Writer {
    client: Client,
    number: usize,
    expected: VecDeque<(Expected, u64)>,
    /// What its keys hold, if they are still there.
    known: BTreeMap<Vec<u8>, Vec<u8>>,
    next_key: u32,
    volatile_percent: u8,
    /// All its keys with an expiry lie on one shard.
    volatile_are_together: bool,
}

impl Writer {
    fn new_key(&mut self, is_together: bool) -> Vec<u8> {
        self.next_key += 1;
        // Some keys lie together on one shard.
        let tag = if is_together { "{together}" } else { "" };
        format!("{}:{}{tag}", self.number, self.next_key).into_bytes()
    }

    fn ask(&mut self, words: &[Vec<u8>], expected: Expected, step: u64) {
        self.client.say(words);
        self.expected.push_back((expected, step));
    }

    fn write_something(&mut self, random: &mut fastrand::Rng, step: u64) {
        let value = |random: &mut fastrand::Rng| {
            let len = random.usize(0..VALUE_MAX_LEN_BYTES);
            vec![b'a' + random.u8(..26); len]
        };
        match random.u8(..10) {
            0 => {
                let pairs: Vec<_> = (0..random.usize(1..=PAIRS_MAX))
                    .map(|_| (self.new_key(happens(random, 10)), value(random)))
                    .collect();
                let mut words = vec![b"MSET".to_vec()];
                pairs.iter().for_each(|(key, value)| words.extend([key.clone(), value.clone()]));
                self.ask(&words, Expected::Write(pairs), step);
            }
            1..4 if !self.known.is_empty() => {
                let key =
                    self.known.keys().nth(random.usize(..self.known.len())).cloned().unwrap_or_default();
                self.ask(&[b"GET".to_vec(), key.clone()], Expected::Read(key), step);
            }
            _ => {
                let is_volatile = happens(random, self.volatile_percent);
                let is_together = if self.volatile_are_together { is_volatile } else { happens(random, 30) };
                let (key, value) = (self.new_key(is_together), value(random));
                let mut words = vec![b"SET".to_vec(), key.clone(), value.clone()];
                if is_volatile {
                    words.extend([b"EX".to_vec(), random.u32(1000..100_000).to_string().into_bytes()]);
                }
                self.ask(&words, Expected::Write(vec![(key, value)]), step);
            }
        }
    }

    fn take(&mut self, watched: &Watched) {
        while let Some(reply) = self.client.replies.pop_front() {
            let (expected, since) = self.expected.pop_front().expect("a reply to something");
            match expected {
                Expected::Write(pairs) => {
                    let refused = reply == OUT_OF_MEMORY;
                    assert!(refused || reply == b"+OK\r\n", "{}", reply.escape_ascii());
                    watched.check_answer(refused, since);
                    if !refused {
                        self.known.extend(pairs);
                    }
                }
                Expected::Read(key) => {
                    let value = scan::text(&reply);
                    assert!(
                        value.is_none() || value == self.known.get(&key).map(Vec::as_slice),
                        "{} is not what was set",
                        key.escape_ascii()
                    );
                }
                Expected::Other => assert_eq!(reply.first(), Some(&b':'), "{}", reply.escape_ascii()),
            }
        }
    }
}

fn configuration(seed: u64, random: &mut fastrand::Rng) -> Config {
    Config {
        max_memory: ByteCount(random.u64(5_000..100_000)),
        max_memory_policy: POLICIES[seed as usize % POLICIES.len()],
        max_memory_samples: random.u32(1..20),
        max_memory_eviction_tenacity: [0, 1, 10, 50, 100][random.usize(..5)],
        active_defrag_cycle_max: 1,
        ..Config::default()
    }
}

/// Plays it once; panics at what is wrong. Sixteen seeds in a row play every policy twice.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let config = configuration(seed, &mut random);
    let (limit_bytes, policy) = (config.max_memory.0, config.max_memory_policy);
    let weather = Weather::draw(&mut random);
    let world = World::with_config(shards, weather, false, random.u64(..), config);
    let mut watched = Watched { world, limit_bytes, policy, seen: Seen::default() };
    let volatile_are_together = (seed as usize / POLICIES.len()).is_multiple_of(2);
    // Whether keys have an expiry is a matter of the client.
    let volatile_percents = [0, 5, 50, 100];
    let mut writers: Vec<Writer> = (0..random.usize(1..4))
        .map(|number| Writer {
            client: Client::new(watched.world.kernel().connect(random.usize(..shards)), random.u64(..)),
            number,
            expected: VecDeque::new(),
            known: BTreeMap::new(),
            next_key: 0,
            volatile_percent: volatile_percents[random.usize(..4)],
            volatile_are_together,
        })
        .collect();
    for _ in 0..random.usize(2..5) {
        let depth = [1, 4, 40][random.usize(..3)];
        let commands = (limit_bytes / 700 + 20) as usize;
        converse(&mut watched, &mut writers, commands, depth, &mut random, Writer::write_something);
        watched.check_settled();
        if policy == MaxMemoryPolicy::NoEviction {
            // As much was sent as has room, and more.
            assert!(watched.used_bytes() + ENTRY_MAX_BYTES > limit_bytes / 2, "room was left");
        }
        // Make room again, without anybody who writes meanwhile.
        let removals = random.usize(..commands);
        converse(&mut watched, &mut writers, removals, depth, &mut random, |writer, random, step| {
            let Some(key) = writer.known.keys().nth(random.usize(..writer.known.len().max(1))).cloned()
            else {
                return;
            };
            writer.known.remove(&key);
            writer.ask(&[b"DEL".to_vec(), key], Expected::Other, step);
        });
        watched.check_settled();
    }
    for writer in &writers {
        watched.world.kernel().end(writer.client.socket, random.bool());
    }
    watched.world.check_empty();
    let sights = watched.world.kernel().sights();
    watched.world.shut_down();
    sights
}

/// Lets the clients ask so many times in all, and waits for the answers.
fn converse(
    watched: &mut Watched,
    writers: &mut [Writer],
    commands: usize,
    depth: usize,
    random: &mut fastrand::Rng,
    ask: impl Fn(&mut Writer, &mut fastrand::Rng, u64),
) {
    let mut left = commands;
    watched.world.note_answer();
    loop {
        let mut moved = false;
        watched.look();
        let step = watched.world.steps();
        for writer in writers.iter_mut() {
            while left > 0 && writer.expected.len() < depth {
                left -= 1;
                ask(writer, random, step);
            }
            let weather = *watched.world.weather();
            moved |= writer.client.act(&mut watched.world.kernel(), &weather, step);
            writer.take(watched);
        }
        if moved {
            watched.world.note_answer();
        } else if left == 0 && writers.iter().all(|writer| writer.expected.is_empty()) {
            return;
        }
        if watched.step() == Step::Idle && !moved {
            watched.world.sleep();
        }
    }
}
