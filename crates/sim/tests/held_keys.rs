//! Blocking commands beside those that hold keys of several shards.

use tessera_sim::client::Client;
use tessera_sim::script::{self, Action, Check};
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

fn script(commands: &[&str]) -> Vec<Action> {
    let action = |command: &&str| Action::call(&command.split(' ').collect::<Vec<_>>(), Check::Exact);
    commands.iter().map(action).collect()
}

/// A list is renamed to a name that was found free, while a client moves an element there from another list of the same
/// shard. Whichever comes first, both elements are left.
fn move_beside_renaming(shards: usize, seed: u64, waits_first: bool) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    for round in 0..20 {
        let from = format!("from:{round}");
        let pushing = format!("RPUSH {{to}}source:{round} moved");
        let moving = format!("BLMOVE {{to}}source:{round} to LEFT RIGHT 0");
        let renaming = format!("RENAMENX {from} to");
        let setting = format!("RPUSH {from} renamed");
        let clients = if waits_first {
            script::play(&mut world, &[script(&["DEL to", &setting])], 1, random.u64(..));
            vec![script(&[&moving]), script(&[&renaming]), script(&[&pushing])]
        } else {
            script::play(&mut world, &[script(&["DEL to", &setting, &pushing])], 1, random.u64(..));
            vec![script(&[&moving]), script(&[&renaming])]
        };
        script::play(&mut world, &clients, 1, random.u64(..));
        let questions = [format!("LLEN {from}"), "LLEN to".to_owned()];
        let questions: Vec<&str> = questions.iter().map(String::as_str).collect();
        let left = script::play(&mut world, &[script(&questions)], 1, random.u64(..)).remove(0);
        let left: Vec<_> = left.iter().map(|reply| String::from_utf8_lossy(reply)).collect();
        assert!(left == [":0\r\n", ":2\r\n"] || left == [":1\r\n", ":1\r\n"], "{shards}, {seed}: {left:?}");
    }
    world.shut_down();
}

#[test]
fn nothing_is_put_at_a_key_that_somebody_holds() {
    for shards in [2, 3] {
        for seed in 1..8 {
            move_beside_renaming(shards, seed, false);
            move_beside_renaming(shards, seed, true);
        }
    }
}

/// Clients that want an element of the same list moved to other shards, one of them where it cannot go, while the list
/// is replaced by something else: whoever finds nothing to move is told what is there, and does not wait for a list, as
/// there always was something.
fn move_beside_replacing(shards: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    for round in 0..20 {
        // Wherever they are.
        let [list, text, target] = ["list", "text", "target"].map(|name| format!("{name}:{round}"));
        let set_up = [format!("RPUSH {list} first second third"), format!("SET {text} text")];
        let set_up: Vec<&str> = set_up.iter().map(String::as_str).collect();
        script::play(&mut world, &[script(&set_up)], 1, random.u64(..));
        let moves = [
            format!("BLMOVE {list} {text} LEFT RIGHT 0.01"),
            format!("BLMOVE {list} {target} LEFT RIGHT 0.01"),
        ];
        let replacing = format!("COPY {text} {list} REPLACE");
        let clients =
            [script(&[&moves[0]]), script(&[&moves[1]]), script(&[&moves[1]]), script(&[&replacing])];
        let replies = script::play(&mut world, &clients, 1, random.u64(..));
        for of_client in &replies[..3] {
            let reply = String::from_utf8_lossy(&of_client[0]);
            assert!(!reply.starts_with("*-1"), "{shards} shards, seed {seed}, round {round}: waited in vain");
        }
    }
    world.shut_down();
}

#[test]
fn nobody_waits_for_a_list_who_found_something_else() {
    for shards in [2, 3, 5] {
        for seed in 1..12 {
            move_beside_replacing(shards, seed);
        }
    }
}

fn say(client: &mut Client, line: &str) {
    client.say(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

/// Many clients read the same keys in transactions over all shards, one behind the other, so that some of them always
/// hold these keys; another changes them. How many steps that took, at most.
fn change_beside_readers(shards: usize, seed: u64, change: &str) -> u64 {
    const STEPS_MAX: u64 = 30_000;
    const READERS: usize = 24;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::calm(), false, random.u64(..));
    let mut readers: Vec<Client> = (0..READERS)
        .map(|number| Client::new(world.kernel().connect(number % shards), random.u64(..)))
        .collect();
    let mut writer = Client::new(world.kernel().connect(random.usize(..shards)), random.u64(..));
    let (mut longest, mut since, mut done) = (0, 0, 0);
    while done < 10 {
        for (number, reader) in readers.iter_mut().enumerate() {
            // Each has two transactions under way, or more.
            while reader.replies.len() % 7 == 0 && reader.unsent_len_bytes() == 0 {
                reader.replies.clear();
                let own = format!("INCR own:{number}:1; INCR own:{number}:2; INCR own:{number}:3");
                let lines = format!("MULTI; MGET a b c d; {own}; PING; EXEC");
                (0..2).for_each(|_| lines.split("; ").for_each(|line| say(reader, line)));
            }
        }
        if writer.replies.pop_front().is_some() || done == 0 && since == 0 {
            longest = longest.max(world.steps() - since);
            since = world.steps();
            done += 1;
            say(&mut writer, change);
        }
        for client in readers.iter_mut().chain([&mut writer]) {
            let (weather, step) = (*world.weather(), world.steps());
            if client.act(&mut world.kernel(), &weather, step) {
                world.note_answer();
            }
        }
        if world.step() == Step::Idle {
            world.sleep();
        }
        assert!(world.steps() - since < STEPS_MAX, "{change} waits for readers without end, {shards} shards");
    }
    for client in readers.iter().chain([&writer]) {
        world.kernel().end(client.socket, true);
    }
    world.check_empty();
    longest
}

#[test]
fn whoever_changes_a_key_has_their_turn_among_those_that_read_it() {
    for change in ["SET a 1", "APPEND b x", "LPUSH list x", "MSET a 1 b 2 c 3"] {
        for shards in [2, 3] {
            let longest = change_beside_readers(shards, 5, change);
            assert!(longest < 120, "{change}, {shards} shards: {longest} steps");
        }
    }
}

/// Commands on several keys of one shard beside transactions over all: nobody waits for each other in a circle.
fn mix(shards: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(shards, Weather::draw(&mut random), false, random.u64(..));
    let mut command = || {
        let mut keys: Vec<String> = (0..8).map(|number| format!("key:{number}")).collect();
        random.shuffle(&mut keys);
        keys.truncate(random.usize(2..5));
        // On one shard, whichever that is.
        let tags: Vec<String> = (0..3).map(|number| format!("{{{}}}{number}", random.u8(..4))).collect();
        match random.u8(..6) {
            0 | 1 => format!("MSET {} v {} w", keys.join(" v "), tags.join(" w ")),
            2 => format!("MGET {}", keys.join(" ")),
            3 => format!("DEL {} {}", keys.join(" "), tags[0]),
            4 => format!("MSET {{0}}0 v {{0}}1 w {{0}}2 x {}", keys.join(" y ") + " y"),
            _ => format!("MGET {{{tag}}}0 {{{tag}}}1 {{{tag}}}2", tag = random.u8(..4)),
        }
    };
    let clients: Vec<Vec<Action>> = (0..10)
        .map(|_| {
            let lines: Vec<String> = (0..40).map(|_| command()).collect();
            let call = |line: &String| Action::call(&line.split(' ').collect::<Vec<_>>(), Check::Kind);
            lines.iter().map(call).collect()
        })
        .collect();
    script::play(&mut world, &clients, 3, seed);
    world.check_empty();
}

#[test]
fn nobody_waits_in_a_circle_with_single_commands() {
    for seed in 0..60 {
        mix([2, 3, 5][seed as usize % 3], seed);
    }
}
