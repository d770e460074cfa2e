//! CLIENT PAUSE: while writes are held, the keys stay as they are.

use tessera_config::{ByteCount, Config, MaxMemoryPolicy};
use tessera_routing::SlotTable;
use tessera_sim::client::Client;
use tessera_sim::kernel::SocketNumber;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

struct Played {
    world: World,
    client: Client,
}

impl Played {
    fn new(shards: usize, config: Config) -> Played {
        let weather = Weather::draw(&mut fastrand::Rng::with_seed(1));
        let world = World::with_config(shards, weather, true, 1, config);
        let client = Client::new(world.kernel().connect(0), 1);
        Played { world, client }
    }

    fn ask(&mut self, words: &[&str]) -> Vec<u8> {
        self.client.say(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
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

    /// Lets so much time pass.
    fn wait_ms(&mut self, ms: u64) {
        for _ in 0..10 {
            self.world.clock().advance(ms * 100_000);
            for _ in 0..200 {
                if self.world.step() == Step::Idle {
                    self.world.note_answer();
                    self.world.sleep();
                }
            }
        }
    }

    fn blocked_clients(&mut self) -> String {
        let info = String::from_utf8(self.ask(&["INFO", "clients"])).expect("INFO is text");
        let line = info.lines().find(|line| line.starts_with("blocked_clients:")).expect("INFO tells");
        line.trim_start_matches("blocked_clients:").to_owned()
    }
}

#[test]
fn no_key_expires_or_is_evicted_while_writes_are_paused() {
    for shards in [1, 2, 3] {
        let mut played = Played::new(shards, Config::default());
        for number in 0..40 {
            assert_eq!(played.ask(&["SET", &format!("key:{number}"), "v", "PX", "200"]), b"+OK\r\n");
        }
        assert_eq!(played.ask(&["CLIENT", "PAUSE", "100000", "WRITE"]), b"+OK\r\n");
        let there = played.ask(&["DBSIZE"]);
        played.wait_ms(1000);
        assert_eq!(played.ask(&["GET", "key:7"]), b"$-1\r\n", "its time is over");
        played.wait_ms(1000);
        assert_eq!(played.ask(&["DBSIZE"]), there, "of {shards} shards");
        assert_eq!(played.ask(&["CLIENT", "UNPAUSE"]), b"+OK\r\n");
        played.wait_ms(1000);
        assert_eq!(played.ask(&["DBSIZE"]), b":0\r\n");
    }
}

#[test]
fn nothing_is_evicted_while_writes_are_paused() {
    for shards in [1, 2, 3] {
        let config = Config { max_memory_policy: MaxMemoryPolicy::AllKeysLru, ..Config::default() };
        let mut played = Played::new(shards, config);
        for number in 0..100 {
            assert_eq!(played.ask(&["SET", &format!("key:{number}"), &"v".repeat(1000)]), b"+OK\r\n");
        }
        assert_eq!(played.ask(&["CLIENT", "PAUSE", "100000", "WRITE"]), b"+OK\r\n");
        let bound = ByteCount(50_000).0.to_string();
        assert_eq!(played.ask(&["CONFIG", "SET", "maxmemory", &bound]), b"+OK\r\n");
        played.wait_ms(1000);
        assert_eq!(played.ask(&["DBSIZE"]), b":100\r\n", "of {shards} shards");
        assert_eq!(played.ask(&["CLIENT", "UNPAUSE"]), b"+OK\r\n");
        played.wait_ms(1000);
        assert_ne!(played.ask(&["DBSIZE"]), b":100\r\n");
    }
}

#[test]
fn paused_clients_that_have_gone_are_not_counted_as_blocked() {
    for orderly in [true, false] {
        let mut played = Played::new(2, Config::default());
        assert_eq!(played.ask(&["CLIENT", "PAUSE", "100000", "WRITE"]), b"+OK\r\n");
        let writers: Vec<SocketNumber> = (0..5)
            .map(|number| {
                let socket = played.world.kernel().connect(number % 2);
                played.world.kernel().write(socket, b"SET a 1\r\n");
                socket
            })
            .collect();
        played.wait_ms(100);
        assert_eq!(played.blocked_clients(), "5");
        writers.iter().for_each(|socket| played.world.kernel().end(*socket, orderly));
        played.wait_ms(100);
        assert_eq!(played.blocked_clients(), "0");
    }
}

const CALLS: usize = 200;

/// Clients write as fast as they can, in pipelines and transactions, to keys of all shards, and one of them leaves at
/// once; another pauses them. Once that is answered nothing changes.
fn nothing_changes_once_it_is_answered(shards: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), true, seed);
    let connect = |random: &mut fastrand::Rng, world: &World| {
        Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..))
    };
    let mut writers: Vec<Client> = (0..5).map(|_| connect(&mut random, &world)).collect();
    let mut pausing = connect(&mut random, &world);
    let mode = if seed.is_multiple_of(2) { "WRITE" } else { "ALL" };
    for client in &mut writers {
        for _ in 0..40 {
            let keys = [0; 3].map(|_| format!("key:{}", random.u8(..50)));
            let [one, two, three] = &keys;
            let lines = match random.u8(..6) {
                0 => format!("MSET {one} 1 {two} 2 {three} 3"),
                1 => format!("MULTI; INCR {one}; INCR {two}; PING; INCR {three}; EXEC"),
                2 => format!("MULTI; INCR {one}; INCR {two}; EXEC"),
                3 => format!("COPY {one} {two} REPLACE"),
                4 => format!("RPUSH list:{one} element; BLMOVE list:{one} list:{two} LEFT LEFT 0.001"),
                _ => format!("INCR {one}; INCR {two}; INCR {three}"),
            };
            lines.split("; ").for_each(|line| say(client, line));
        }
    }
    if seed.is_multiple_of(3) {
        // Together more than an owner does of another's calls in one turn.
        writers.extend((0..30).map(|_| connect(&mut random, &world)));
        for client in &mut writers[5..] {
            (0..CALLS).for_each(|number| say(client, &format!("INCR key:{}", number % 50)));
        }
    }
    let pause_at = random.u32(..150);
    let (mut step, mut left) = (0, None);
    while pausing.replies.is_empty() {
        if step == pause_at {
            say(&mut pausing, &format!("CLIENT PAUSE 100000 {mode}"));
            left = writers.pop();
        }
        if let Some(client) = left.take() {
            world.kernel().end(client.socket, true);
        }
        let clients = writers.iter_mut().chain([&mut pausing]);
        go_on(&mut world, clients);
        step += 1;
    }
    let changes = |world: &World| world.shards().map(|shard| shard.stats().dirty).collect::<Vec<_>>();
    let before = changes(&world);
    for _ in 0..400 {
        go_on(&mut world, writers.iter_mut());
    }
    assert_eq!(changes(&world), before, "{shards} shards, seed {seed}, {mode}");
    writers.iter().chain([&pausing]).for_each(|client| world.kernel().end(client.socket, true));
    world.shut_down();
}

fn say(client: &mut Client, line: &str) {
    client.say(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

fn go_on<'a>(world: &mut World, clients: impl Iterator<Item = &'a mut Client>) {
    for client in clients {
        let (weather, step) = (*world.weather(), world.steps());
        if client.act(&mut world.kernel(), &weather, step) {
            world.note_answer();
        }
    }
    if world.step() == Step::Idle {
        world.note_answer();
        world.sleep();
    }
}

#[test]
fn nothing_changes_once_a_pause_is_answered() {
    for seed in 0..120 {
        nothing_changes_once_it_is_answered([1, 2, 3, 5][seed as usize % 4], seed);
    }
}

#[test]
fn a_pause_is_answered_when_what_waits_for_a_snapshot_has_been_done() {
    let config = Config { snapshot_rate_limit_mb: 1, ..World::config() };
    let mut played = Played::new(2, config);
    let table = SlotTable::even(2);
    let mut names = (0..100).map(|number| format!("list:{number}"));
    let list = names.find(|name| table.owner_of(name.as_bytes()) == 1).expect("some are on shard 1");
    let element = "e".repeat(10_000);
    let push: Vec<&str> = ["RPUSH", &list].into_iter().chain([element.as_str(); 400]).collect();
    played.ask(&push);
    assert_eq!(played.ask(&["BGSAVE"]), b"+Background saving started\r\n");
    (0..200).for_each(|_| go_on(&mut played.world, [].into_iter()));
    let mut pausing = Client::new(played.world.kernel().connect(0), 2);
    let changes = |world: &World| world.shards().map(|shard| shard.stats().dirty).sum::<u64>();
    let before = changes(&played.world);
    say(&mut played.client, &format!("LSET {list} 399 new"));
    (0..200).for_each(|_| go_on(&mut played.world, [&mut played.client].into_iter()));
    assert_eq!(changes(&played.world), before, "it was to wait");
    say(&mut pausing, "CLIENT PAUSE 100000 WRITE");
    while pausing.replies.is_empty() {
        go_on(&mut played.world, [&mut played.client, &mut pausing].into_iter());
    }
    assert_eq!(changes(&played.world), before + 1, "it was begun before the pause");
}
