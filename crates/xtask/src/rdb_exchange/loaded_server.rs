//! What a server says of the keys that it has loaded.

use super::contents::{Contents, Entry};
use crate::differential::connection::Connection;
use std::io;
use std::time::{Duration, Instant};
use tessera_golden::frame::{self, Frame};
use tessera_golden::{Endpoint, Server};
use tessera_storage::rdb::{dump, restore};
use tessera_values::{Collection, ListRef, Thresholds, Value};

/// How long a server may take to load a file.
const LOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// A server that has loaded the file: a connection to it, and its version.
pub struct LoadedServer {
    connection: Connection,
    /// Major and minor number of its version.
    version: (u32, u32),
    db: u16,
}

pub(super) fn wrong(key: &[u8], problem: String) -> io::Error {
    io::Error::other(format!("key \"{}\": {problem}", key.escape_ascii()))
}

pub(super) fn text(frame: &Frame) -> Vec<u8> {
    match frame {
        Frame::Line { text, .. } => text.clone(),
        Frame::Bulk { bytes, .. } => bytes.clone(),
        Frame::Nil { .. } => b"(nil)".to_vec(),
        Frame::Aggregate { .. } => b"(aggregate)".to_vec(),
    }
}

fn texts(frame: &Frame) -> Vec<Vec<u8>> {
    match frame {
        Frame::Aggregate { children, .. } => children.iter().map(text).collect(),
        _ => Vec::new(),
    }
}

fn pairs(frame: &Frame) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let mut texts = texts(frame).into_iter();
    std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
}

fn integer(frame: &Frame) -> Option<i64> {
    std::str::from_utf8(&text(frame)).ok()?.parse().ok()
}

impl LoadedServer {
    /// Connects, and asks for the version.
    pub fn open(server: &Server) -> io::Result<LoadedServer> {
        let Endpoint::Tcp(address) = server.endpoint() else {
            return Err(io::Error::other("the server does not listen on TCP"));
        };
        let mut loaded = LoadedServer { connection: Connection::open(address)?, version: (0, 0), db: 0 };
        loaded.wait_until_loaded()?;
        let info = text(&loaded.ask(&[b"INFO", b"server"])?);
        let info = String::from_utf8_lossy(&info).into_owned();
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let mut numbers = version.unwrap_or_default().split('.').map(|number| number.parse().unwrap_or(0));
        loaded.version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Ok(loaded)
    }

    fn wait_until_loaded(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + LOAD_TIMEOUT;
        while text(&self.ask(&[b"PING"])?).starts_with(b"LOADING") {
            if Instant::now() > deadline {
                return Err(io::Error::other("the server is still loading"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// It keeps small sets and lists in listpacks.
    pub fn has_set_listpacks(&self) -> bool {
        self.version >= (7, 2)
    }

    pub(super) fn ask(&mut self, words: &[&[u8]]) -> io::Result<Frame> {
        let bytes = self.connection.call(words)?;
        match frame::read(bytes) {
            Ok(Some((frame, _))) => Ok(frame),
            other => Err(io::Error::other(format!("not a reply: {other:?}"))),
        }
    }

    pub(super) fn select(&mut self, db: u16) -> io::Result<()> {
        if self.db != db {
            self.ask(&[b"SELECT", db.to_string().as_bytes()])?;
            self.db = db;
        }
        Ok(())
    }

    /// Has it save what it has.
    pub fn save(&mut self) -> io::Result<()> {
        match text(&self.ask(&[b"SAVE"])?).as_slice() {
            b"OK" => Ok(()),
            error => Err(io::Error::other(format!("SAVE: {}", error.escape_ascii()))),
        }
    }

    /// Compares one key with what was written of it.
    pub fn compare(&mut self, entry: &Entry, policy: &str) -> io::Result<()> {
        self.select(entry.db)?;
        let key = entry.key.as_slice();
        let name = text(&self.ask(&[b"TYPE", key])?);
        if entry.is_expired() {
            return match name.as_slice() {
                b"none" => Ok(()),
                _ => Err(wrong(key, "is there, though its time was over".to_owned())),
            };
        }
        if name != entry.value.as_ref().value_type().name().as_bytes() {
            return Err(wrong(key, format!("is of type {}", name.escape_ascii())));
        }
        self.compare_use(entry, policy)?;
        let expire_at_ms = integer(&self.ask(&[b"PEXPIRETIME", key])?);
        if expire_at_ms != Some(entry.facts.expire_at_ms.unwrap_or(-1)) {
            return Err(wrong(key, format!("expires at {expire_at_ms:?}")));
        }
        let encoding = text(&self.ask(&[b"OBJECT", b"ENCODING", key])?);
        if !self.encodings(&entry.value).iter().any(|name| name.as_bytes() == encoding) {
            let ours = entry.value.as_ref().encoding_name();
            return Err(wrong(key, format!("is {}, ours {ours}", encoding.escape_ascii())));
        }
        let (contents, expected) = (self.contents(entry)?, Contents::of(&entry.value));
        if contents != expected {
            return Err(wrong(key, format!("holds {contents:?} rather than {expected:?}")));
        }
        Ok(())
    }

    /// What the policy remembers, which OBJECT does not change.
    fn compare_use(&mut self, entry: &Entry, policy: &str) -> io::Result<()> {
        let key = entry.key.as_slice();
        if let Some(frequency) = entry.facts.frequency
            && policy == "allkeys-lfu"
        {
            let theirs = integer(&self.ask(&[b"OBJECT", b"FREQ", key])?);
            if theirs != Some(i64::from(frequency)) {
                return Err(wrong(key, format!("has frequency {theirs:?} rather than {frequency}")));
            }
        }
        if let Some(idle_s) = entry.facts.idle_s
            && policy == "allkeys-lru"
        {
            let theirs = integer(&self.ask(&[b"OBJECT", b"IDLETIME", key])?);
            // Its clock has a resolution of a second.
            if theirs.is_none_or(|theirs| theirs + 1 < idle_s as i64) {
                return Err(wrong(key, format!("was idle for {theirs:?} rather than {idle_s}")));
            }
        }
        Ok(())
    }

    /// What the server may call the value's encoding.
    pub(super) fn encodings(&self, value: &Value) -> Vec<&'static str> {
        let ours = value.as_ref().encoding_name();
        match value {
            Value::List(_) if !self.has_set_listpacks() => vec!["quicklist"],
            // A server that loads a list looks anew whether it is short.
            Value::List(list) if matches!(list.as_ref(), ListRef::Nodes(nodes) if nodes.len() == 1) => {
                vec!["quicklist", "listpack"]
            }
            Value::Set(_) if !self.has_set_listpacks() && ours == "listpack" => vec!["hashtable"],
            _ => vec![ours],
        }
    }

    pub(super) fn contents(&mut self, entry: &Entry) -> io::Result<Contents> {
        let key = entry.key.as_slice();
        Ok(match &entry.value {
            Value::String(_) => Contents::String(text(&self.ask(&[b"GET", key])?)),
            Value::List(_) => Contents::List(texts(&self.ask(&[b"LRANGE", key, b"0", b"-1"])?)),
            Value::Set(_) => Contents::Set(texts(&self.ask(&[b"SMEMBERS", key])?).into_iter().collect()),
            Value::Hash(_) => Contents::Hash(pairs(&self.ask(&[b"HGETALL", key])?).collect()),
            Value::SortedSet(_) => {
                let reply = self.ask(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"])?;
                let score = |text: &[u8]| {
                    std::str::from_utf8(text)
                        .ok()
                        .and_then(|text| text.parse::<f64>().ok())
                        .unwrap_or(f64::NAN)
                };
                Contents::SortedSet(
                    pairs(&reply).map(|(member, text)| (member, score(&text).to_bits())).collect(),
                )
            }
        })
    }

    /// Compares how many keys there are.
    pub fn compare_sizes(&mut self, entries: &[Entry]) -> io::Result<()> {
        for db in 0..16 {
            self.select(db)?;
            let expected = entries.iter().filter(|entry| entry.db == db && !entry.is_expired()).count();
            let theirs = integer(&self.ask(&[b"DBSIZE"])?);
            if theirs != Some(expected as i64) {
                return Err(io::Error::other(format!("database {db} has {theirs:?} keys, not {expected}")));
            }
        }
        Ok(())
    }

    /// Compares the answers of DUMP with ours, to the byte where nothing is left to choose. Only of servers of the
    /// version that ours has.
    pub fn compare_dumps(&mut self, entries: &[Entry], thresholds: &Thresholds) -> io::Result<String> {
        if self.version != (7, 2) {
            return Ok("DUMP is of another version".to_owned());
        }
        let (mut equal, mut order, mut compression) = (0, 0, 0);
        for compress in [false, true] {
            let setting: &[u8] = if compress { b"yes" } else { b"no" };
            self.ask(&[b"CONFIG", b"SET", b"rdbcompression", setting])?;
            for entry in entries.iter().filter(|entry| !entry.is_expired()) {
                let key = entry.key.as_slice();
                self.select(entry.db)?;
                let theirs = text(&self.ask(&[b"DUMP", key])?);
                let ours = dump(entry.value.as_ref(), compress);
                if theirs == ours {
                    equal += 1;
                    continue;
                }
                let restored = restore(&theirs, thresholds).map_err(|error| wrong(key, error.to_string()))?;
                if restored != entry.value {
                    return Err(wrong(key, "is another one in the answer of DUMP".to_owned()));
                }
                let reply = text(&self.ask(&[b"RESTORE", key, b"0", &ours, b"REPLACE"])?);
                if reply != b"OK" {
                    return Err(wrong(key, format!("RESTORE: {}", reply.escape_ascii())));
                }
                if self.contents(entry)? != Contents::of(&entry.value) {
                    return Err(wrong(key, "is another one after RESTORE".to_owned()));
                }
                if let Some(at_ms) = entry.facts.expire_at_ms {
                    self.ask(&[b"PEXPIREAT", key, at_ms.to_string().as_bytes()])?;
                }
                if has_own_order(&entry.value) {
                    order += 1;
                } else if compress {
                    compression += 1;
                } else {
                    return Err(wrong(key, "has another answer of DUMP".to_owned()));
                }
            }
        }
        Ok(format!(
            "{equal} answers of DUMP are equal, {order} have another order, {compression} are compressed otherwise"
        ))
    }
}

/// Each server has an order of its own for its elements.
fn has_own_order(value: &Value) -> bool {
    match value {
        Value::Set(set) => set.encoding_name() == "hashtable" && set.len() > 1,
        Value::Hash(hash) => hash.encoding_name() == "hashtable" && hash.len() > 1,
        // It may have become a listpack when it was loaded, which is written in the same way.
        Value::String(_) | Value::List(_) | Value::SortedSet(_) => false,
    }
}
