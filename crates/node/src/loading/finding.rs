//! What there is to load: the files of a snapshot, one plain file, or nothing.

use super::reader::FileReader;
use crate::disk::{Operation, Output};
use crate::snapshot::names::Place;
use std::io;
use std::sync::Arc;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest};
use tessera_storage::rdb::{DecodeOptions, Decoder, Item};

/// The auxiliary field that says when a file's cut was made, in Unix milliseconds.
const CUT_FIELD: &[u8] = b"tessera-cut-ms";
/// The one that Redis writes, in Unix seconds.
const TIME_FIELD: &[u8] = b"ctime";
/// The one that says how much memory its writer used, in bytes.
const MEMORY_FIELD: &[u8] = b"used-mem";

/// A file to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFile {
    pub(crate) path: Arc<str>,
    pub(crate) len_bytes: u64,
    /// How many keys it must have, if that is known.
    pub(crate) keys: Option<u64>,
}

/// Everything to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadPlan {
    pub(crate) files: Vec<PlannedFile>,
    /// Memory that the writer used, in bytes; 0 if it does not say.
    pub(crate) used_memory_bytes: u64,
    /// For the log.
    pub(crate) description: String,
}

impl LoadPlan {
    pub(crate) fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len_bytes).sum()
    }
}

/// What the beginning of a plain file says.
#[derive(Clone, Copy, Debug, Default)]
struct Beginning {
    /// When it was made, in Unix milliseconds.
    cut_ms: Option<i64>,
    used_memory_bytes: u64,
}

#[derive(Debug)]
enum Stage {
    Listing {
        asked: bool,
    },
    /// The manifest is read.
    Manifest(FileReader, Vec<u8>),
    /// The beginning of the plain file is read.
    Plain(FileReader, Box<Decoder>, Beginning),
}

/// What a finder asked the disk for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    List,
    Reader(super::reader::Asked),
}

/// Looks for what to load.
#[derive(Debug)]
pub(crate) struct Finder {
    place: Place,
    options: DecodeOptions,
    stage: Stage,
    names: Vec<(String, u64)>,
    manifest: Option<Manifest>,
}

impl Finder {
    pub(crate) fn new(place: Place, options: DecodeOptions) -> Finder {
        Finder { place, options, stage: Stage::Listing { asked: false }, names: Vec::new(), manifest: None }
    }

    fn len_of(&self, name: &str) -> Option<u64> {
        self.names.iter().find(|(found, _)| found == name).map(|(_, len_bytes)| *len_bytes)
    }

    /// The next operation to submit, if any may be now.
    pub(crate) fn next_operation(&mut self) -> Option<(Asked, Operation)> {
        match &mut self.stage {
            Stage::Listing { asked: true } => None,
            Stage::Listing { asked } => {
                *asked = true;
                Some((Asked::List, Operation::List { directory: self.place.directory() }))
            }
            Stage::Manifest(reader, _) | Stage::Plain(reader, ..) => {
                reader.next_operation().map(|(asked, operation)| (Asked::Reader(asked), operation))
            }
        }
    }

    /// An operation is over. The plan, once it is known.
    ///
    /// # Errors
    /// What keeps the server from knowing what to load: a sentence.
    pub(crate) fn take(
        &mut self,
        asked: Asked,
        result: io::Result<Output>,
    ) -> Result<Option<LoadPlan>, String> {
        match asked {
            Asked::List => match result {
                Ok(Output::Names(names)) => {
                    self.names = names;
                    self.begin()
                }
                Ok(other) => Err(format!("{}: the disk answered {other:?}", self.place.directory())),
                Err(error) => Err(format!("{}: {error}", self.place.directory())),
            },
            Asked::Reader(asked) => {
                let (Stage::Manifest(reader, _) | Stage::Plain(reader, ..)) = &mut self.stage else {
                    return Ok(None);
                };
                let path = reader.path().clone();
                reader.take(asked, result).map_err(|error| format!("{path}: {error}"))?;
                self.read_on()
            }
        }
    }

    fn begin(&mut self) -> Result<Option<LoadPlan>, String> {
        match self.len_of(&self.place.manifest_name()) {
            Some(len_bytes) if len_bytes > MANIFEST_MAX_LEN_BYTES as u64 => {
                Err(format!("{}: too long for a manifest", self.place.path(&self.place.manifest_name())))
            }
            Some(_) => {
                self.stage = Stage::Manifest(
                    FileReader::new(self.place.path(&self.place.manifest_name())),
                    Vec::new(),
                );
                Ok(None)
            }
            None => self.begin_plain(),
        }
    }

    fn begin_plain(&mut self) -> Result<Option<LoadPlan>, String> {
        if self.len_of(self.place.merged_name()).is_none() {
            return self.decide(None).map(Some);
        }
        let reader = FileReader::new(self.place.path(self.place.merged_name()));
        self.stage = Stage::Plain(reader, Box::new(Decoder::new(self.options)), Beginning::default());
        Ok(None)
    }

    fn read_on(&mut self) -> Result<Option<LoadPlan>, String> {
        match &mut self.stage {
            Stage::Listing { .. } => Ok(None),
            Stage::Manifest(reader, bytes) => {
                while let Some(piece) = reader.next_piece() {
                    bytes.extend_from_slice(&piece);
                }
                if !reader.is_closed() {
                    return Ok(None);
                }
                let path = reader.path().clone();
                let manifest = Manifest::decode(bytes).map_err(|error| format!("{path}: {error}"))?;
                self.manifest = Some(manifest);
                self.begin_plain()
            }
            Stage::Plain(reader, decoder, beginning) => {
                while let Some(piece) = reader.next_piece() {
                    decoder.feed(&piece);
                    loop {
                        match decoder.next() {
                            Ok(Some(Item::Auxiliary { name, value })) => beginning.note(&name, &value),
                            Ok(None) => break,
                            // Whatever is wrong with it is told when it is loaded, if it is.
                            Ok(Some(_)) | Err(_) => {
                                reader.give_up();
                                break;
                            }
                        }
                    }
                }
                if !reader.is_closed() {
                    return Ok(None);
                }
                let beginning = *beginning;
                self.decide(Some(beginning)).map(Some)
            }
        }
    }

    /// Which of a snapshot and a plain file it is: the one whose cut is later.
    fn decide(&mut self, plain: Option<Beginning>) -> Result<LoadPlan, String> {
        match (self.manifest.take(), plain) {
            (None, None) => Ok(LoadPlan::default()),
            (None, Some(plain)) => Ok(self.plan_of_plain(plain, "")),
            (Some(manifest), None) => self.plan_of_set(&manifest, ""),
            (Some(manifest), Some(plain)) => {
                if plain.cut_ms.is_some_and(|cut_ms| cut_ms >= manifest.cut_unix_ms.cast_signed()) {
                    let note = format!(", which is newer than {}", self.place.manifest_name());
                    Ok(self.plan_of_plain(plain, &note))
                } else {
                    let note = format!(", which is newer than {}", self.place.merged_name());
                    self.plan_of_set(&manifest, &note)
                }
            }
        }
    }

    fn plan_of_plain(&self, plain: Beginning, note: &str) -> LoadPlan {
        let path = self.place.path(self.place.merged_name());
        let len_bytes = self.len_of(self.place.merged_name()).unwrap_or_default();
        LoadPlan {
            description: format!("{path} ({len_bytes} bytes){note}"),
            files: vec![PlannedFile { path, len_bytes, keys: None }],
            used_memory_bytes: plain.used_memory_bytes,
        }
    }

    fn plan_of_set(&self, manifest: &Manifest, note: &str) -> Result<LoadPlan, String> {
        let manifest_path = self.place.path(&self.place.manifest_name());
        let mut files = Vec::new();
        for file in &manifest.files {
            let problem = match self.len_of(&file.name) {
                Some(len_bytes) if len_bytes == file.len_bytes => {
                    let (path, keys) = (self.place.path(&file.name), Some(file.keys));
                    files.push(PlannedFile { path, len_bytes, keys });
                    continue;
                }
                Some(len_bytes) => format!("has {len_bytes} bytes instead of {}", file.len_bytes),
                None => "is missing".to_owned(),
            };
            return Err(format!("{manifest_path}: the snapshot is incomplete: {} {problem}", file.name));
        }
        Ok(LoadPlan {
            description: format!(
                "{manifest_path} (snapshot {} of {} shards){note}",
                manifest.epoch,
                files.len()
            ),
            files,
            used_memory_bytes: 0,
        })
    }
}

impl Beginning {
    fn note(&mut self, name: &[u8], value: &[u8]) {
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        let Some(number) = number else { return };
        match name {
            CUT_FIELD => self.cut_ms = Some(number),
            // A cut of our own is more exact.
            TIME_FIELD => {
                self.cut_ms.get_or_insert(number.saturating_mul(1000));
            }
            MEMORY_FIELD => self.used_memory_bytes = u64::try_from(number).unwrap_or_default(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileId;
    use std::collections::BTreeMap;
    use std::path::Path;
    use tessera_storage::manifest::ShardFile;
    use tessera_storage::rdb::{put_end, put_header};

    type Files = BTreeMap<String, Vec<u8>>;

    /// What a finder finds in `files`, which are in the directory `dir`.
    fn find(files: &Files) -> Result<LoadPlan, String> {
        let options = DecodeOptions::default();
        let mut finder = Finder::new(Place::new(Path::new("dir"), b"dump.rdb").unwrap(), options);
        let names: Vec<&String> = files.keys().collect();
        let by_path = |path: &str| {
            let name = path.strip_prefix("dir/").expect("all files are in the directory");
            names.iter().position(|known| *known == name)
        };
        loop {
            let (asked, operation) = finder.next_operation().expect("it asks until it knows");
            let result = match operation {
                Operation::List { directory } => {
                    assert_eq!(&*directory, "dir");
                    Ok(Output::Names(
                        files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect(),
                    ))
                }
                Operation::Open { path } => match by_path(&path) {
                    Some(index) => Ok(Output::Opened(FileId(index as u64), files[names[index]].len() as u64)),
                    None => Err(io::ErrorKind::NotFound.into()),
                },
                Operation::Read { file, offset_bytes, len_bytes } => {
                    let bytes = &files[names[file.0 as usize]][offset_bytes as usize..];
                    Ok(Output::Read(bytes[..bytes.len().min(len_bytes)].to_vec()))
                }
                Operation::Close { .. } => Ok(Output::Done),
                other => panic!("{other:?}"),
            };
            if let Some(plan) = finder.take(asked, result)? {
                return Ok(plan);
            }
        }
    }

    fn plain(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_header(&mut bytes, 10, fields);
        put_end(&mut bytes);
        bytes.extend([0; 8]);
        bytes
    }

    fn set(cut_unix_ms: u64) -> Files {
        let body = vec![1; 100];
        let file = |shard: u16| ShardFile {
            name: format!("dump-epoch7-shard{shard}.rdb"),
            len_bytes: 100,
            crc64: 0,
            body_offset_bytes: 10,
            body_len_bytes: 80,
            keys: 5,
            rdb_version: 10,
            slots: vec![shard * 8192..=shard * 8192 + 8191],
        };
        let manifest = Manifest { epoch: 7, cut_unix_ms, files: vec![file(0), file(1)] };
        let mut files: Files = manifest.files.iter().map(|file| (file.name.clone(), body.clone())).collect();
        files.insert("dump.manifest".to_owned(), manifest.encode());
        files
    }

    fn paths(plan: &LoadPlan) -> Vec<&str> {
        plan.files.iter().map(|file| &*file.path).collect()
    }

    #[test]
    fn nothing_a_plain_file_or_a_set() {
        assert_eq!(find(&Files::new()).unwrap(), LoadPlan::default());
        let plain = [("dump.rdb".to_owned(), plain(&[(b"used-mem", b"4321")]))].into();
        let plan = find(&plain).unwrap();
        assert_eq!((paths(&plan), plan.used_memory_bytes), (vec!["dir/dump.rdb"], 4321));
        let plan = find(&set(1)).unwrap();
        assert_eq!(paths(&plan), ["dir/dump-epoch7-shard0.rdb", "dir/dump-epoch7-shard1.rdb"]);
        assert_eq!((plan.files[0].keys, plan.total_bytes()), (Some(5), 200));
    }

    #[test]
    fn the_later_cut_is_loaded() {
        for (fields, is_plain) in [
            (&[(&b"ctime"[..], &b"2000"[..])][..], true),
            (&[(b"ctime", b"1999")], false),
            (&[(b"ctime", b"2000"), (b"tessera-cut-ms", b"1999999")], false),
            (&[(b"tessera-cut-ms", b"2000000"), (b"ctime", b"1")], true),
            (&[], false),
        ] {
            let mut files = set(2_000_000);
            files.insert("dump.rdb".to_owned(), plain(fields));
            let plan = find(&files).unwrap();
            assert_eq!(paths(&plan)[0] == "dir/dump.rdb", is_plain, "{fields:?}");
        }
    }

    #[test]
    fn an_incomplete_set_is_refused() {
        let mut files = set(1);
        files.get_mut("dump-epoch7-shard1.rdb").unwrap().pop();
        assert!(find(&files).unwrap_err().contains("dump-epoch7-shard1.rdb has 99 bytes instead of 100"));
        files.remove("dump-epoch7-shard1.rdb");
        assert!(find(&files).unwrap_err().contains("dump-epoch7-shard1.rdb is missing"));
        let mut files = set(1);
        files.get_mut("dump.manifest").unwrap()[40] ^= 1;
        assert!(find(&files).is_err());
    }
}
