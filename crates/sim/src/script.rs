//! What clients do, and what came of it.

use crate::client::Client;
use crate::weather::happens;
use crate::world::{Step, World};
use std::collections::{BTreeMap, VecDeque};
use tessera_resp::scan;

/// How a reply is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Byte by byte.
    Exact,
    /// Its elements in any order.
    Unordered,
    /// Only its kind: it depends on what is not part of the data.
    Kind,
    /// There must be none.
    Silent,
}

/// One thing that a client does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends a command without waiting for what comes before it.
    Call(Vec<Vec<u8>>, Check),
    /// Walks over all keys. The words go behind `SCAN cursor`.
    ScanAll(Vec<Vec<u8>>),
    /// Draws a key, which must be there.
    RandomKey,
    /// The wall clock jumps by so many milliseconds.
    Jump(i64),
}

impl Action {
    /// A call of words given as text.
    pub fn call(words: &[&str], check: Check) -> Action {
        Action::Call(words.iter().map(|word| word.as_bytes().to_vec()).collect(), check)
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = |words: &[Vec<u8>]| -> String {
            words
                .iter()
                .map(|word| format!("{:?} ", String::from_utf8_lossy(&word[..word.len().min(80)])))
                .collect()
        };
        match self {
            Action::Call(call, check) => write!(f, "{}({check:?})", words(call)),
            Action::ScanAll(options) => write!(f, "walk {}", words(options)),
            Action::RandomKey => write!(f, "randomkey"),
            Action::Jump(ms) => write!(f, "the clock jumps by {ms} ms"),
        }
    }
}

/// What a client waits for.
enum Awaited {
    /// The reply to a call.
    Reply(usize, Check),
    /// A step of a walk.
    Walk(usize, BTreeMap<Vec<u8>, u64>),
    /// A drawn key.
    Drawn(usize),
    /// Whether a drawn key is there.
    Presence(usize),
}

/// One client and its script.
struct Player<'a> {
    client: Client,
    actions: &'a [Action],
    next: usize,
    depth: usize,
    awaited: VecDeque<Awaited>,
    /// What came of each action.
    results: Vec<Vec<u8>>,
}

/// Lets every client do its script, with pipelines of up to `depth_max` commands. Returns what came of each action.
/// Scripts with [`Action::Jump`] must be played alone.
pub fn play(world: &mut World, scripts: &[Vec<Action>], depth_max: usize, seed: u64) -> Vec<Vec<Vec<u8>>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let nodes = world.nodes();
    let mut players: Vec<Player<'_>> = scripts
        .iter()
        .map(|actions| Player {
            client: Client::new(world.kernel().connect(random.usize(..nodes)), random.u64(..)),
            actions,
            next: 0,
            depth: 1,
            awaited: VecDeque::new(),
            results: vec![Vec::new(); actions.len()],
        })
        .collect();
    loop {
        let mut moved = false;
        for player in &mut players {
            if happens(&mut random, 30) {
                player.depth = random.usize(1..=depth_max);
            }
            moved |= player.go_on(world);
        }
        if moved {
            world.note_answer();
        } else if players.iter().all(Player::is_done) {
            break;
        }
        let turns = random.usize(1..=4);
        let idle = (0..turns).all(|_| world.step() == Step::Idle);
        if idle && !moved {
            world.sleep();
        }
    }
    let mut results = Vec::new();
    for player in players {
        let Player { mut client, results: of_player, .. } = player;
        assert!(client.unfinished().is_empty() && client.replies.is_empty(), "more came than was asked for");
        match random.u8(..3) {
            0 => say_goodbye(world, &mut client),
            how => world.kernel().end(client.socket, how == 1),
        }
        results.push(of_player);
    }
    world.check_empty();
    results
}

/// Sends a few commands and the end right behind them: what came before the end is answered.
fn say_goodbye(world: &mut World, client: &mut Client) {
    const COMMANDS: usize = 20;
    for number in 0..COMMANDS {
        client.say(&[b"TOUCH".to_vec(), format!("nothing:{number}").into_bytes()]);
    }
    let mut answers = 0;
    world.note_answer();
    while !world.kernel().is_at_end(client.socket) {
        let (weather, step) = (*world.weather(), world.steps());
        let moved = client.act(&mut world.kernel(), &weather, step);
        if client.unsent_len_bytes() == 0 {
            world.kernel().half_close(client.socket);
        }
        answers += client.replies.drain(..).count();
        if world.step() == Step::Idle && !moved {
            world.sleep();
        }
    }
    assert_eq!(answers, COMMANDS, "answers to what came before the end");
}

impl Player<'_> {
    fn is_done(&self) -> bool {
        self.next == self.actions.len() && self.awaited.is_empty() && self.client.unsent_len_bytes() == 0
    }

    fn go_on(&mut self, world: &mut World) -> bool {
        let mut any = self.begin(world);
        let (weather, step) = (*world.weather(), world.steps());
        any |= self.client.act(&mut world.kernel(), &weather, step);
        assert!(
            !world.kernel().is_at_end(self.client.socket),
            "the server closed a connection: {}",
            self.told()
        );
        while let Some(reply) = self.client.replies.pop_front() {
            any = true;
            self.take(reply);
        }
        any
    }

    fn told(&self) -> String {
        format!("at action {} of {}", self.next, self.actions.len())
    }

    fn begin(&mut self, world: &mut World) -> bool {
        let mut any = false;
        while let Some(action) = self.actions.get(self.next) {
            let number = self.next;
            match action {
                Action::Call(words, check) => {
                    let stands_alone = |awaited: &Awaited| !matches!(awaited, Awaited::Reply(..));
                    if self.awaited.len() >= self.depth || self.awaited.iter().any(stands_alone) {
                        break;
                    }
                    self.client.say(words);
                    if *check != Check::Silent {
                        self.awaited.push_back(Awaited::Reply(number, *check));
                    }
                }
                _ if !self.awaited.is_empty() => break,
                Action::ScanAll(options) => {
                    self.scan(b"0", options);
                    self.awaited.push_back(Awaited::Walk(number, BTreeMap::new()));
                }
                Action::RandomKey => {
                    self.client.say(&[b"RANDOMKEY".to_vec()]);
                    self.awaited.push_back(Awaited::Drawn(number));
                }
                Action::Jump(ms) => world.clock().jump(*ms),
            }
            self.next += 1;
            any = true;
        }
        any
    }

    fn scan(&mut self, cursor: &[u8], options: &[Vec<u8>]) {
        let mut words = vec![b"SCAN".to_vec(), cursor.to_vec()];
        words.extend_from_slice(options);
        self.client.say(&words);
    }

    fn take(&mut self, reply: Vec<u8>) {
        match self.awaited.pop_front() {
            None => panic!("a reply that nobody asked for, {}: {}", self.told(), reply.escape_ascii()),
            Some(Awaited::Reply(number, check)) => self.results[number] = normal(reply, check),
            Some(Awaited::Walk(number, mut seen)) => {
                let mut parts = scan::elements(&reply).unwrap_or_else(|| {
                    panic!("SCAN {} was refused: {}", self.told(), reply.escape_ascii());
                });
                let cursor = parts.next().and_then(scan::text).expect("a cursor").to_vec();
                for key in parts.next().and_then(scan::elements).expect("keys") {
                    *seen.entry(key.to_vec()).or_default() += 1;
                }
                if cursor == b"0" {
                    // A key may come twice, but must come.
                    self.results[number] = seen.into_keys().collect::<Vec<_>>().concat();
                    return;
                }
                let Action::ScanAll(options) = &self.actions[number] else { unreachable!("it is a walk") };
                let options = options.clone();
                self.scan(&cursor, &options);
                self.awaited.push_front(Awaited::Walk(number, seen));
            }
            Some(Awaited::Drawn(number)) => match scan::text(&reply) {
                None => self.results[number] = b"none".to_vec(),
                Some(key) => {
                    self.client.say(&[b"EXISTS".to_vec(), key.to_vec()]);
                    self.awaited.push_front(Awaited::Presence(number));
                }
            },
            Some(Awaited::Presence(number)) => {
                assert_eq!(reply, b":1\r\n", "a key was drawn that is not there");
                self.results[number] = b"some".to_vec();
            }
        }
    }
}

fn normal(reply: Vec<u8>, check: Check) -> Vec<u8> {
    match check {
        Check::Exact => reply,
        Check::Kind => reply[..1].to_vec(),
        Check::Silent => unreachable!("nothing is awaited"),
        Check::Unordered => match scan::elements(&reply) {
            None => reply,
            Some(elements) => {
                let mut elements: Vec<&[u8]> = elements.collect();
                elements.sort_unstable();
                elements.concat()
            }
        },
    }
}
