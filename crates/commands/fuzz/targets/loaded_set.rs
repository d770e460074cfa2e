//! Whatever lies in the data directory, a server that starts there loads it or says why not, and changes nothing then.
//! What it has loaded it can save and load again, with any number of shards.
//!
//! The input is some RDB bodies. They become the one file, or the files of a set; their manifest is right, but for what
//! the input changes in it.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use tessera_sim::World;
use tessera_sim::client::Client;
use tessera_sim::storage::Storage;
use tessera_sim::weather::Weather;
use tessera_sim::world::Step;
use tessera_storage::checksum::crc64;
use tessera_storage::manifest::{Manifest, ShardFile};
use tessera_storage::rdb::{DecodeOptions, Decoder, Item};

const FILES_MAX: usize = 3;
const CHECKSUM_LEN_BYTES: usize = 8;

type Contents = BTreeMap<String, Vec<u8>>;

/// A file with this between header and end.
fn file(body: &[u8]) -> Vec<u8> {
    let mut file = [b"REDIS0012", body, b"\xff"].concat();
    file.extend_from_slice(&crc64(&file).to_le_bytes());
    file
}

/// How many keys a file has, as far as it can be read.
fn keys(file: &[u8]) -> u64 {
    let mut decoder = Decoder::new(DecodeOptions::default());
    decoder.feed(file);
    let mut keys = 0;
    while let Ok(Some(item)) = decoder.next() {
        keys += u64::from(matches!(item, Item::Entry(_)));
    }
    keys
}

fn manifest(files: &[Vec<u8>]) -> Manifest {
    let describe = |(shard, bytes): (usize, &Vec<u8>)| ShardFile {
        name: format!("dump-epoch1-shard{shard}.rdb"),
        len_bytes: bytes.len() as u64,
        crc64: crc64(&bytes[..bytes.len() - CHECKSUM_LEN_BYTES]),
        body_offset_bytes: 9,
        body_len_bytes: (bytes.len() - 9 - 1 - CHECKSUM_LEN_BYTES) as u64,
        keys: keys(bytes),
        rdb_version: 12,
        slots: Vec::new(),
    };
    Manifest { epoch: 1, cut_unix_ms: 1, files: files.iter().enumerate().map(describe).collect() }
}

/// The text of a manifest with some bytes replaced, and the checksum that makes it good.
fn changed(manifest: &Manifest, changes: &[u8]) -> Vec<u8> {
    let mut text = manifest.to_string().into_bytes();
    for change in changes.chunks_exact(2) {
        let at = usize::from(change[0]) * text.len() / 256;
        text[at] = change[1];
    }
    let checksum = crc64(&text);
    text.extend_from_slice(format!("end {checksum:016x}\n").as_bytes());
    text
}

fn fill(storage: &mut Storage, how: u8, data: &[u8]) {
    let count = 1 + usize::from(how) % FILES_MAX;
    let (changes, bodies) = data.split_at((usize::from(how >> 5) & 6).min(data.len()));
    let piece_len = bodies.len().div_ceil(count).max(1);
    let mut files: Vec<Vec<u8>> = bodies.chunks(piece_len).map(file).collect();
    files.resize(count, file(&[]));
    if how & 4 == 0 {
        return storage.put("/data/dump.rdb", file(bodies));
    }
    let manifest = manifest(&files);
    storage.put("/data/dump.manifest", changed(&manifest, changes));
    for (file, bytes) in manifest.files.iter().zip(files) {
        storage.put(&format!("/data/{}", file.name), bytes);
    }
    if how & 8 != 0 {
        storage.put("/data/dump.rdb", file(&bodies[..bodies.len() / 2]));
    }
}

fn contents(storage: &Storage) -> Contents {
    let with_bytes = |name: String| {
        let bytes = storage.contents(&format!("/data/{name}")).expect("it was listed").to_vec();
        (name, bytes)
    };
    storage.list("/data").into_iter().map(with_bytes).collect()
}

/// Starts a server there, which may refuse.
fn start(shards: usize, storage: Storage) -> World {
    let mut world = World::on_disk(shards, Weather::calm(), false, 7, World::config(), storage);
    while world.shared().loading.is_loading() && !world.has_ended() {
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
    world
}

fn save(world: &mut World) {
    let socket = world.kernel().connect(0);
    let mut client = Client::new(socket, 7);
    client.say(&[b"SAVE".to_vec()]);
    while client.replies.is_empty() {
        let (weather, step) = (*world.weather(), world.steps());
        client.act(&mut world.kernel(), &weather, step);
        if world.step() == Step::Idle {
            world.sleep();
        }
    }
    assert_eq!(client.replies[0], b"+OK\r\n");
}

fuzz_target!(|data: &[u8]| {
    let Some((&[how, shards], rest)) = data.split_first_chunk::<2>() else { return };
    let mut storage = Storage::new(&["/data"], 7);
    fill(&mut storage, how, rest);
    let before = contents(&storage);
    let mut world = start(1 + usize::from(shards) % 3, storage);
    if world.has_ended() {
        assert!(world.shared().loading.failure().is_some(), "it says why");
        assert_eq!(contents(&world.disk()), before);
        return;
    }
    let loaded = world.keys_len();
    save(&mut world);
    world.shut_down();
    let again = start(1 + usize::from(shards >> 4) % 3, world.into_disk());
    assert_eq!(again.shared().loading.failure(), None);
    // Some may have expired meanwhile.
    assert!(again.keys_len() <= loaded);
});
