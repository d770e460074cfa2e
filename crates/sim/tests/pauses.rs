//! CLIENT PAUSE: while writes are held, the keys stay as they are.

use tessera_config::{ByteCount, Config, MaxMemoryPolicy};
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
