//! Clients that wait for many keys of many shards.

use tessera_config::{ByteCount, Config, MaxMemoryPolicy};
use tessera_routing::SlotTable;
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

/// A key of each shard.
fn key_of_each(shards: usize) -> Vec<String> {
    let table = SlotTable::even(shards as u16);
    let of = |shard| {
        let mut names = (0..100).map(|number| format!("key:{number}"));
        names.find(|name| usize::from(table.owner_of(name.as_bytes())) == shard).expect("one of many")
    };
    (0..shards).map(of).collect()
}

/// What somebody waits for comes, and goes again for want of memory before it is taken.
#[test]
fn who_waits_without_end_is_never_told_that_time_is_up() {
    for (shards, line) in [
        (1, "BLPOP 0 0"),
        (1, "BLMOVE 0 other LEFT RIGHT 0"),
        (2, "BLPOP 0 0"),
        (2, "BLPOP 1 0"),
        (2, "BRPOPLPUSH 0 1 0"),
        (2, "BRPOPLPUSH 1 0 0"),
        (2, "BRPOPLPUSH 1 1 0"),
    ] {
        let config = Config {
            max_memory: ByteCount(20_000),
            max_memory_policy: MaxMemoryPolicy::AllKeysRandom,
            ..World::config()
        };
        let keys = key_of_each(shards);
        let mut world = World::with_config(shards, Weather::calm(), false, 7, config);
        let mut waiter = Client::new(world.kernel().connect(0), 1);
        let mut other = Client::new(world.kernel().connect(shards - 1), 2);
        let mut waits = words(line);
        let last = waits.len() - 1;
        for word in &mut waits[1..last] {
            if let Some(key) = word.parse().ok().and_then(|number: usize| keys.get(number)) {
                word.clone_from(key);
            }
        }
        ask(&mut world, &mut waiter, &waits);
        world.settle();
        ask(&mut world, &mut other, &["RPUSH".to_owned(), waits[1].clone(), "x".repeat(30_000)]);
        assert_eq!(reply(&mut world, &mut other), ":1\r\n");
        world.settle();
        go_on(&mut world, &mut waiter, |_| true);
        let told = waiter.replies.pop_front();
        assert!(
            told.as_ref().is_none_or(|told| told.len() > 30_000),
            "{line} on {shards} shards: {}",
            told.unwrap_or_default().escape_ascii()
        );
        for socket in [waiter.socket, other.socket] {
            world.kernel().end(socket, false);
        }
        world.check_empty();
        world.shut_down();
    }
}

/// As in Redis.
#[test]
fn what_was_waited_for_is_written_down_before_who_waited() {
    let mut world = World::new(1, Weather::calm(), false, 7);
    let [mut waiter, mut other] = [1, 2].map(|seed| Client::new(world.kernel().connect(0), seed));
    ask(&mut world, &mut other, &words("CONFIG SET slowlog-log-slower-than 0"));
    assert_eq!(reply(&mut world, &mut other), "+OK\r\n");
    for (waits, brings) in [
        ("BLPOP list 0", "RPUSH list a"),
        ("BLMOVE list other LEFT RIGHT 0", "RPUSH list a"),
        ("BZPOPMIN zset 0", "ZADD zset 1 a"),
        ("BLPOP list 0", "LMOVE other list LEFT RIGHT"),
    ] {
        ask(&mut world, &mut waiter, &words(waits));
        world.settle();
        ask(&mut world, &mut other, &words(brings));
        reply(&mut world, &mut waiter);
        reply(&mut world, &mut other);
        ask(&mut world, &mut other, &words("SLOWLOG GET 2"));
        let told = reply(&mut world, &mut other);
        // The last comes first.
        let place = |line: &str| told.find(line.split(' ').next().unwrap_or_default());
        assert!(place(waits) < place(brings) && place(waits).is_some(), "{waits}, {brings}: {told:?}");
    }
    for socket in [waiter.socket, other.socket] {
        world.kernel().end(socket, false);
    }
    world.check_empty();
    world.shut_down();
}
