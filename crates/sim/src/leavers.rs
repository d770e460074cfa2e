//! Clients that send a pipeline and go: what a node received runs, whatever becomes of the socket; and who waited for
//! something and went gets nothing.

use crate::client::{Client, encode};
use crate::kernel::{Sights, SocketNumber};
use crate::weather::Weather;
use crate::world::{Step, World};

/// How a client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// It sends no more, and reads to the end.
    HalfClosed,
    /// It does not even read.
    Closed,
    /// What was not received is lost.
    Reset,
}

struct Leaver {
    client: Client,
    prefix: String,
    leaving: Leaving,
    /// Where each command that counts ends, in bytes.
    counted_ends: Vec<usize>,
}

struct Play {
    world: World,
    random: fastrand::Rng,
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let world = World::new(shards, weather, false, random.u64(..));
    let mut play = Play { world, random };
    let boss = play.connect();
    let mut boss = Client::new(boss, 1);
    let leavers: Vec<Leaver> =
        (0..play.random.usize(1..5)).map(|number| play.send_and_go(&format!("leaver{number}:"))).collect();
    let waiters: Vec<String> =
        (0..play.random.usize(1..4)).map(|number| play.wait_and_go(&format!("wait{number}"))).collect();
    play.see_off(leavers, &mut boss);
    for key in &waiters {
        assert_eq!(play.ask(&mut boss, &format!("RPUSH {key} x")), b":1\r\n", "nobody waits for {key}");
        assert_eq!(play.ask(&mut boss, &format!("LLEN {key}")), b":1\r\n", "nobody took from {key}");
    }
    play.world.kernel().end(boss.socket, true);
    play.world.check_empty();
    let sights = play.world.kernel().sights();
    play.world.shut_down();
    sights
}

impl Play {
    fn connect(&mut self) -> SocketNumber {
        let node = self.random.usize(..self.world.nodes());
        self.world.kernel().connect(node)
    }

    /// Something that is done over several shards or nodes, or keeps the next from running at once. What is taken was
    /// there.
    fn commands(&mut self, prefix: &str) -> Vec<String> {
        let lines: &[&str] = match self.random.u8(..17) {
            0..4 => &["MSET <a 1 <b 2 <c 3 <d 4 <e 5"],
            4 => &["CLIENT LIST"],
            5 => &["CLIENT UNPAUSE", "CONFIG RESETSTAT"],
            6 => &["KEYS <*", "SCAN 0"],
            7 => &["RPUSH <list v", "BLPOP <list 0"],
            8 => &["RPUSH <from v", "BLMOVE <from <to LEFT RIGHT 0"],
            9 => &["SET <old x", "RENAME <old <new"],
            10 => &["SADD <set a b", "SUNIONSTORE <sum <set <other"],
            11 => &["SETRANGE <long 30000 x", "GET <long", "GET <long"],
            12 => &["CLIENT KILL ID 0", "RANDOMKEY"],
            13 => &["MGET <a <b <c <d", "DEL <a <b <c"],
            _ => &["SET <big BIG"],
        };
        lines.iter().map(|line| line.replace('<', prefix)).collect()
    }

    fn leaving(&mut self) -> Leaving {
        [Leaving::HalfClosed, Leaving::Closed, Leaving::Reset][self.random.usize(..3)]
    }

    fn go(&mut self, socket: SocketNumber, leaving: Leaving) {
        match leaving {
            Leaving::HalfClosed => self.world.kernel().half_close(socket),
            Leaving::Closed => self.world.kernel().end(socket, true),
            Leaving::Reset => self.world.kernel().end(socket, false),
        }
    }

    fn some_steps(&mut self) {
        self.world.note_answer();
        for _ in 0..self.random.usize(..60) {
            if self.world.step() == Step::Idle {
                self.world.sleep();
            }
        }
    }

    /// A client that sends all that it has to say, and goes at some moment after that.
    fn send_and_go(&mut self, prefix: &str) -> Leaver {
        let socket = self.connect();
        let (mut bytes, mut counted_ends) = (Vec::new(), Vec::new());
        for _ in 0..self.random.usize(1..40) {
            for line in self.commands(prefix) {
                let mut command = words(&line);
                if command.last().is_some_and(|word| word == b"BIG") {
                    command.pop();
                    command.push(vec![b'x'; 50_000]);
                }
                bytes.extend(encode(&command, false));
            }
            bytes.extend(encode(&words(&format!("INCR {prefix}done")), false));
            counted_ends.push(bytes.len());
        }
        let leaving = self.leaving();
        self.world.kernel().write(socket, &bytes);
        self.some_steps();
        self.go(socket, leaving);
        Leaver { client: Client::new(socket, 2), prefix: prefix.to_owned(), leaving, counted_ends }
    }

    /// A client that waits for a key, perhaps with so much behind it that its node receives no more, and goes.
    fn wait_and_go(&mut self, key: &str) -> String {
        let socket = self.connect();
        let mut bytes = encode(&words(&format!("BLPOP other{key} {key} 0")), false);
        for _ in 0..[0, 1, 10, 200][self.random.usize(..4)] {
            bytes.extend(encode(&[b"SET".to_vec(), b"behind".to_vec(), vec![b'y'; 1_000]], false));
        }
        self.world.kernel().write(socket, &bytes);
        self.some_steps();
        let leaving = self.leaving();
        self.go(socket, leaving);
        key.to_owned()
    }

    /// Goes on until all is over, and counts what was done.
    fn see_off(&mut self, mut leavers: Vec<Leaver>, boss: &mut Client) {
        self.world.note_answer();
        let mut quiet_sleeps = 0;
        while quiet_sleeps < 3 {
            let (weather, step) = (*self.world.weather(), self.world.steps());
            for leaver in leavers.iter_mut().filter(|leaver| leaver.leaving == Leaving::HalfClosed) {
                if leaver.client.act(&mut self.world.kernel(), &weather, step) {
                    self.world.note_answer();
                    quiet_sleeps = 0;
                }
            }
            if self.world.step() == Step::Idle {
                let kernel = self.world.kernel();
                let is_read = |leaver: &Leaver| {
                    leaver.leaving != Leaving::HalfClosed
                        || kernel.readable_len_bytes(leaver.client.socket) == 0
                };
                let is_all_read = leavers.iter().all(is_read);
                drop(kernel);
                quiet_sleeps = if is_all_read && self.world.is_quiet() { quiet_sleeps + 1 } else { 0 };
                self.world.sleep();
            }
        }
        for leaver in &leavers {
            let socket = leaver.client.socket;
            let delivered = self.world.kernel().delivered_len_bytes(socket);
            let whole = *leaver.counted_ends.last().unwrap_or(&0);
            assert!(leaver.leaving == Leaving::Reset || delivered == whole, "all is received before an end");
            let counted = leaver.counted_ends.iter().filter(|end| **end <= delivered).count();
            let done = self.ask(boss, &format!("INCRBY {}done 0", leaver.prefix));
            assert_eq!(
                String::from_utf8_lossy(&done),
                format!(":{counted}\r\n"),
                "what was received of {} runs ({:?})",
                leaver.prefix,
                leaver.leaving
            );
            if leaver.leaving == Leaving::HalfClosed {
                assert!(self.world.kernel().is_at_end(socket), "its end follows its replies");
                assert!(leaver.client.replies.len() >= counted, "everything is answered");
                assert_eq!(leaver.client.unfinished(), b"");
            }
        }
    }

    fn ask(&mut self, boss: &mut Client, line: &str) -> Vec<u8> {
        boss.say(&words(line));
        loop {
            let (weather, step) = (*self.world.weather(), self.world.steps());
            if boss.act(&mut self.world.kernel(), &weather, step) {
                self.world.note_answer();
            }
            if let Some(reply) = boss.replies.pop_front() {
                return reply;
            }
            if self.world.step() == Step::Idle {
                self.world.sleep();
            }
        }
    }
}
