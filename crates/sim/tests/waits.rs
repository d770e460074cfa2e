//! Clients that wait for many keys of many shards.

use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

const KEYS: usize = 3_000;

fn ask(world: &mut World, client: &mut Client, words: &[String]) {
    client.say(&words.iter().map(|word| word.clone().into_bytes()).collect::<Vec<_>>());
    go_on(world, client, |_| true);
}

/// Until the client has nothing left to send, and has a reply if that is wanted.
fn go_on(world: &mut World, client: &mut Client, is_done: impl Fn(&Client) -> bool) {
    world.note_answer();
    loop {
        let (weather, step) = (*world.weather(), world.steps());
        if client.act(&mut world.kernel(), &weather, step) {
            world.note_answer();
        }
        if client.unsent_len_bytes() == 0 && is_done(client) {
            return;
        }
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
}

fn reply(world: &mut World, client: &mut Client) -> String {
    go_on(world, client, |client| !client.replies.is_empty());
    String::from_utf8(client.replies.pop_front().expect("a reply")).expect("text")
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// BLPOP of all keys, without end.
fn blpop_all() -> Vec<String> {
    let keys = (0..KEYS).map(|number| format!("key:{number}"));
    ["BLPOP".to_owned()].into_iter().chain(keys).chain(["0".to_owned()]).collect()
}

#[test]
fn many_keys_of_many_shards_take_few_messages() {
    for shards in [1, 2, 3, 5] {
        let mut world = World::new(shards, Weather::calm(), false, 7);
        let mut waiter = Client::new(world.kernel().connect(0), 1);
        let mut other = Client::new(world.kernel().connect(shards - 1), 2);
        // Several hold something: the first in the order of the command is it, wherever it is.
        for key in [2_500, 1_234, 2_999, 1_235] {
            ask(&mut world, &mut other, &words(&format!("RPUSH key:{key} of-{key}")));
            assert_eq!(reply(&mut world, &mut other), ":1\r\n");
        }
        let before = world.shared().counters().forwarded;
        for key in [1_234, 1_235, 2_500, 2_999] {
            ask(&mut world, &mut waiter, &blpop_all());
            let expected = format!("*2\r\n$8\r\nkey:{key}\r\n$7\r\nof-{key}\r\n");
            assert_eq!(reply(&mut world, &mut waiter), expected);
        }
        world.settle();
        let forwarded = world.shared().counters().forwarded - before;
        assert!(forwarded <= 4 * 2 * shards as u64, "{forwarded} messages on {shards} shards");
        // Nothing is there any more: it waits for all of them, and is served once.
        for key in [2_000, 3, 2_998] {
            ask(&mut world, &mut waiter, &blpop_all());
            world.settle();
            assert!(waiter.replies.is_empty());
            ask(&mut world, &mut other, &words(&format!("RPUSH key:{key} a b")));
            let len = reply(&mut world, &mut other);
            let popped = reply(&mut world, &mut waiter);
            let name = format!("key:{key}");
            assert_eq!(
                (len.as_str(), popped),
                (":2\r\n", format!("*2\r\n${}\r\n{name}\r\n$1\r\na\r\n", name.len()))
            );
            ask(&mut world, &mut other, &words(&format!("LPOP key:{key}")));
            assert_eq!(reply(&mut world, &mut other), "$1\r\nb\r\n");
        }
        // Whoever goes away waits no more.
        ask(&mut world, &mut waiter, &blpop_all());
        world.settle();
        world.kernel().end(waiter.socket, false);
        world.settle();
        ask(&mut world, &mut other, &words("RPUSH key:17 x"));
        assert_eq!(reply(&mut world, &mut other), ":1\r\n");
        ask(&mut world, &mut other, &words("LLEN key:17"));
        assert_eq!(reply(&mut world, &mut other), ":1\r\n");
        world.kernel().end(other.socket, false);
        world.check_empty();
        world.shut_down();
    }
}
