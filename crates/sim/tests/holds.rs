//! Clients that want a key which another holds again and again.

use tessera_routing::SlotTable;
use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

const SHARDS: usize = 2;
/// Copies that are asked for at once.
const COPIES: usize = 1_000;
/// How many of them may come before the answer to a question that was asked meanwhile.
const COPIES_BEFORE_MAX: usize = 20;

fn say(client: &mut Client, words: &[&str]) {
    client.say(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

/// One turn of everybody.
fn go_on(world: &mut World, clients: &mut [&mut Client]) {
    let (weather, step) = (*world.weather(), world.steps());
    for client in clients {
        client.act(&mut world.kernel(), &weather, step);
    }
    // Some wait without end.
    world.note_answer();
    if world.step() == Step::Idle {
        world.sleep();
    }
}

/// A pipeline of commands that hold the key, beside somebody who wants to read it.
fn ask_beside_copies(from: &str, to: &str, asked: &str, homes: [usize; 2]) {
    let mut world = World::new(SHARDS, Weather::calm(), false, 7);
    let [mut greedy, mut modest] = homes.map(|home| Client::new(world.kernel().connect(home), 1));
    say(&mut modest, &["SET", from, "value"]);
    while modest.replies.pop_front().is_none() {
        go_on(&mut world, &mut [&mut modest]);
    }
    for _ in 0..COPIES {
        say(&mut greedy, &["COPY", from, to, "REPLACE"]);
    }
    while greedy.replies.is_empty() {
        go_on(&mut world, &mut [&mut greedy, &mut modest]);
    }
    let before = greedy.replies.len();
    say(&mut modest, &["GET", asked]);
    while modest.replies.is_empty() {
        go_on(&mut world, &mut [&mut greedy, &mut modest]);
    }
    let copies = greedy.replies.len() - before;
    assert!(copies <= COPIES_BEFORE_MAX, "{copies} of COPY {from} {to} before GET {asked}, homes {homes:?}");
    while greedy.replies.len() < COPIES {
        go_on(&mut world, &mut [&mut greedy]);
    }
    assert!(greedy.replies.iter().all(|reply| reply == b":1\r\n"));
    for socket in [greedy.socket, modest.socket] {
        world.kernel().end(socket, false);
    }
    world.check_empty();
    world.shut_down();
}

/// Names of keys, `count` on each shard.
fn keys(count: usize) -> [Vec<String>; SHARDS] {
    let table = SlotTable::even(SHARDS as u16);
    let mut keys = [const { Vec::new() }; SHARDS];
    for name in (0..100).map(|number| format!("key:{number}")) {
        let of_shard: &mut Vec<String> = &mut keys[usize::from(table.owner_of(name.as_bytes()))];
        if of_shard.len() < count {
            of_shard.push(name);
        }
    }
    keys
}

#[test]
fn who_holds_a_key_again_and_again_keeps_nobody_from_it() {
    let [here, there] = keys(1);
    for homes in [[0, 0], [0, 1], [1, 0], [1, 1]] {
        for asked in [&here[0], &there[0]] {
            ask_beside_copies(&here[0], &there[0], asked, homes);
        }
    }
}

/// Two clients wait for a list whose elements come together; the first moves one to another shard. A third renames the
/// list `delay` turns after they came.
fn rename_beside_waiters(delay: usize, homes: [usize; 3]) {
    let [here, there] = keys(2);
    let (list, target, renamed) = (here[0].as_str(), there[0].as_str(), there[1].as_str());
    let mut world = World::new(SHARDS, Weather::calm(), false, delay as u64);
    let [mut mover, mut popper, mut other] = homes.map(|home| Client::new(world.kernel().connect(home), 1));
    let mut pusher = Client::new(world.kernel().connect(0), 1);
    for (client, words) in [
        (&mut mover, ["BLMOVE", list, target, "LEFT", "RIGHT", "0"].as_slice()),
        (&mut popper, &["BLPOP", list, "0"]),
    ] {
        say(client, words);
        (0..40).for_each(|_| go_on(&mut world, &mut [client]));
    }
    say(&mut pusher, &["RPUSH", list, "first", "second"]);
    for _ in 0..delay {
        go_on(&mut world, &mut [&mut pusher, &mut mover, &mut popper]);
    }
    say(&mut other, &["RENAME", list, renamed]);
    while other.replies.is_empty() {
        go_on(&mut world, &mut [&mut pusher, &mut mover, &mut popper, &mut other]);
    }
    (0..40).for_each(|_| go_on(&mut world, &mut [&mut mover, &mut popper]));
    say(&mut other, &["EXISTS", renamed]);
    while other.replies.len() < 2 {
        go_on(&mut world, &mut [&mut other]);
    }
    // Nobody can have taken anything from there.
    let (is_renamed, is_there) = (other.replies[0] == b"+OK\r\n", other.replies[1] == b":1\r\n");
    assert_eq!(is_renamed, is_there, "{delay} turns, homes {homes:?}");
    for socket in [mover.socket, popper.socket, other.socket, pusher.socket] {
        world.kernel().end(socket, false);
    }
    world.check_empty();
    world.shut_down();
}

#[test]
fn nobody_is_served_from_a_key_that_is_held() {
    for delay in 0..40 {
        for homes in 0..8 {
            rename_beside_waiters(delay, [homes & 1, homes >> 1 & 1, homes >> 2]);
        }
    }
}
