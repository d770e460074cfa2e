//! Clients that ask for as much as they can, beside one that asks for little: it is served soon, and nobody's replies
//! or lines are lost.

use crate::client::Client;
use crate::kernel::Sights;
use crate::weather::Weather;
use crate::world::{Step, World};
use tessera_config::Config;

/// What a greedy client has asked for and not got at most.
const PIPELINE_LEN: usize = 2_000;
const GREEDY_CLIENTS: usize = 4;
/// How often the modest client asks.
const QUESTIONS: usize = 100;
/// Steps of the simulation that an answer may take, for each node: a turn has two steps, and a question to another
/// shard takes a turn of its home, one of the owner, and one of the home again. Whose turn it is comes by chance.
const ANSWER_MAX_STEPS_PER_NODE: u64 = 40;
/// Commands of one connection that one turn may carry out.
const SHARE_MAX_COMMANDS: u64 = 128;
/// What the second monitor may leave unread, in bytes.
const LIMIT_LEN_BYTES: u64 = 1024 * 1024;

struct Greedy {
    client: Client,
    asked: usize,
    got: usize,
}

impl Greedy {
    /// Asks for more if half of what it asked for has come.
    fn go_on(&mut self, random: &mut fastrand::Rng) {
        self.got += self.client.replies.len();
        self.client.replies.clear();
        if self.asked - self.got > PIPELINE_LEN / 2 {
            return;
        }
        while self.asked - self.got < PIPELINE_LEN {
            let key = random.u8(..64).to_string().into_bytes();
            if random.bool() {
                self.client.say(&[b"PING".to_vec()]);
            } else {
                self.client.say(&[b"GET".to_vec(), key]);
            }
            self.asked += 1;
        }
    }
}

/// Plays it once.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather { receive_max_len_bytes: 64 * 1024, ..Weather::calm() };
    let mut config = Config { ..World::config() };
    config.client_output_buffer_limit.normal.hard_bytes = LIMIT_LEN_BYTES;
    let mut world = World::with_config(shards, weather, false, random.u64(..), config);
    let connect = |world: &mut World, random: &mut fastrand::Rng| {
        Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..))
    };
    let mut monitor = connect(&mut world, &mut random);
    // This one reads nothing.
    let mut sleeper = connect(&mut world, &mut random);
    for client in [&mut monitor, &mut sleeper] {
        client.say(&[b"MONITOR".to_vec()]);
        client.act(&mut world.kernel(), &weather, 0);
    }
    world.settle();
    let mut greedy: Vec<Greedy> = (0..GREEDY_CLIENTS)
        .map(|_| Greedy { client: connect(&mut world, &mut random), asked: 0, got: 0 })
        .collect();
    let mut modest = connect(&mut world, &mut random);
    let mut commands = world.shared().counters().commands;
    for number in 0..QUESTIONS {
        modest.say(&[b"GET".to_vec(), number.to_string().into_bytes()]);
        let asked_at_step = world.steps();
        while modest.replies.is_empty() {
            let step = world.steps();
            assert!(
                step - asked_at_step < ANSWER_MAX_STEPS_PER_NODE * shards as u64,
                "question {number} is not answered after {} steps",
                step - asked_at_step
            );
            for greedy in &mut greedy {
                greedy.go_on(&mut random);
                greedy.client.act(&mut world.kernel(), &weather, step);
            }
            monitor.act(&mut world.kernel(), &weather, step);
            monitor.replies.clear();
            if modest.act(&mut world.kernel(), &weather, step) {
                world.note_answer();
            }
            if world.step() == Step::Idle {
                world.sleep();
            }
            let commands_before = std::mem::replace(&mut commands, world.shared().counters().commands);
            assert!(
                commands - commands_before <= SHARE_MAX_COMMANDS * GREEDY_CLIENTS as u64 + 1,
                "{} commands in one turn",
                commands - commands_before
            );
        }
        assert_eq!(modest.replies.pop_front().as_deref(), Some(b"$-1\r\n".as_slice()));
    }
    end_flood(&mut world, &weather, &mut greedy, &mut monitor);
    // Both monitors, the modest client and the greedy ones were there; who read nothing has been closed.
    world.settle();
    assert_eq!(world.shared().clients() as usize, GREEDY_CLIENTS + 2, "the monitor that read nothing");
    assert_eq!(world.shared().monitors(), 1);
    let sockets = greedy.iter().map(|greedy| greedy.client.socket);
    for socket in sockets.chain([monitor.socket, modest.socket, sleeper.socket]) {
        world.kernel().end(socket, random.bool());
    }
    world.check_empty();
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

/// The greedy clients ask for no more, and everything that they asked for comes.
fn end_flood(world: &mut World, weather: &Weather, greedy: &mut [Greedy], monitor: &mut Client) {
    while greedy.iter().any(|greedy| greedy.got < greedy.asked) {
        let step = world.steps();
        for greedy in &mut *greedy {
            if greedy.client.act(&mut world.kernel(), weather, step) {
                world.note_answer();
            }
            greedy.got += greedy.client.replies.len();
            greedy.client.replies.clear();
        }
        monitor.act(&mut world.kernel(), weather, step);
        monitor.replies.clear();
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
}
