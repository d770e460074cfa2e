//! What a directory holds, as a server that starts there would read it.

use std::collections::BTreeMap;
use tessera_storage::checksum::crc64;
use tessera_storage::manifest::Manifest;
use tessera_storage::rdb::{DecodeOptions, Decoder, Item};
use tessera_values::{Collection, Digits, Value};

/// What was saved.
#[derive(Debug, Default)]
pub struct Saved {
    /// Strings by key.
    pub texts: BTreeMap<String, String>,
    /// Lists by key.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Keys that nobody changes.
    pub still_keys: usize,
    /// The number of the set; 0 without a manifest.
    pub epoch: u64,
    /// How many files it takes.
    pub files: usize,
}

/// Reads the set that counts.
pub fn read(contents: &BTreeMap<String, Vec<u8>>) -> Result<Saved, String> {
    let mut saved = Saved::default();
    let merged = contents.get("/data/dump.rdb");
    let Some(manifest) = contents.get("/data/dump.manifest") else {
        let merged = merged.ok_or_else(|| format!("neither manifest nor dump.rdb: {:?}", contents.keys()))?;
        saved.files = 1;
        let read = read_file(merged, &mut saved).map_err(|problem| format!("dump.rdb: {problem}"))?;
        let mut named = read.databases.clone();
        named.sort_unstable();
        named.dedup();
        if named != read.databases {
            return Err(format!("dump.rdb names its databases in this order: {:?}", read.databases));
        }
        return Ok(saved);
    };
    let manifest = Manifest::decode(manifest).map_err(|error| error.to_string())?;
    saved.epoch = manifest.epoch;
    saved.files = 1 + manifest.files.len();
    for file in &manifest.files {
        let bytes = contents
            .get(&format!("/data/{}", file.name))
            .ok_or_else(|| format!("{} is missing: {:?}", file.name, contents.keys()))?;
        let summed = &bytes[..bytes.len().saturating_sub(8)];
        if bytes.len() as u64 != file.len_bytes || crc64(summed) != file.crc64 {
            return Err(format!("{} is not what the manifest says", file.name));
        }
        let read = read_file(bytes, &mut saved).map_err(|problem| format!("{}: {problem}", file.name))?;
        if read.keys != file.keys {
            return Err(format!("{} has {} keys instead of {}", file.name, read.keys, file.keys));
        }
    }
    Ok(saved)
}

/// What else is told of a file.
#[derive(Default)]
struct Read {
    keys: u64,
    /// In the order in which they come, each as often as it does.
    databases: Vec<u64>,
}

fn read_file(bytes: &[u8], saved: &mut Saved) -> Result<Read, String> {
    let options = DecodeOptions::default();
    let mut decoder = Decoder::new(options);
    decoder.feed(bytes);
    let mut read = Read::default();
    loop {
        match decoder.next().map_err(|error| error.to_string())? {
            None => return Err("it breaks off".to_owned()),
            Some(Item::End) => return Ok(read),
            Some(Item::Entry(entry)) => {
                read.keys += 1;
                if read.databases.last() != Some(&entry.db) {
                    read.databases.push(entry.db);
                }
                let key = String::from_utf8_lossy(&entry.key).into_owned();
                if key.starts_with(super::STILL) {
                    saved.still_keys += 1;
                    continue;
                }
                match entry.value {
                    Value::String(text) => {
                        let text = text.as_ref().as_bytes(&mut Digits::default()).to_vec();
                        let text = String::from_utf8_lossy(&text).into_owned();
                        if saved.texts.insert(key, text).is_some() {
                            return Err("a key comes twice".to_owned());
                        }
                    }
                    Value::List(list) => {
                        let elements = list.as_ref().iter().map(|element| element.to_vec());
                        let elements = elements.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                        saved.lists.insert(key, elements.collect());
                    }
                    other => return Err(format!("{key} is {other:?}")),
                }
            }
            Some(_) => {}
        }
    }
}
