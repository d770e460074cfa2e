//! A transaction over several shards happens at one moment: what it has found once does not expire, and is not evicted,
//! before it ends.

use tessera_routing::SlotTable;
use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

/// Something happens at most so many steps after such a transaction was sent.
const STEPS_MAX: u64 = 120;

/// What happens meanwhile.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    /// The time of all keys is over.
    TimePasses,
    /// There is no room for any key.
    MemoryIsShort,
}

fn say(client: &mut Client, line: &str) {
    client.say(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

/// Says what stands between `; `: how many commands that is.
fn say_all(client: &mut Client, lines: &str) -> usize {
    lines.split("; ").map(|line| say(client, line)).count()
}

fn go_on(world: &mut World, clients: &mut [&mut Client]) {
    for client in clients {
        let (weather, step) = (*world.weather(), world.steps());
        if client.act(&mut world.kernel(), &weather, step) {
            world.note_answer();
        }
    }
    if world.step() == Step::Idle {
        world.sleep();
    }
}

/// A name on this shard, which others do not have.
fn name(shards: usize, shard: usize, prefix: &str) -> String {
    let table = SlotTable::even(shards as u16);
    let mut names = (0..1000).map(|number| format!("{prefix}:{number}"));
    names.find(|name| usize::from(table.owner_of(name.as_bytes())) == shard).expect("some are")
}

/// The elements of a reply, without an end of line; `None` for what is not there.
fn elements(reply: &[u8]) -> Vec<Option<String>> {
    let reply = String::from_utf8_lossy(reply).into_owned();
    let mut lines = reply.split("\r\n").skip(1).filter(|line| !line.is_empty());
    let mut elements = Vec::new();
    while let Some(line) = lines.next() {
        elements.push(match line {
            "$-1" => None,
            _ if line.starts_with('$') => lines.next().map(str::to_owned),
            _ => Some(line.to_owned()),
        });
    }
    elements
}

/// Runs a transaction that looks at keys twice and uses them in between. Whether it found them; `None` if it was
/// refused for want of memory, because there was nothing left that it could be had from.
fn run(shards: usize, seed: u64, meanwhile: Meanwhile, after_steps: u64) -> Option<bool> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, seed);
    let connect = |world: &World, home| Client::new(world.kernel().connect(home), seed + home as u64);
    let (home, other) = (random.usize(..shards), random.usize(..shards));
    let (mut client, mut other) = (connect(&world, home), connect(&world, other));
    let [near, far] = [0, 1].map(|number| name(shards, (home + number) % shards, "text"));
    let [list, target] = [1, 0].map(|number| name(shards, (home + number) % shards, "list"));
    let set_up =
        format!("SET {near} text PX 500; SET {far} text PX 500; RPUSH {list} element; PEXPIRE {list} 500");
    say_all(&mut client, &set_up);
    while client.replies.len() < 4 {
        go_on(&mut world, &mut [&mut client]);
    }
    client.replies.clear();
    let moving = format!("COPY {far} {near}-copied; BLMOVE {list} {target} LEFT LEFT 0");
    let queued = format!("MGET {near} {far}; LLEN {list}; PING; {moving}; PING; GET {near}; GET {far}");
    let replies = say_all(&mut client, &format!("MULTI; {queued}; EXEC"));
    for step in 0.. {
        if step == after_steps {
            match meanwhile {
                Meanwhile::TimePasses => {
                    // The nodes look for such keys now and then.
                    world.clock().advance(200_000_000);
                    world.clock().jump(1_000);
                }
                Meanwhile::MemoryIsShort => {
                    say(&mut other, "CONFIG SET maxmemory 1 maxmemory-policy allkeys-random");
                }
            }
        }
        if client.replies.len() == replies {
            break;
        }
        go_on(&mut world, &mut [&mut client, &mut other]);
    }
    let reply = client.replies.pop_back().expect("it was answered");
    for client in [client, other] {
        world.kernel().end(client.socket, true);
    }
    world.check_empty();
    if reply.starts_with(b"-OOM") || reply.starts_with(b"-EXECABORT") {
        return None;
    }
    let found = elements(&reply[..]);
    let what = format!("{shards} shards, seed {seed}, {meanwhile:?} after {after_steps} steps: {found:?}");
    let [_, first_near, first_far, len, _, copied, moved, _, near, far] = &found[..] else {
        panic!("{what}")
    };
    assert_eq!((first_near, first_far), (near, far), "{what}");
    assert_eq!(copied.as_deref() == Some(":1"), far.is_some(), "{what}");
    assert_eq!(moved.is_some(), len.as_deref() == Some(":1"), "{what}");
    if matches!(meanwhile, Meanwhile::TimePasses) {
        assert!(near.is_some() == far.is_some() && far.is_some() == moved.is_some(), "{what}");
    }
    Some(near.is_some())
}

#[test]
fn what_a_transaction_has_found_does_not_go_in_its_midst() {
    for meanwhile in [Meanwhile::TimePasses, Meanwhile::MemoryIsShort] {
        let (mut found, mut missed) = (0, 0);
        for seed in 0..8 {
            for after_steps in 0..STEPS_MAX {
                match run(2 + seed as usize % 2, seed, meanwhile, after_steps) {
                    Some(true) => found += 1,
                    _ => missed += 1,
                }
            }
        }
        assert!(found > 20 && missed > 20, "{meanwhile:?}: {found} have found the keys, {missed} have not");
    }
}
