//! What there is to load: the files of a snapshot, one plain file, or nothing.

use super::reader::FileReader;
use crate::disk::{Listed, Operation, Output};
use crate::snapshot::names::Place;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest, ShardFile};
use tessera_storage::rdb::{DecodeOptions, Decoder, Item};
use tessera_storage::time::utc;

/// The auxiliary field that says when a file's cut was made, in Unix milliseconds.
const CUT_FIELD: &[u8] = b"tessera-cut-ms";
/// The one that Redis writes, in Unix seconds.
const TIME_FIELD: &[u8] = b"ctime";
/// How many names a sentence lists.
const NAMES_TOLD_MAX: usize = 4;
/// Where Redis keeps its log of writes if it keeps one, since 7.0 and before.
const APPEND_ONLY: [&str; 2] = ["appendonlydir", "appendonly.aof"];
/// The one that says how much memory its writer used, in bytes.
const MEMORY_FIELD: &[u8] = b"used-mem";

/// A file to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlannedFile {
    pub(crate) path: Arc<str>,
    pub(crate) len_bytes: u64,
    /// What its manifest says of it, if it has one.
    pub(crate) described: Option<Described>,
}

/// What a manifest says of a file besides its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    /// How many keys it has.
    pub(crate) keys: u64,
    /// The checksum of all its bytes but the last eight.
    pub(crate) crc64: u64,
    /// The version in its header.
    pub(crate) rdb_version: u32,
}

/// Everything to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadPlan {
    pub(crate) files: Vec<PlannedFile>,
    /// Memory that the writer used, in bytes; 0 if it does not say.
    pub(crate) used_memory_bytes: u64,
    /// When what is loaded was cut, in Unix milliseconds, as far as that is known.
    pub(crate) cut_ms: Option<i64>,
    /// For the log.
    pub(crate) description: String,
    /// For the log, too: what is there besides.
    pub(crate) remarks: Vec<String>,
}

/// What a server that starts in a directory would load, as it finds it itself. `carry_out` does on a disk what it is told.
///
/// # Errors
/// Why it would not start: a sentence.
pub fn find(
    directory: &Path,
    db_filename: &[u8],
    mut carry_out: impl FnMut(Operation) -> io::Result<Output>,
) -> Result<LoadPlan, String> {
    let mut finder = Finder::new(Place::new(directory, db_filename)?, DecodeOptions::default());
    loop {
        let Some((asked, operation)) = finder.next_operation() else {
            return Err("it is not known what to do next".to_owned());
        };
        if let Some(plan) = finder.take(asked, carry_out(operation))? {
            return Ok(plan);
        }
    }
}

impl LoadPlan {
    /// What would be loaded; empty if there is nothing.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What is there besides.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len_bytes).sum()
    }
}

/// What the beginning of a plain file says.
#[derive(Clone, Copy, Debug, Default)]
struct Beginning {
    /// When it was cut, in Unix milliseconds, if Tessera has written it.
    own_cut_ms: Option<i64>,
    /// When it was made, in Unix seconds.
    made_s: Option<i64>,
    used_memory_bytes: u64,
}

impl Beginning {
    /// The latest moment that it can be of, in Unix milliseconds.
    fn cut_ms(&self) -> Option<i64> {
        self.own_cut_ms.or(self.made_s.map(|made_s| made_s.saturating_mul(1000).saturating_add(999)))
    }
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
pub(crate) enum FindStep {
    List,
    Reader(super::reader::ReadStep),
}

/// Looks for what to load.
#[derive(Debug)]
pub(crate) struct Finder {
    place: Place,
    options: DecodeOptions,
    stage: Stage,
    names: Vec<Listed>,
    remarks: Vec<String>,
    manifest: Option<Manifest>,
}

impl Finder {
    pub(crate) fn new(place: Place, options: DecodeOptions) -> Finder {
        Finder {
            place,
            options,
            stage: Stage::Listing { asked: false },
            names: Vec::new(),
            remarks: Vec::new(),
            manifest: None,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| listed.name == name)
    }

    fn len_of(&self, name: &str) -> Option<u64> {
        self.names.iter().find(|listed| listed.name == name).map(|listed| listed.len_bytes)
    }

    /// The next operation to submit, if any may be now.
    pub(crate) fn next_operation(&mut self) -> Option<(FindStep, Operation)> {
        match &mut self.stage {
            Stage::Listing { asked: true } => None,
            Stage::Listing { asked } => {
                *asked = true;
                Some((FindStep::List, Operation::List { directory: self.place.directory() }))
            }
            Stage::Manifest(reader, _) | Stage::Plain(reader, ..) => {
                reader.next_operation().map(|(asked, operation)| (FindStep::Reader(asked), operation))
            }
        }
    }

    /// An operation is over. The plan, once it is known.
    ///
    /// # Errors
    /// What keeps the server from knowing what to load: a sentence.
    pub(crate) fn take(
        &mut self,
        asked: FindStep,
        result: io::Result<Output>,
    ) -> Result<Option<LoadPlan>, String> {
        match asked {
            FindStep::List => match result {
                Ok(Output::Names(names)) => {
                    self.names = names;
                    self.begin()
                }
                Ok(other) => Err(format!("{}: the disk answered {other:?}", self.place.directory())),
                Err(error) => Err(format!("{}: {error}", self.place.directory())),
            },
            FindStep::Reader(asked) => {
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
        self.refuse_what_is_no_file()?;
        if !self.has(&self.place.manifest_name()) {
            self.refuse_files_without_manifest()?;
            self.look_for_log_of_writes()?;
        }
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

    /// What has the name of a file and cannot be read as one is not the same as nothing.
    fn refuse_what_is_no_file(&self) -> Result<(), String> {
        let (place, manifest_name) = (&self.place, self.place.manifest_name());
        let is_ours = |name: &str| {
            name == manifest_name || name == place.merged_name() || place.epoch_of(name).is_some()
        };
        match self.names.iter().find(|listed| !listed.is_regular && is_ours(&listed.name)) {
            Some(Listed { name, .. }) => Err(format!(
                "{} is not a regular file (a directory, a pipe, or a link that leads nowhere); move it away",
                place.path(name)
            )),
            None => Ok(()),
        }
    }

    /// Shards' files are a snapshot only together with their manifest. Without it they are what a first snapshot has left that did
    /// not come to its end, if that is marked; or else somebody has lost the manifest, and must not lose the files too.
    fn refuse_files_without_manifest(&self) -> Result<(), String> {
        let unfinished: Vec<u64> =
            self.names.iter().filter_map(|listed| self.place.epoch_of_mark(&listed.name)).collect();
        let is_lost =
            |name: &&str| self.place.epoch_of(name).is_some_and(|epoch| !unfinished.contains(&epoch));
        let lost: Vec<&str> = self.names.iter().map(|listed| listed.name.as_str()).filter(is_lost).collect();
        if lost.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{} has files of a snapshot ({}) and no {} that names them. Bring that back; or move them away to start \
             without them. Each is an RDB file of its own",
            self.place.directory(),
            some_of(&lost),
            self.place.manifest_name()
        ))
    }

    /// What Redis wrote with `appendonly yes` is in its log of writes, which cannot be read here. Perhaps nothing else is there, or what is there is
    /// older.
    fn look_for_log_of_writes(&mut self) -> Result<(), String> {
        let Some(name) = APPEND_ONLY.into_iter().find(|name| self.has(name)) else { return Ok(()) };
        let path = self.place.path(name);
        if !self.has(self.place.merged_name()) {
            return Err(format!(
                "{path} is where Redis keeps its data with appendonly yes, and Tessera cannot read that. Start Redis \
                 there once more, send it CONFIG SET appendonly no and then SAVE, stop it, and move {name} away: \
                 Tessera loads the {} that is written then. To start without that data, move {name} away",
                self.place.merged_name()
            ));
        }
        self.remarks.push(format!(
            "{path} is not read: if Redis ran with appendonly yes, then what it wrote after {} is only there",
            self.place.merged_name()
        ));
        Ok(())
    }

    /// Tells of files that do not count.
    fn note_leftovers(&mut self) {
        let place = &self.place;
        let named: Vec<&str> =
            self.manifest.iter().flat_map(|set| &set.files).map(|file| &*file.name).collect();
        let is_left = |name: &&str| {
            place.is_temporary(name)
                || place.epoch_of_mark(name).is_some()
                || place.epoch_of(name).is_some() && !named.contains(name)
        };
        let left: Vec<&str> = self.names.iter().map(|listed| listed.name.as_str()).filter(is_left).collect();
        if !left.is_empty() {
            self.remarks.push(format!(
                "{} of a snapshot that did not come to its end, or was followed by another: not loaded, and removed \
                 after the next snapshot: {}",
                if left.len() == 1 { "a file".to_owned() } else { format!("{} files", left.len()) },
                some_of(&left)
            ));
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

    /// Which of a snapshot and a plain file it is.
    fn decide(&mut self, plain: Option<Beginning>) -> Result<LoadPlan, String> {
        self.note_leftovers();
        let mut plan = match (self.manifest.take(), plain) {
            (None, None) => LoadPlan::default(),
            (None, Some(plain)) => self.plan_of_plain(plain, ""),
            (Some(manifest), None) => self.plan_of_set(&manifest, "")?,
            (Some(manifest), Some(plain)) => self.decide_between(&manifest, plain)?,
        };
        plan.remarks = std::mem::take(&mut self.remarks);
        Ok(plan)
    }

    /// Of two that Tessera has written the one whose cut is later counts: a crash came between the new one and the removal of the old
    /// one. What another server has written after the snapshot does not follow from it, so whoever runs the
    /// server must say which is to be lost.
    fn decide_between(&self, manifest: &Manifest, plain: Beginning) -> Result<LoadPlan, String> {
        let (set_name, plain_name) = (self.place.manifest_name(), self.place.merged_name());
        let set_cut_ms = manifest.cut_unix_ms.cast_signed();
        let is_older = plain.cut_ms().is_some_and(|cut_ms| cut_ms < set_cut_ms);
        if is_older {
            return self.plan_of_set(manifest, &format!(", which is newer than {plain_name}"));
        }
        if plain.own_cut_ms.is_some() {
            return Ok(self.plan_of_plain(plain, &format!(", which is newer than {set_name}")));
        }
        let when = plain.made_s.map_or("at a time that it does not say".to_owned(), |made_s| {
            format!("at {}", utc(made_s.saturating_mul(1000)))
        });
        Err(format!(
            "{} has both a snapshot of Tessera of {} ({set_name}) and a {plain_name} that another server wrote {when}. \
             One does not follow from the other, and only one can be loaded: move the other one away. The snapshot \
             is {set_name} and the files that it names",
            self.place.directory(),
            utc(set_cut_ms)
        ))
    }

    fn plan_of_plain(&self, plain: Beginning, note: &str) -> LoadPlan {
        let path = self.place.path(self.place.merged_name());
        let len_bytes = self.len_of(self.place.merged_name()).unwrap_or_default();
        LoadPlan {
            description: format!("{path} ({len_bytes} bytes){note}"),
            files: vec![PlannedFile { path, len_bytes, described: None }],
            used_memory_bytes: plain.used_memory_bytes,
            cut_ms: plain.cut_ms(),
            remarks: Vec::new(),
        }
    }

    fn plan_of_set(&self, manifest: &Manifest, note: &str) -> Result<LoadPlan, String> {
        let manifest_path = self.place.path(&self.place.manifest_name());
        let mut files = Vec::new();
        for file in &manifest.files {
            let problem = match self.len_of(&file.name) {
                Some(len_bytes) if len_bytes == file.len_bytes => {
                    let ShardFile { keys, crc64, rdb_version, .. } = *file;
                    let described = Some(Described { keys, crc64, rdb_version });
                    files.push(PlannedFile { path: self.place.path(&file.name), len_bytes, described });
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
            cut_ms: Some(manifest.cut_unix_ms.cast_signed()),
            remarks: Vec::new(),
        })
    }
}

impl Beginning {
    fn note(&mut self, name: &[u8], value: &[u8]) {
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        let Some(number) = number else { return };
        match name {
            CUT_FIELD => self.own_cut_ms = Some(number),
            TIME_FIELD => self.made_s = Some(number),
            MEMORY_FIELD => self.used_memory_bytes = u64::try_from(number).unwrap_or_default(),
            _ => {}
        }
    }
}

/// The first of some names, and how many more there are.
fn some_of(names: &[&str]) -> String {
    let told = names[..names.len().min(NAMES_TOLD_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_TOLD_MAX) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
