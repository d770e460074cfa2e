//! What is checked.

use crate::client::Client;
use crate::directory;
use crate::effects;
use crate::generate::{Generator, Kind};
use crate::kernel::Sights;
use crate::leavers;
use crate::memory;
use crate::mortal;
use crate::neighbours;
use crate::queues;
use crate::script::{Action, Check, play};
use crate::snapshots;
use crate::squeeze;
use crate::streams;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use crate::{consistency, races};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// One client gets the same replies from many shards in any weather as from one in calm.
    Equal,
    /// So do several at once, each with keys of its own; and what they count together adds up.
    Crowd,
    /// Steady clients are right while others come, misbehave and go; nothing is left of any of them.
    Storm,
    /// Deep pipelines meet nodes that get no turn for long: channels fill up, and nothing is lost.
    Flood,
    /// Monitors are shown every command, once.
    Monitors,
    /// Clients that ask for as much as they can do not keep others waiting.
    Neighbours,
    /// Memory is bounded: keys go as the policy says, and writes are refused only if none can.
    Memory,
    /// Clients wait for lists: nothing is lost, nobody is overtaken.
    Queues,
    /// Clients send pipelines and go: what was received runs, and who waited gets nothing.
    Leavers,
    /// Snapshots are of one moment, and a crash leaves the old set or the new.
    Snapshots,
    /// Long replies are whole, and of one moment.
    Streams,
    /// Clients that want the same keys at once, on several shards, have them in some order.
    Races,
    /// What clients are told of transactions and single commands is what one order leads to, in which nobody comes
    /// before those who had ended.
    Consistency,
    /// The data directory: a start that fails changes nothing, a second server stays out, nothing goes too early.
    Directory,
    /// Effects replayed give the same data.
    Effects,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Scenario; 15] = [
        Scenario::Equal,
        Scenario::Crowd,
        Scenario::Storm,
        Scenario::Flood,
        Scenario::Monitors,
        Scenario::Neighbours,
        Scenario::Memory,
        Scenario::Queues,
        Scenario::Leavers,
        Scenario::Snapshots,
        Scenario::Streams,
        Scenario::Races,
        Scenario::Consistency,
        Scenario::Directory,
        Scenario::Effects,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Equal => "equal",
            Scenario::Crowd => "crowd",
            Scenario::Storm => "storm",
            Scenario::Flood => "flood",
            Scenario::Monitors => "monitors",
            Scenario::Neighbours => "neighbours",
            Scenario::Memory => "memory",
            Scenario::Queues => "queues",
            Scenario::Leavers => "leavers",
            Scenario::Snapshots => "snapshots",
            Scenario::Streams => "streams",
            Scenario::Races => "races",
            Scenario::Consistency => "consistency",
            Scenario::Directory => "directory",
            Scenario::Effects => "effects",
        }
    }

    /// Plays it once; panics at what is wrong.
    pub fn run(self, shards: usize, seed: u64) -> Sights {
        match self {
            Scenario::Equal => equal(shards, seed),
            Scenario::Crowd => crowd(shards, seed),
            Scenario::Storm => storm(shards, seed),
            Scenario::Flood => flood(shards, seed),
            Scenario::Monitors => monitors(shards, seed),
            Scenario::Neighbours => neighbours::play(shards, seed),
            Scenario::Memory => {
                squeeze::play(shards, seed);
                memory::play(shards, seed)
            }
            Scenario::Queues => queues::play(shards, seed),
            Scenario::Leavers => leavers::play(shards, seed),
            Scenario::Snapshots => snapshots::play(shards, seed),
            Scenario::Streams => streams::play(shards, seed),
            Scenario::Races => races::play(shards, seed),
            Scenario::Consistency => consistency::play(shards, seed),
            Scenario::Directory => directory::play(shards, seed),
            Scenario::Effects => {
                let mut random = fastrand::Rng::with_seed(seed);
                (0..20).for_each(|_| effects::check(random.u64(..), 1_000));
                mortal::check(random.u64(..), 10);
                effects::play(shards, random.u64(..))
            }
        }
    }
}

/// What one shard answers to a script in calm weather, command after command.
fn expected(script: &[Action]) -> Vec<Vec<u8>> {
    let mut world = World::new(1, Weather::calm(), false, 1);
    play(&mut world, &[script.to_vec()], 1, 1).remove(0)
}

fn compare(script: &[Action], expected: &[Vec<u8>], got: &[Vec<u8>], shards: usize) {
    let Some(at) = (0..script.len()).find(|at| expected[*at] != got[*at]) else { return };
    let context: Vec<String> =
        (at.saturating_sub(12)..=at).map(|number| format!("  {number}: {}", script[number])).collect();
    let show = |reply: &[u8]| reply[..reply.len().min(1000)].escape_ascii().to_string();
    panic!(
        "action {at} was answered otherwise than by one shard:\n{}\n  one shard: {}\n  {shards} shards: {}",
        context.join("\n"),
        show(&expected[at]),
        show(&got[at])
    );
}

fn equal(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let len = random.usize(50..600);
    let script = Generator::new(Kind::Alone, "", random.u64(..)).script(len);
    let expected = expected(&script);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let depth_max = [1, 4, 64, 500][random.usize(..4)];
    let got = play(&mut world, std::slice::from_ref(&script), depth_max, random.u64(..));
    compare(&script, &expected, &got[0], shards);
    let mut sights = world.kernel().sights();
    sights.moved_blocks = world.shared().counters().defrag_hits;
    world.shut_down();
    sights
}

const PREFIXES: [&str; 6] = ["a:", "b:", "c:", "d:", "e:", "f:"];
/// What several clients count together.
const SHARED: [&str; 3] = ["shared:0", "shared:1", "shared:2"];

fn crowd(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let players = random.usize(2..=PREFIXES.len());
    let len = random.usize(20..200);
    let mut scripts: Vec<Vec<Action>> = PREFIXES[..players]
        .iter()
        .map(|prefix| Generator::new(Kind::OneOfMany, prefix, random.u64(..)).script(len))
        .collect();
    let expected: Vec<_> = scripts.iter().map(|script| expected(script)).collect();
    let mut sums = [0; SHARED.len()];
    for _ in 0..random.usize(2..4) {
        let counted = (0..len).map(|_| {
            let which = random.usize(..SHARED.len());
            let by = random.i32(1..5);
            sums[which] += by;
            // The replies depend on who comes first; only the sums do not.
            Action::call(&["INCRBY", SHARED[which], &by.to_string()], Check::Kind)
        });
        scripts.push(counted.collect());
    }
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let depth_max = [1, 4, 64, 500][random.usize(..4)];
    let got = play(&mut world, &scripts, depth_max, random.u64(..));
    for ((script, expected), got) in scripts.iter().zip(&expected).zip(&got) {
        compare(script, expected, got, shards);
    }
    let reads: Vec<Action> = SHARED.iter().map(|key| Action::call(&["GET", key], Check::Exact)).collect();
    let totals = play(&mut world, &[reads], 1, random.u64(..)).remove(0);
    for (sum, total) in sums.iter().zip(&totals) {
        let text = if *sum == 0 { String::new() } else { sum.to_string() };
        let reply = if *sum == 0 { "$-1\r\n".to_owned() } else { format!("${}\r\n{text}\r\n", text.len()) };
        assert_eq!(total, reply.as_bytes(), "what clients counted together");
    }
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

/// A client that counts its own key and checks every answer.
struct Steady {
    client: Client,
    key: String,
    said: u32,
    heard: u32,
    target: u32,
    depth: u32,
}

impl Steady {
    fn go_on(&mut self, world: &mut World) {
        while self.said < self.target && self.said - self.heard < self.depth {
            self.client.say(&[b"INCR".to_vec(), self.key.clone().into_bytes()]);
            self.said += 1;
        }
        let (weather, step) = (*world.weather(), world.steps());
        self.client.act(&mut world.kernel(), &weather, step);
        while let Some(reply) = self.client.replies.pop_front() {
            self.heard += 1;
            assert_eq!(
                String::from_utf8_lossy(&reply),
                format!(":{}\r\n", self.heard),
                "{} counts its commands",
                self.key
            );
            world.note_answer();
        }
        assert!(!world.kernel().is_at_end(self.client.socket), "{} was disconnected", self.key);
    }
}

fn storm(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), true, random.u64(..));
    let mut steady: Vec<Steady> = (0..random.usize(1..4))
        .map(|number| Steady {
            client: Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..)),
            key: format!("steady:{number}"),
            said: 0,
            heard: 0,
            target: random.u32(20..200),
            depth: [1, 1, 3, 50][random.usize(..4)],
        })
        .collect();
    let mut generator = Generator::new(Kind::OneOfMany, "storm:", random.u64(..));
    let mut others: Vec<Client> = Vec::new();
    let mut left = random.u32(10..80);
    let mut clock_is_off_ms = 0;
    while left > 0
        || steady.iter().any(|one| one.heard < one.target)
        || others.iter().any(|other| other.is_leaving)
    {
        if left > 0 && others.len() < 12 && happens(&mut random, 20) {
            left -= 1;
            others.push(Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..)));
        }
        steady.iter_mut().for_each(|one| one.go_on(&mut world));
        others.retain_mut(|other| misbehave(other, &mut world, &mut generator, &mut random));
        if random.u16(..500) == 0 {
            // About the true time: a pause lasts as long as the clock says.
            let next_ms = random.i64(-2_000..2_000);
            world.clock().jump(next_ms - clock_is_off_ms);
            clock_is_off_ms = next_ms;
        }
        let idle = (0..random.usize(1..=4)).all(|_| world.step() == Step::Idle);
        if idle {
            world.sleep();
        }
    }
    if random.bool() {
        // With everybody still there.
        world.shut_down();
        return world.kernel().sights();
    }
    let clients = steady.iter().map(|one| one.client.socket).chain(others.iter().map(|other| other.socket));
    for socket in clients {
        world.kernel().end(socket, random.bool());
    }
    world.check_empty();
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

/// One moment of a client that nobody would want. False when it is gone.
fn misbehave(
    client: &mut Client,
    world: &mut World,
    generator: &mut Generator,
    random: &mut fastrand::Rng,
) -> bool {
    if !client.is_leaving && happens(random, 15) {
        let words = |text: &str| text.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        match random.u8(..60) {
            0 => {
                client.say(&words("QUIT"));
                client.is_leaving = true;
            }
            1 => client.say(&words("CLIENT REPLY OFF")),
            2 => client.say(&words("CLIENT REPLY SKIP")),
            3 => client.say(&words("MONITOR")),
            4 => client.say(&words("CLIENT PAUSE 20 WRITE")),
            5 => client.say(&words("CLIENT PAUSE 15")),
            6 | 7 => {
                // Only its own kind; perhaps itself.
                let victim = (client.socket + random.usize(..3)).max(STEADY_SOCKETS);
                client.say(&words(&format!("CLIENT KILL ADDR 127.0.0.1:{}", 10_000 + victim)));
            }
            8 => {
                client.say(&words("CLIENT REPLY OFF"));
                client.say(&generator.words().0);
                client.say(&words("QUIT"));
                client.is_leaving = true;
            }
            9 => {
                client.babble(b"*1\r\n$-5\r\n");
                client.is_leaving = true;
            }
            10 => {
                for _ in 0..200 {
                    client.say(&words("SETRANGE storm:long 3000 x"));
                    client.say(&words("GET storm:long"));
                }
            }
            _ => client.say(&generator.words().0),
        }
    }
    let (weather, step) = (*world.weather(), world.steps());
    let moved = client.act(&mut world.kernel(), &weather, step);
    if moved && client.is_leaving {
        world.note_answer();
    }
    client.replies.clear();
    if world.kernel().is_at_end(client.socket) {
        return false;
    }
    // The worst moment is while another node writes to it.
    let chance = if world.kernel().is_replied_directly(client.socket) { 80 } else { 8 };
    if !client.is_leaving && random.u16(..1000) < chance {
        world.kernel().end(client.socket, random.bool());
        return false;
    }
    true
}

/// Sockets below are those of steady clients.
const STEADY_SOCKETS: usize = 3;

fn flood(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut weather = Weather::draw(&mut random);
    weather.starve = 30;
    weather.starve_steps = 5_000;
    weather.receive_max_len_bytes = [50, 200, 16 * 1024][random.usize(..3)];
    // Long replies fill what is on its way back, many short ones what is on its way out.
    let (len, value_len_bytes) = if random.u8(..4) == 0 { (400, "60000") } else { (2_500, "10") };
    let script_of = |prefix: &str, random: &mut fastrand::Rng| {
        let mut script: Vec<Action> = Vec::new();
        for _ in 0..len {
            let name = format!("{prefix}{}", random.u8(..16));
            script.push(if random.bool() {
                Action::call(&["INCR", &name], Check::Exact)
            } else {
                Action::call(&["SETRANGE", &format!("{name}:long"), value_len_bytes, "x"], Check::Exact)
            });
            match random.u8(..20) {
                0..9 => script.push(Action::call(&["GET", &format!("{name}:long")], Check::Exact)),
                // What comes behind it has to wait, and piles up.
                9 => script.push(Action::call(&["MGET", &name, &format!("{prefix}0")], Check::Exact)),
                _ => {}
            }
        }
        script
    };
    let mut scripts: Vec<Vec<Action>> = Vec::new();
    for prefix in &PREFIXES[..random.usize(1..3)] {
        scripts.push(script_of(prefix, &mut random));
    }
    let expected: Vec<_> = scripts.iter().map(|script| expected(script)).collect();
    let mut world = World::new(shards, weather, false, random.u64(..));
    let got = play(&mut world, &scripts, 3_000, random.u64(..));
    for ((script, expected), got) in scripts.iter().zip(&expected).zip(&got) {
        compare(script, expected, got, shards);
    }
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

fn monitors(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut weather = Weather::draw(&mut random);
    let floods = random.bool();
    if floods {
        // Many short turns of one node while another has none.
        weather.starve = 30;
        weather.starve_steps = 5_000;
        weather.receive_max_len_bytes = 50;
    }
    let mut world = World::new(shards, weather, true, random.u64(..));
    let words = |text: &str| text.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    let connect = |world: &mut World, random: &mut fastrand::Rng| {
        Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..))
    };
    let mut watchers: Vec<Client> =
        (0..random.usize(1..3)).map(|_| connect(&mut world, &mut random)).collect();
    for watcher in &mut watchers {
        watcher.say(&words("MONITOR"));
    }
    await_lines(&mut world, &mut watchers, |watcher| watcher.replies.len() == 1);
    for watcher in &mut watchers {
        assert_eq!(watcher.replies.pop_front().as_deref(), Some(b"+OK\r\n".as_slice()));
    }
    let mut talkers: Vec<Client> = (0..2).map(|_| connect(&mut world, &mut random)).collect();
    let said = if floods { random.usize(200..400) } else { random.usize(1..60) };
    for number in 0..said {
        let talker = random.usize(..2);
        talkers[talker].say(&words(&format!("SET key:{} {number}", number % 20)));
    }
    // Its own commands are shown to a monitor too. A lone one to another shard may be answered by that itself.
    let own = random.usize(..4);
    for number in 0..own {
        watchers[0].say(&words(&format!("EXISTS watched:{number}")));
    }
    let all = said + own;
    let mut clients: Vec<Client> = watchers.into_iter().chain(talkers).collect();
    let watchers_len = clients.len() - 2;
    for (number, client) in clients.iter().enumerate() {
        assert!(client.replies.is_empty(), "client {number} was told something early");
    }
    await_lines(&mut world, &mut clients, |_| false);
    let told: Vec<usize> = clients.iter().map(|client| client.replies.len()).collect();
    assert_eq!(told[watchers_len..].iter().sum::<usize>(), said, "replies to the talkers");
    for (number, watcher) in clients[..watchers_len].iter().enumerate() {
        let (mut lines, mut replies) = (Vec::new(), 0);
        for reply in &watcher.replies {
            if reply == b":0\r\n" { replies += 1 } else { lines.push(String::from_utf8_lossy(reply)) }
        }
        let own = if number == 0 { own } else { 0 };
        assert_eq!(replies, own, "replies to monitor {number}");
        assert_eq!(lines.len(), all, "lines shown to monitor {number}: {lines:#?}");
        for said in 0..said {
            let of_it = lines.iter().filter(|line| line.trim_end().ends_with(&format!("\"{said}\""))).count();
            assert_eq!(of_it, 1, "command {said} is shown once to monitor {number}");
        }
    }
    for client in &clients {
        world.kernel().end(client.socket, random.bool());
    }
    world.check_empty();
    let sights = world.kernel().sights();
    world.shut_down();
    sights
}

/// Goes on until `is_done` of all clients, or else until nothing comes any more.
fn await_lines(world: &mut World, clients: &mut [Client], is_done: impl Fn(&Client) -> bool) {
    let mut quiet_sleeps = 0;
    world.note_answer();
    while quiet_sleeps < 3 && !clients.iter().all(&is_done) {
        let (weather, step) = (*world.weather(), world.steps());
        for client in clients.iter_mut() {
            if client.act(&mut world.kernel(), &weather, step) {
                quiet_sleeps = 0;
                world.note_answer();
            }
        }
        if world.step() == Step::Idle {
            let unread = |client: &Client| {
                client.unsent_len_bytes() > 0 || world.kernel().readable_len_bytes(client.socket) > 0
            };
            let is_quiet = world.is_quiet() && !clients.iter().any(unread);
            quiet_sleeps = if is_quiet { quiet_sleeps + 1 } else { 0 };
            world.sleep();
        }
    }
}
