//! What there is to load: the files of a snapshot, one plain file, or nothing.

use super::manifest::read_manifest;
use super::plan::{Described, LoadPlan, PlannedFile};
use super::reader::FileReader;
use crate::desk::Desk;
use crate::disk::{Completion, Disk, FileId, Listed, Operation, Output};
use crate::disk_job::DiskJob;
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

/// What a server that starts in a directory would load, as it finds it itself. `carry_out` does on a disk what it is
/// told.
///
/// # Errors
/// Why it would not start: a sentence.
pub fn find(
    directory: &Path,
    db_filename: &[u8],
    carry_out: impl FnMut(Operation) -> io::Result<Output> + 'static,
) -> Result<LoadPlan, String> {
    let desk = Desk::new(Box::new(AtOnce { carry_out, completions: Vec::new() }));
    let place = Place::new(directory, db_filename)?;
    let mut job = DiskJob::new(find_plan(desk.clone(), place, DecodeOptions::default()));
    loop {
        if let Some(found) = job.go_on() {
            return found;
        }
        desk.collect();
    }
}

/// A disk that has done what it is told when it has been told so.
struct AtOnce<F> {
    carry_out: F,
    completions: Vec<Completion>,
}

impl<F: FnMut(Operation) -> io::Result<Output>> Disk for AtOnce<F> {
    fn submit(&mut self, tag: u64, operation: Operation) {
        let result = (self.carry_out)(operation);
        self.completions.push(Completion { tag, result });
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        into.append(&mut self.completions);
    }

    fn is_direct(&self, _file: FileId) -> bool {
        false
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

/// Looks for what to load.
///
/// # Errors
/// What keeps the server from knowing what to load: a sentence.
pub(crate) async fn find_plan(desk: Desk, place: Place, options: DecodeOptions) -> Result<LoadPlan, String> {
    let directory = place.directory();
    let names = desk.list(&directory).await.map_err(|error| format!("{directory}: {error}"))?;
    let mut found = Found { place, names, remarks: Vec::new() };
    found.refuse_what_is_no_file()?;
    let manifest_path = found.place.path(&found.place.manifest_name());
    let manifest = match found.len_of(&found.place.manifest_name()) {
        Some(len_bytes) if len_bytes > MANIFEST_MAX_LEN_BYTES as u64 => {
            return Err(format!("{manifest_path}: too long for a manifest"));
        }
        Some(_) => Some(read_manifest(&desk, &manifest_path).await?),
        None => {
            found.refuse_files_without_manifest()?;
            found.look_for_log_of_writes()?;
            None
        }
    };
    let plain = if found.has(found.place.merged_name()) {
        Some(read_beginning(desk, found.place.path(found.place.merged_name()), options).await?)
    } else {
        None
    };
    found.decide(manifest, plain)
}

/// What the beginning of a plain file says.
async fn read_beginning(desk: Desk, path: Arc<str>, options: DecodeOptions) -> Result<Beginning, String> {
    let (mut reader, mut decoder) = (FileReader::new(desk, path.clone()), Decoder::new(options));
    let mut beginning = Beginning::default();
    while let Some(piece) = reader.piece().await.map_err(|error| format!("{path}: {error}"))? {
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
    Ok(beginning)
}

/// What is in the directory.
struct Found {
    place: Place,
    names: Vec<Listed>,
    remarks: Vec<String>,
}

impl Found {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| listed.name == name)
    }

    fn len_of(&self, name: &str) -> Option<u64> {
        self.names.iter().find(|listed| listed.name == name).map(|listed| listed.len_bytes)
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

    /// Shards' files are a snapshot only together with their manifest. Without it they are what a first snapshot has
    /// left that did not come to its end, if that is marked; or else somebody has lost the manifest, and must not lose
    /// the files too.
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

    /// What Redis wrote with `appendonly yes` is in its log of writes, which cannot be read here. Perhaps nothing else
    /// is there, or what is there is older.
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
    fn note_leftovers(&mut self, manifest: Option<&Manifest>) {
        let place = &self.place;
        let named: Vec<&str> = manifest.iter().flat_map(|set| &set.files).map(|file| &*file.name).collect();
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

    /// Which of a snapshot and a plain file it is.
    fn decide(mut self, manifest: Option<Manifest>, plain: Option<Beginning>) -> Result<LoadPlan, String> {
        self.note_leftovers(manifest.as_ref());
        let mut plan = match (manifest, plain) {
            (None, None) => LoadPlan::default(),
            (None, Some(plain)) => self.plan_of_plain(plain, ""),
            (Some(manifest), None) => self.plan_of_set(&manifest, "")?,
            (Some(manifest), Some(plain)) => self.decide_between(&manifest, plain)?,
        };
        plan.remarks = self.remarks;
        Ok(plan)
    }

    /// Of two that Tessera has written the one whose cut is later counts: a crash came between the new one and the
    /// removal of the old one. What another server has written after the snapshot does not follow from it, so whoever
    /// runs the server must say which is to be lost.
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
