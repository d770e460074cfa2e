//! A large value that somebody is in the middle of reading is kept for him in steps, whatever changes it.

use std::fmt::Write as _;
use tessera_routing::SlotTable;
use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

const SHARDS: usize = 2;
const ELEMENTS: usize = 600;
const ELEMENT_LEN_BYTES: usize = 2_000;
/// Less than the list takes; what is smaller may be copied at once.
const AT_ONCE_MAX_BYTES: usize = 256 * 1024;

fn say(client: &mut Client, words: &[&str]) {
    client.say(&words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
}

fn go_on(world: &mut World, clients: &mut [&mut Client]) {
    let (weather, step) = (*world.weather(), world.steps());
    for client in clients {
        client.act(&mut world.kernel(), &weather, step);
    }
    world.note_answer();
    if world.step() == Step::Idle {
        world.sleep();
    }
}

fn ask(world: &mut World, client: &mut Client, words: &[&str]) -> Vec<u8> {
    say(client, words);
    loop {
        if let Some(reply) = client.replies.pop_front() {
            return reply;
        }
        go_on(world, &mut [client]);
    }
}

/// A name on this shard.
fn name(shard: usize, prefix: &str) -> String {
    let table = SlotTable::even(SHARDS as u16);
    let mut names = (0..100).map(|number| format!("{prefix}:{number}"));
    names.find(|name| usize::from(table.owner_of(name.as_bytes())) == shard).expect("some are")
}

fn element(number: usize) -> String {
    format!("{number:0>ELEMENT_LEN_BYTES$}")
}

/// A client has asked for a long list, of this many elements, and does not read.
struct Reading {
    world: World,
    reader: Client,
    /// Of that node, and of the other one.
    clients: [Client; 2],
    elements: Vec<String>,
    /// The list, another key beside it, and one on the other shard.
    names: [String; 3],
}

impl Reading {
    fn begin(home: usize) -> Reading {
        let mut world = World::new(SHARDS, Weather::calm(), false, 3);
        let names = [name(0, "list"), name(0, "near"), name(1, "far")];
        let mut client = Client::new(world.kernel().connect(home), 1);
        let other = Client::new(world.kernel().connect(1 - home), 2);
        let mut reader = Client::new(world.kernel().connect(1 - home), 3);
        let elements: Vec<String> = (0..ELEMENTS).map(element).collect();
        let mut push = vec!["RPUSH", &names[0]];
        push.extend(elements.iter().map(String::as_str));
        ask(&mut world, &mut client, &push);
        ask(&mut world, &mut client, &["RPUSH", &names[2], "far"]);
        say(&mut reader, &["LRANGE", &names[0], "0", "-1"]);
        while world.kernel().readable_len_bytes(reader.socket) == 0 {
            // It writes, and reads nothing.
            if reader.unsent_len_bytes() > 0 {
                let (weather, step) = (*world.weather(), world.steps());
                reader.act(&mut world.kernel(), &weather, step);
            }
            go_on(&mut world, &mut []);
        }
        Reading { world, reader, clients: [client, other], elements, names }
    }
}

/// Somebody is reading a long list, and another sends `command`, and a third `later`, if there is any. `command` may be
/// several with `; ` between them, of which the last one's reply is as expected. In the commands `L` is the list, `N`
/// another one beside it, `F` one on the other shard.
fn change_while_read(home: usize, command: &str, later: Option<&str>, expected: &str) {
    let Reading { mut world, mut reader, clients: [mut client, mut other], elements, names } =
        Reading::begin(home);
    let [list, near, far] = names;
    let words = |command: &str| -> Vec<String> {
        let names = |word: &str| match word {
            "L" => list.clone(),
            "N" => near.clone(),
            "F" => far.clone(),
            word => word.to_owned(),
        };
        command.split(' ').map(names).collect()
    };
    for one in command.split("; ") {
        let one = words(one);
        say(&mut client, &one.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let last = command.split("; ").count() - 1;
    if let Some(later) = later {
        (0..200).for_each(|_| go_on(&mut world, &mut [&mut client]));
        assert!(client.replies.is_empty(), "{command} was to wait");
        let later_words = words(later);
        ask(&mut world, &mut other, &later_words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    while client.replies.len() <= last {
        go_on(&mut world, &mut [&mut client]);
    }
    let reply = String::from_utf8_lossy(&client.replies[last]).into_owned();
    assert!(reply.contains(expected), "{command}: {}", &reply[..reply.len().min(100)]);
    while reader.replies.is_empty() {
        go_on(&mut world, &mut [&mut reader]);
    }
    let mut whole = format!("*{ELEMENTS}\r\n");
    elements.iter().for_each(|element| write!(whole, "${ELEMENT_LEN_BYTES}\r\n{element}\r\n").unwrap());
    assert!(reader.replies[0] == whole.as_bytes(), "{command} has changed what was being read");
    for shard in world.shards() {
        let copied_bytes = shard.copied_at_once_max_bytes();
        assert!(copied_bytes <= AT_ONCE_MAX_BYTES, "{command}, home {home}: {copied_bytes} bytes in one go");
    }
    for socket in [client.socket, other.socket, reader.socket] {
        world.kernel().end(socket, false);
    }
    world.check_empty();
    world.shut_down();
}

#[test]
fn steps_over_shards_wait_until_it_is_kept() {
    let first = element(0);
    for home in 0..SHARDS {
        change_while_read(home, "RENAME L F", None, "+OK");
        change_while_read(home, "LMOVE L F LEFT RIGHT", None, &first);
        change_while_read(home, "LMOVE F L LEFT RIGHT", None, "far");
        change_while_read(home, "LMPOP 2 L F LEFT", None, &first);
        change_while_read(home, "COPY F L REPLACE", None, ":1");
        change_while_read(home, "MOVE L 1", None, ":1");
    }
}

#[test]
fn blocking_commands_wait_until_it_is_kept() {
    let first = element(0);
    for home in 0..SHARDS {
        for command in ["BLPOP L F 0", "BRPOP L 0", "BLMPOP 0 2 L F LEFT", "BLMOVE L N LEFT RIGHT 0"] {
            change_while_read(home, command, None, if command.contains("BRPOP") { "599" } else { &first });
        }
        change_while_read(home, "BLMOVE L F LEFT RIGHT 0", None, &first);
        change_while_read(home, "BLMOVE F L LEFT RIGHT 0", None, "far");
        // Who is woken takes it from one list to the other.
        change_while_read(home, "BLMOVE N L LEFT RIGHT 0", Some("RPUSH N pushed"), "pushed");
    }
}

#[test]
fn commands_of_a_transaction_wait_until_it_is_kept_and_keep_their_order() {
    for home in 0..SHARDS {
        for (queued, expected) in [
            // Each shard does its own by itself.
            ("LSET L 0 new; RPUSH F x; LINDEX L 0; LLEN F", "*4\r\n+OK\r\n:2\r\n$3\r\nnew\r\n:2\r\n"),
            // One after the other, and those behind need not wait by themselves.
            ("LSET L 0 new; RPUSH F x; PING; LINDEX L 0", "*4\r\n+OK\r\n:2\r\n+PONG\r\n$3\r\nnew\r\n"),
            (
                "PING; RPUSH F x; LSET L 0 new; LINDEX L 0; LPUSH L a; LLEN L",
                "\r\n$3\r\nnew\r\n:601\r\n:601\r\n",
            ),
            ("LSET L 0 new; LMOVE L F LEFT LEFT; LINDEX F 0", "*3\r\n+OK\r\n$3\r\nnew\r\n$3\r\nnew\r\n"),
            ("BLPOP N F L 0; BLPOP N L 0; LLEN L", "\r\n:599\r\n"),
        ] {
            change_while_read(home, &format!("MULTI; {queued}; EXEC"), None, expected);
        }
        change_while_read(
            home,
            "WATCH L F; MULTI; LSET L 0 new; PING; LINDEX L 0; EXEC",
            None,
            "$3\r\nnew\r\n",
        );
    }
}
