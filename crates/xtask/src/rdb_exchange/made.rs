//! Keys that a server made by commands, read by us.

use super::contents::{Contents, Entry, random_word};
use super::loaded_server::{LoadedServer, text, wrong};
use super::{FILE, file};
use fastrand::Rng;
use std::io;
use std::path::Path;
use tessera_storage::rdb::{KeyFacts, restore};
use tessera_values::Thresholds;

/// What a key is restored to.
const COPY: &[u8] = b"copy";

/// A random command about a key, of the kind that stands for one type.
fn command(kind: u8, key: &[u8], random: &mut Rng) -> Vec<Vec<u8>> {
    let count = if random.u8(..8) == 0 { random.usize(1..300) } else { random.usize(1..20) };
    let mut words: Vec<Vec<u8>> = (0..count).map(|_| random_word(random)).collect();
    let number = |random: &mut Rng| (random.i64(..) >> random.u8(..64)).to_string().into_bytes();
    let name: &[u8] = match (kind, random.u8(..5)) {
        (0, 0) => b"APPEND",
        (0, _) => b"SET",
        (1, 0) => b"LPUSH",
        (1, 1) => b"LREM",
        (1, _) => b"RPUSH",
        (2 | 3, 0) => b"SREM",
        (2 | 3, _) => b"SADD",
        (4, 0) => b"HDEL",
        (4, _) => b"HSET",
        (_, 0) => b"ZREM",
        (_, _) => b"ZADD",
    };
    match name {
        b"APPEND" | b"SET" => words.truncate(1),
        b"LREM" => words = vec![b"0".to_vec(), random_word(random)],
        b"HSET" if words.len() % 2 == 1 => words.push(b"value".to_vec()),
        b"ZADD" => {
            let score = |random: &mut Rng| match random.u8(..3) {
                0 => random.i16(..).to_string(),
                1 => (f64::from(random.i32(..)) / 16.0).to_string(),
                _ => format!("{:e}", (random.f64() - 0.5) * 10f64.powi(random.i32(-300..300))),
            };
            words = words.into_iter().flat_map(|word| [score(random).into_bytes(), word]).collect();
        }
        b"SADD" if kind == 3 => words = words.iter().map(|_| number(random)).collect(),
        _ => {}
    }
    [vec![name.to_vec(), key.to_vec()], words].concat()
}

/// Has the server make keys, and compares what we read from its answers of DUMP, and from its file, with what it says
/// of them; the encodings with those of what it restores itself.
pub fn exchange(
    server: &mut LoadedServer,
    keys: u32,
    directory: &Path,
    thresholds: Thresholds,
    random: &mut Rng,
) -> io::Result<usize> {
    server.ask(&[b"FLUSHALL"])?;
    server.select(0)?;
    let mut entries: Vec<Entry> = Vec::new();
    for number in 0..keys {
        let key = format!("made:{number}").into_bytes();
        let kind = random.u8(..6);
        for _ in 0..random.usize(1..6) {
            let words = command(kind, &key, random);
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            server.ask(&words)?;
        }
        if text(&server.ask(&[b"TYPE", &key])?) != b"none" {
            entries.push(read(server, key, &thresholds)?);
        }
    }
    server.save()?;
    file::compare(&std::fs::read(directory.join(FILE))?, &entries, thresholds)?;
    Ok(entries.len())
}

/// The key as its answer of DUMP has it.
fn read(server: &mut LoadedServer, key: Vec<u8>, thresholds: &Thresholds) -> io::Result<Entry> {
    let dumped = text(&server.ask(&[b"DUMP", &key])?);
    let value = restore(&dumped, thresholds).map_err(|error| wrong(&key, error.to_string()))?;
    let entry = Entry { db: 0, key, value, facts: KeyFacts::default() };
    let (contents, found) = (server.contents(&entry)?, Contents::of(&entry.value));
    if contents != found {
        return Err(wrong(&entry.key, format!("holds {contents:?}, and we read {found:?}")));
    }
    server.ask(&[b"RESTORE", COPY, b"0", &dumped])?;
    let theirs = text(&server.ask(&[b"OBJECT", b"ENCODING", COPY])?);
    server.ask(&[b"DEL", COPY])?;
    if !server.encodings(&entry.value).iter().any(|name| name.as_bytes() == theirs) {
        let ours = entry.value.as_ref().encoding_name();
        return Err(wrong(&entry.key, format!("is restored as {}, ours as {ours}", theirs.escape_ascii())));
    }
    Ok(entry)
}
