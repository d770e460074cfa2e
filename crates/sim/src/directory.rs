//! The data directory: what a start refuses to load, and that nobody is served or anything changed then; that a second
//! server stays out; that nothing is removed before there is something in its place.

use crate::client::Client;
use crate::kernel::Sights;
use crate::snapshots::{contents, read};
use crate::storage::{DiskWeather, Storage};
use crate::weather::Weather;
use crate::world::{Step, World};
use std::collections::BTreeMap;
use tessera_config::{Access, Config, SavePoint, SavePoints};
use tessera_storage::checksum::crc64;
use tessera_storage::manifest::Manifest;
use tessera_storage::rdb::{put_end, put_header};

/// Keys in the snapshot that a start is to load.
const KEYS: usize = 60;
const MANIFEST: &str = "/data/dump.manifest";

type Contents = BTreeMap<String, Vec<u8>>;

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    match random.u8(..5) {
        0 => a_start_that_fails(shards, &mut random),
        1 => a_second_server(shards, &mut random),
        2 => leftovers_wait(shards, &mut random),
        3 => files_that_vanish(shards, &mut random),
        _ => a_removal_is_saved(shards, &mut random),
    }
}

/// A server with one client.
struct Table {
    world: World,
    client: Client,
}

impl Table {
    fn new(world: World, random: &mut fastrand::Rng) -> Table {
        let node = random.usize(..world.nodes());
        let client = Client::new(world.kernel().connect(node), random.u64(..));
        Table { world, client }
    }

    fn step(&mut self) {
        let (weather, step) = (*self.world.weather(), self.world.steps());
        if self.client.act(&mut self.world.kernel(), &weather, step) {
            self.world.note_answer();
        }
        if self.world.step() == Step::Idle {
            self.world.sleep();
        }
    }

    fn say(&mut self, command: &str) {
        let words: Vec<Vec<u8>> = command.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        self.client.say(&words);
    }

    fn ask(&mut self, command: &str) -> String {
        self.say(command);
        loop {
            if let Some(reply) = self.client.replies.pop_front() {
                return String::from_utf8_lossy(&reply).trim_end().to_owned();
            }
            self.step();
        }
    }

    fn contents(&self) -> Contents {
        contents(&self.world.disk())
    }

    /// What is there is a whole set, and is told.
    fn saved(&self) -> BTreeMap<String, String> {
        read(&self.contents()).expect("a set is whole").texts
    }

    fn set_keys(&mut self, value: &str) {
        for key in 0..KEYS {
            assert_eq!(self.ask(&format!("SET key:{key} {value}:{key}")), "+OK");
        }
    }
}

/// The configuration of a server that would save as soon as it could.
fn eager() -> Config {
    let point = SavePoint { seconds: 1, changes: 1 };
    Config { save: SavePoints::of(vec![point]), ..World::config() }
}

/// A directory with a snapshot.
fn saved(shards: usize, random: &mut fastrand::Rng) -> Storage {
    let world = World::new(shards, Weather::draw(random), false, random.u64(..));
    let mut table = Table::new(world, random);
    table.set_keys("old");
    assert_eq!(table.ask("SAVE"), "+OK");
    table.world.settle();
    table.world.into_disk()
}

/// Puts something wrong into the directory. What the server must say of it.
fn damage(storage: &mut Storage, random: &mut fastrand::Rng) -> &'static str {
    let manifest = Manifest::decode(storage.contents(MANIFEST).unwrap()).unwrap();
    let filled: Vec<_> = manifest.files.iter().filter(|file| file.keys > 0).collect();
    let file = filled[random.usize(..filled.len())];
    let path = format!("/data/{}", file.name);
    let mut bytes = storage.contents(&path).unwrap().to_vec();
    match random.u8(..9) {
        // It is a good file, only not that of this snapshot.
        0..3 => {
            let at = bytes.windows(4).rposition(|window| window == b"old:").expect("a value is there");
            bytes[at] ^= 1;
            let body_end = bytes.len() - 8;
            let checksum = if random.bool() { crc64(&bytes[..body_end]) } else { 0 };
            bytes[body_end..].copy_from_slice(&checksum.to_le_bytes());
            storage.put(&path, bytes);
            "not those that its manifest was made for"
        }
        3 => {
            bytes.pop();
            storage.put(&path, bytes);
            "incomplete"
        }
        4 => {
            storage.remove(&path);
            "is missing"
        }
        5 => {
            storage.remove(MANIFEST);
            "no dump.manifest"
        }
        6 => {
            let path = [MANIFEST, &path][random.usize(..2)].to_owned();
            storage.remove(&path);
            storage.make_directory(&path);
            "not a regular file"
        }
        7 => {
            manifest.files.iter().for_each(|file| storage.remove(&format!("/data/{}", file.name)));
            storage.remove(MANIFEST);
            storage.make_directory("/data/appendonlydir");
            "appendonly"
        }
        _ => {
            let mut plain = Vec::new();
            put_header(&mut plain, 10, &[]);
            let begin = file.body_offset_bytes as usize;
            for _ in 0..2 {
                plain.extend_from_slice(&bytes[begin..begin + file.body_len_bytes as usize]);
            }
            put_end(&mut plain);
            plain.extend([0; 8]);
            manifest.files.iter().for_each(|file| storage.remove(&format!("/data/{}", file.name)));
            storage.remove(MANIFEST);
            storage.put("/data/dump.rdb", plain);
            "there twice"
        }
    }
}

fn a_start_that_fails(shards: usize, random: &mut fastrand::Rng) -> Sights {
    let mut storage = saved(random.usize(1..6), random);
    let expected = damage(&mut storage, random);
    let before = contents(&storage);
    let mut config = eager();
    config.rdb_checksum = random.bool();
    let seed = random.u64(..);
    let world = World::on_disk(shards, Weather::draw(random), false, seed, config, storage);
    let slow = DiskWeather::slow(random);
    world.disk().set_weather(slow);
    let mut table = Table::new(world, random);
    let commands = ["SET key:1 new", "SAVE", "GET key:1", "BGSAVE", "FLUSHALL", "DBSIZE", "DEL key:2"];
    while !table.world.has_ended() {
        if table.client.unsent_len_bytes() == 0 {
            table.say(commands[random.usize(..commands.len())]);
        }
        table.step();
        for reply in table.client.replies.drain(..) {
            assert!(reply.starts_with(b"-LOADING "), "{}", reply.escape_ascii());
        }
    }
    let failure = table.world.shared().loading.failure().expect("loading has failed");
    assert!(failure.contains(expected), "{failure} instead of {expected}");
    assert!(table.contents() == before, "a start that fails changes nothing");
    table.world.kernel().sights()
}

fn a_second_server(shards: usize, random: &mut fastrand::Rng) -> Sights {
    let open = || Config { enable_protected_configs: Access::Yes, ..World::config() };
    let world = World::with_config(shards, Weather::draw(random), false, random.u64(..), open());
    let slow = DiskWeather::slow(random);
    world.disk().set_weather(slow);
    world.disk().make_directory("/elsewhere");
    let mut table = Table::new(world, random);
    table.set_keys("old");
    table.say("SAVE");
    let comes_at = table.world.steps() + random.u64(..4_000);
    let mut has_come = false;
    while table.client.replies.is_empty() || !has_come {
        table.step();
        if !has_come && (table.world.steps() >= comes_at || !table.client.replies.is_empty()) {
            has_come = true;
            let second = table.world.beside(2, Weather::calm(), random.u64(..), eager());
            assert!(second.is_err(), "a second server starts in a directory that is in use");
        }
    }
    table.client.replies.clear();
    assert_eq!(table.saved().len(), KEYS);
    // It may be anywhere else, and neither may follow the other.
    let config = Config { dir: "/elsewhere".into(), ..open() };
    let second = table.world.beside(2, Weather::calm(), random.u64(..), config).expect("a place of its own");
    let mut second = Table::new(second, random);
    for (follower, command) in
        [(&mut second, "CONFIG SET dir /data"), (&mut table, "CONFIG SET dir /elsewhere")]
    {
        let reply = follower.ask(command);
        assert!(reply.ends_with("another server uses the directory"), "{reply}");
    }
    assert_eq!(second.ask("SET other 1"), "+OK");
    assert_eq!(second.ask("SAVE"), "+OK");
    // When the first is gone, its directory is free.
    table.world.shut_down();
    let sights = table.world.kernel().sights();
    drop(table);
    assert_eq!(second.ask("CONFIG SET dir /data"), "+OK");
    assert_eq!(second.ask("SAVE"), "+OK");
    assert_eq!(second.saved().len(), 1);
    second.world.shut_down();
    sights
}

/// What an earlier server left is removed when there is something better, and not before.
fn leftovers_wait(shards: usize, random: &mut fastrand::Rng) -> Sights {
    let mut storage = saved(random.usize(1..6), random);
    let names =
        ["dump-epoch1-shard9.rdb", "dump-epoch7-shard0.rdb", "dump.rdb.tmp", "dump-epoch7.unfinished"];
    for name in names {
        storage.put(&format!("/data/{name}"), b"left".to_vec());
    }
    let mut old = Vec::new();
    put_header(&mut old, 10, &[(b"ctime", b"1")]);
    put_end(&mut old);
    old.extend([0; 8]);
    storage.put("/data/dump.rdb", old.clone());
    let before = contents(&storage);
    let mut config = World::config();
    config.snapshot_merged = random.bool();
    let is_merged = config.snapshot_merged;
    let world = World::on_disk(shards, Weather::draw(random), false, random.u64(..), config, storage);
    let mut table = Table::new(world, random);
    while table.ask("PING").starts_with("-LOADING ") {}
    assert_eq!(table.ask("DBSIZE"), format!(":{KEYS}"));
    table.set_keys("new");
    assert!(table.contents() == before, "a start changes nothing");
    let calm = *table.world.disk().weather();
    table.world.disk().set_weather(DiskWeather { sync_fails: 100, ..calm });
    assert!(table.ask("SAVE").starts_with("-ERR"));
    let mut after = table.contents();
    // The temporary file is written anew each time.
    after.entry("/data/dump.rdb.tmp".to_owned()).or_insert_with(|| b"left".to_vec());
    assert!(after == before, "a snapshot that fails changes nothing: {:?}", after.keys());
    table.world.disk().set_weather(calm);
    assert_eq!(table.ask("SAVE"), "+OK");
    let after = table.contents();
    let expected = if is_merged { 1 } else { shards + 2 };
    assert_eq!(after.len(), expected, "what is not needed goes: {:?}", after.keys());
    if !is_merged {
        assert!(after["/data/dump.rdb.replaced"] == old, "what was not written here is kept");
    }
    assert_eq!(table.saved()["key:3"], "new:3");
    table.world.shut_down();
    table.world.kernel().sights()
}

/// Somebody removes what is being written: the set before must not go with it.
fn files_that_vanish(shards: usize, random: &mut fastrand::Rng) -> Sights {
    let storage = saved(random.usize(1..6), random);
    let mut config = World::config();
    config.snapshot_merged = random.bool();
    let world = World::on_disk(shards, Weather::draw(random), false, random.u64(..), config, storage);
    let mut table = Table::new(world, random);
    while table.ask("PING").starts_with("-LOADING ") {}
    table.set_keys("new");
    let slow = DiskWeather::slow(random);
    table.world.disk().set_weather(slow);
    table.say("SAVE");
    let victim = format!("/data/dump-epoch2-shard{}.rdb", random.usize(..shards));
    let mut is_gone_in_time = false;
    while table.client.replies.is_empty() {
        table.step();
        let now = table.contents();
        if now.contains_key(&victim) && !now.keys().any(|path| path.ends_with(".tmp")) && random.u8(..4) == 0
        {
            is_gone_in_time |= now.contains_key(MANIFEST)
                && Manifest::decode(&now[MANIFEST]).is_ok_and(|manifest| manifest.epoch == 1);
            table.world.disk().remove(&victim);
        }
    }
    if is_gone_in_time {
        let reply = table.client.replies.pop_front().unwrap();
        assert!(reply.starts_with(b"-ERR"), "{}", reply.escape_ascii());
        assert_eq!(table.saved()["key:3"], "old:3");
    } else {
        table.client.replies.clear();
    }
    assert_eq!(table.ask("SAVE"), "+OK");
    assert_eq!(table.saved()["key:3"], "new:3");
    table.world.shut_down();
    table.world.kernel().sights()
}

/// With save points FLUSHALL is answered when what it removed cannot come back.
fn a_removal_is_saved(shards: usize, random: &mut fastrand::Rng) -> Sights {
    let point = SavePoint { seconds: 100_000, changes: 1_000_000 };
    let config = Config { save: SavePoints::of(vec![point]), ..World::config() };
    let world = World::with_config(shards, Weather::draw(random), false, random.u64(..), config);
    let mut table = Table::new(world, random);
    let slow = DiskWeather::slow(random);
    table.world.disk().set_weather(slow);
    table.set_keys("old");
    assert_eq!(table.ask("SAVE"), "+OK");
    assert_eq!(table.ask("SET key:0 more"), "+OK");
    if random.bool() {
        // One that is under way when the keys go.
        assert_eq!(table.ask("BGSAVE"), "+Background saving started");
        (0..random.u64(..500)).for_each(|_| table.step());
    }
    if random.u8(..4) == 0 {
        let trouble = DiskWeather { open_fails: 100, ..slow };
        table.world.disk().set_weather(trouble);
        assert_eq!(table.ask("FLUSHALL"), "+OK", "the keys are gone all the same");
        assert_eq!(table.ask("DBSIZE"), ":0");
        table.world.disk().set_weather(slow);
        // Writes are refused until one succeeds.
        assert_eq!(table.ask("SAVE"), "+OK");
    }
    assert_eq!(table.ask("FLUSHALL"), "+OK");
    assert!(table.ask("INFO persistence").contains("rdb_changes_since_last_save:0\r\n"));
    let sights = table.world.kernel().sights();
    let storage = table.world.crash();
    let saved = read(&contents(&storage)).expect("a set is whole");
    assert_eq!(saved.texts, BTreeMap::new());
    sights
}
