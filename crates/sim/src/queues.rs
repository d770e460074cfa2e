//! Clients that wait for lists: every element that was pushed is somewhere, once; who came first is served first; and
//! nobody is told that time is up before it is.

use crate::client::Client;
use crate::kernel::Sights;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use std::collections::BTreeSet;
use tessera_resp::scan;

/// They lie on different shards, if there are several.
const QUEUES: [&str; 6] = ["queue:0", "queue:1", "queue:2", "queue:3", "{queue:0}again", "queue:5"];
/// A key of another type, which some moves meet.
const STRING: &str = "string";

/// What a worker waits for.
enum Expected {
    /// A number: so many elements are in a list.
    Push,
    /// One element of one of these lists, or nothing, not before this time in monotonic nanoseconds.
    Pop { keys: Vec<&'static str>, not_before_ns: Option<u64> },
    /// An element that went from one list to another, or nothing in time, or an error if the target is no list.
    Move { is_refused: bool, not_before_ns: Option<u64> },
    /// Whatever it is.
    Anything,
}

struct Worker {
    client: Client,
    /// The number that the server knows the client by.
    id: i64,
    expected: Option<Expected>,
}

/// Where the elements are.
#[derive(Default)]
struct Ledger {
    next: u64,
    received: BTreeSet<Vec<u8>>,
    /// Elements that may have left with a client that went away.
    perhaps_lost: usize,
}

struct Play {
    world: World,
    random: fastrand::Rng,
    ledger: Ledger,
    workers: Vec<Worker>,
    /// Takes no part, and asks when all is quiet.
    boss: Client,
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let world = World::new(shards, weather, false, random.u64(..));
    let boss = Client::new(world.kernel().connect(0), random.u64(..));
    let mut play = Play { world, random, ledger: Ledger::default(), workers: Vec::new(), boss };
    play.ask_boss(&["SET", STRING, "text"]);
    play.serve_in_order();
    for _ in 0..play.random.usize(3..20) {
        play.hire();
    }
    let turns = play.random.usize(50..400);
    play.work(turns);
    play.end_waits();
    play.check_elements();
    let sockets: Vec<_> =
        play.workers.iter().map(|worker| worker.client.socket).chain([play.boss.socket]).collect();
    for socket in sockets {
        play.world.kernel().end(socket, play.random.bool());
    }
    play.world.check_empty();
    let sights = play.world.kernel().sights();
    play.world.shut_down();
    sights
}

impl Play {
    /// Sends a command when all is quiet, and returns the reply.
    fn ask_boss(&mut self, command: &[&str]) -> Vec<u8> {
        self.boss.say(&words(command));
        loop {
            let (weather, step) = (*self.world.weather(), self.world.steps());
            if self.boss.act(&mut self.world.kernel(), &weather, step) {
                self.world.note_answer();
            }
            if let Some(reply) = self.boss.replies.pop_front() {
                return reply;
            }
            if self.world.step() == Step::Idle {
                self.world.sleep();
            }
        }
    }

    fn hire(&mut self) {
        let node = self.random.usize(..self.world.nodes());
        let mut client = Client::new(self.world.kernel().connect(node), self.random.u64(..));
        client.say(&words(&["CLIENT", "ID"]));
        self.workers.push(Worker { client, id: 0, expected: Some(Expected::Anything) });
    }

    fn new_element(&mut self) -> String {
        self.ledger.next += 1;
        format!("element:{}", self.ledger.next)
    }

    /// Has the world go on until nothing moves, and reads what clients were sent.
    fn settle(&mut self, clients: &mut [Client]) {
        for _ in 0..2 {
            loop {
                let (weather, step) = (*self.world.weather(), self.world.steps());
                let mut moved = false;
                for client in &mut *clients {
                    moved |= client.act(&mut self.world.kernel(), &weather, step);
                }
                let idle = self.world.step() == Step::Idle;
                if moved {
                    self.world.note_answer();
                } else if idle {
                    let is_done = |client: &Client| {
                        let unread = self.world.kernel().readable_len_bytes(client.socket);
                        client.unsent_len_bytes() == 0 && unread == 0
                    };
                    if clients.iter().all(is_done) {
                        break;
                    }
                    self.world.sleep();
                }
            }
            self.world.settle();
        }
    }

    /// Clients that come one after the other to wait for a list are served in that order.
    fn serve_in_order(&mut self) {
        let (nodes, count) = (self.world.nodes(), self.random.usize(2..8));
        let mut clients: Vec<Client> = (0..count)
            .map(|_| {
                let node = self.random.usize(..nodes);
                Client::new(self.world.kernel().connect(node), self.random.u64(..))
            })
            .collect();
        for number in 0..count {
            // Some wait for other lists besides, in which nothing will ever be.
            let command: &[&str] = match self.random.u8(..3) {
                0 => &["BLPOP", "order", "0"],
                1 => &["BRPOP", "never:1", "order", "never:2", "0"],
                _ => &["BLMOVE", "order", "taken", "LEFT", "RIGHT", "0"],
            };
            clients[number].say(&words(command));
            self.settle(&mut clients);
        }
        let pushes = self.random.bool();
        let elements: Vec<String> = (0..count).map(|number| format!("{number}")).collect();
        if pushes {
            for element in &elements {
                self.ask_boss(&["RPUSH", "order", element]);
                self.settle(&mut clients);
            }
        } else {
            // The list appears whole, under another name at first.
            let mut command = vec!["RPUSH", "{order}new"];
            command.extend(elements.iter().map(String::as_str));
            self.ask_boss(&command);
            self.ask_boss(&["RENAME", "{order}new", "order"]);
            self.settle(&mut clients);
        }
        let got: Vec<Option<Vec<u8>>> = clients
            .iter_mut()
            .map(|client| client.replies.pop_front().map(|reply| last_text(&reply)))
            .collect();
        // Who takes from the right of a list of several takes another element, but each takes one.
        let mut served: Vec<Vec<u8>> =
            got.into_iter().map(|text| text.expect("everybody is served")).collect();
        if !pushes {
            served.sort();
        }
        assert!(
            served.iter().zip(&elements).all(|(got, element)| got == element.as_bytes()),
            "clients that waited were served out of order: {served:?}"
        );
        for client in &clients {
            self.world.kernel().end(client.socket, self.random.bool());
        }
        self.ask_boss(&["DEL", "taken"]);
    }

    /// Lets the workers push, pop, wait, go away.
    fn work(&mut self, turns: usize) {
        self.world.note_answer();
        let mut left = turns;
        while left > 0 {
            self.go_on();
            let worker = self.random.usize(..self.workers.len());
            if self.workers[worker].expected.is_some() {
                if happens(&mut self.random, 1) && self.workers.len() > 3 {
                    self.dismiss(worker);
                    self.hire();
                }
                // All may be waiting.
                if self.workers.iter().all(|worker| worker.expected.is_some()) {
                    left -= 1;
                    self.hire_producer();
                }
                continue;
            }
            left -= 1;
            self.give_work(worker);
        }
    }

    /// A client that goes away takes with it what was on its way.
    fn dismiss(&mut self, worker: usize) {
        let worker = self.workers.swap_remove(worker);
        if matches!(worker.expected, Some(Expected::Pop { .. })) {
            self.ledger.perhaps_lost += 1;
        }
        if matches!(worker.expected, Some(Expected::Push)) {
            // Perhaps it was never pushed.
            self.ledger.perhaps_lost += 1;
        }
        self.world.kernel().end(worker.client.socket, true);
    }

    /// Somebody has to bring something to those who wait.
    fn hire_producer(&mut self) {
        let queue = QUEUES[self.random.usize(..QUEUES.len())];
        let element = self.new_element();
        let node = self.random.usize(..self.world.nodes());
        let mut client = Client::new(self.world.kernel().connect(node), self.random.u64(..));
        client.say(&words(&["LPUSH", queue, &element]));
        self.workers.push(Worker { client, id: 0, expected: Some(Expected::Push) });
    }

    fn give_work(&mut self, worker: usize) {
        if self.workers[worker].id == 0 {
            self.workers[worker].client.say(&words(&["CLIENT", "ID"]));
            self.workers[worker].expected = Some(Expected::Anything);
            return;
        }
        let timeouts = ["0", "0", "0", "0.001", "0.02", "1"];
        let timeout = timeouts[self.random.usize(..timeouts.len())];
        let timeout_ns = (timeout.parse::<f64>().unwrap_or(0.0) * 1e9) as u64;
        let not_before_ns = (timeout_ns > 0).then(|| self.world.clock().now_ns() + timeout_ns);
        let keys: Vec<&'static str> =
            (0..self.random.usize(1..4)).map(|_| QUEUES[self.random.usize(..QUEUES.len())]).collect();
        let other = QUEUES[self.random.usize(..QUEUES.len())];
        let (command, expected) = match self.random.u8(..12) {
            0..5 => {
                let element = self.new_element();
                let name = ["LPUSH", "RPUSH"][self.random.usize(..2)];
                (words(&[name, keys[0], &element]), Expected::Push)
            }
            5..9 => {
                let mut command = vec![["BLPOP", "BRPOP"][self.random.usize(..2)]];
                command.extend(&keys);
                command.push(timeout);
                (words(&command), Expected::Pop { keys, not_before_ns })
            }
            9 => (
                words(&["BLMOVE", keys[0], other, "LEFT", "RIGHT", timeout]),
                Expected::Move { is_refused: false, not_before_ns },
            ),
            10 => (
                words(&["BRPOPLPUSH", keys[0], STRING, timeout]),
                Expected::Move { is_refused: true, not_before_ns },
            ),
            _ => (
                words(&["LMOVE", keys[0], other, "RIGHT", "LEFT"]),
                Expected::Move { is_refused: false, not_before_ns: Some(0) },
            ),
        };
        self.workers[worker].client.say(&command);
        self.workers[worker].expected = Some(expected);
    }

    /// One step of the world and of all workers.
    fn go_on(&mut self) {
        let (weather, step) = (*self.world.weather(), self.world.steps());
        let mut moved = false;
        for worker in &mut self.workers {
            moved |= worker.client.act(&mut self.world.kernel(), &weather, step);
            while let Some(reply) = worker.client.replies.pop_front() {
                let now_ns = self.world.clock().now_ns();
                take_reply(worker, &reply, &mut self.ledger, now_ns);
            }
        }
        if moved {
            self.world.note_answer();
        }
        if self.world.step() == Step::Idle && !moved {
            self.world.sleep();
            self.world.note_answer();
        }
    }

    /// Nobody waits any more.
    fn end_waits(&mut self) {
        let mut rounds = 0;
        while self.workers.iter().any(|worker| worker.expected.is_some()) {
            rounds += 1;
            assert!(rounds < 200, "clients wait that were to be unblocked");
            for _ in 0..200 {
                self.go_on();
            }
            let waiting: Vec<i64> = self
                .workers
                .iter()
                .filter(|worker| worker.expected.is_some() && worker.id != 0)
                .map(|worker| worker.id)
                .collect();
            for id in waiting {
                let reason = ["TIMEOUT", "ERROR"][self.random.usize(..2)];
                for worker in &mut self.workers {
                    if worker.id == id
                        && let Some(
                            Expected::Pop { not_before_ns, .. } | Expected::Move { not_before_ns, .. },
                        ) = &mut worker.expected
                    {
                        *not_before_ns = Some(0);
                    }
                }
                let reply = self.ask_boss(&["CLIENT", "UNBLOCK", &id.to_string(), reason]);
                assert!(matches!(scan::integer(&reply), Some(0 | 1)), "{}", reply.escape_ascii());
            }
        }
    }

    /// What was pushed and not received is in the lists.
    fn check_elements(&mut self) {
        self.world.settle();
        let mut all = std::mem::take(&mut self.ledger.received);
        for queue in QUEUES {
            let reply = self.ask_boss(&["LRANGE", queue, "0", "-1"]);
            for element in scan::elements(&reply).expect("a list") {
                let element = scan::text(element).expect("an element").to_vec();
                let is_new = all.insert(element.clone());
                assert!(is_new, "{} is there twice", element.escape_ascii());
            }
        }
        let lost = self.ledger.next as usize - all.len();
        assert!(
            lost <= self.ledger.perhaps_lost,
            "{lost} elements are lost, and {} may be",
            self.ledger.perhaps_lost
        );
        let info = self.ask_boss(&["INFO", "clients"]);
        let info = String::from_utf8_lossy(&info).into_owned();
        for line in ["blocked_clients:0", "total_blocking_keys:0", "clients_in_timeout_table:0"] {
            assert!(info.contains(line), "not {line}:\n{info}");
        }
    }
}

/// The last text in a reply.
fn last_text(reply: &[u8]) -> Vec<u8> {
    match scan::elements(reply) {
        Some(elements) => elements.last().map(last_text).unwrap_or_default(),
        None => scan::text(reply).unwrap_or_default().to_vec(),
    }
}

fn take_reply(worker: &mut Worker, reply: &[u8], ledger: &mut Ledger, now_ns: u64) {
    let expected = worker.expected.take().expect("a reply to something");
    let shown = reply.escape_ascii();
    let is_unblocked = reply.starts_with(b"-UNBLOCKED");
    let check_time = |not_before_ns: Option<u64>| {
        let not_before_ns = not_before_ns.unwrap_or(u64::MAX);
        assert!(now_ns >= not_before_ns, "time was up too early: {shown}");
    };
    match expected {
        Expected::Anything => worker.id = scan::integer(reply).expect("a number"),
        Expected::Push => assert!(scan::integer(reply).is_some(), "{shown}"),
        Expected::Pop { not_before_ns, .. } if is_unblocked => check_time(not_before_ns),
        Expected::Move { not_before_ns, .. } if is_unblocked => check_time(not_before_ns),
        Expected::Pop { keys, not_before_ns } => match reply {
            b"*-1\r\n" => check_time(not_before_ns),
            _ => {
                let parts: Vec<&[u8]> = scan::elements(reply).expect("a list and its element").collect();
                let texts: Vec<&[u8]> = parts.iter().filter_map(|part| scan::text(part)).collect();
                assert!(
                    texts.len() == 2 && keys.iter().any(|key| key.as_bytes() == texts[0]),
                    "{shown} is not of {keys:?}"
                );
                let is_new = ledger.received.insert(texts[1].to_vec());
                assert!(is_new, "{shown} was received twice");
            }
        },
        Expected::Move { is_refused, not_before_ns } => match reply {
            b"$-1\r\n" | b"*-1\r\n" => check_time(not_before_ns),
            _ if is_refused => assert!(reply.starts_with(b"-WRONGTYPE"), "{shown}"),
            _ => assert!(scan::text(reply).is_some(), "{shown}"),
        },
    }
}
