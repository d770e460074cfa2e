//! The files of a snapshot as a whole: what makes them the one that counts, and the removal of those that do not.
//!
//! Each job says what is to be asked of the disk, one thing after the other, and is told what came of it.

use super::file::{self, FileWriter};
use super::names::Place;
use crate::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest};

/// Read at a time when files are merged, in bytes.
const READ_LEN_BYTES: usize = 512 * 1024;

const _: () = assert!(READ_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// What was asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To write a new file.
    File(file::Asked),
    /// Something else; one at a time.
    Step,
}

/// Which of the shards' files are to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those that the manifest names.
    AsTheManifestSays,
    /// Those of this epoch; the manifest is known to name them.
    Epoch(u64),
    /// None, nor the manifest: all is in one file.
    Nothing,
}

/// What was found when files were tidied up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The highest epoch of any file.
    pub(crate) epoch_max: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TidyStage {
    List,
    SyncNames,
    OpenManifest,
    ReadManifest(FileId),
    CloseManifest(FileId),
    RemoveManifest,
    SyncRemoval,
    Remove,
    Over,
}

/// Removes what attempts that did not come to their end have left, and sets that others have taken the place of.
#[derive(Debug)]
pub(crate) struct Tidy {
    place: Place,
    keep: Keep,
    stage: TidyStage,
    is_asked: bool,
    found: Found,
    names: Vec<String>,
    manifest: Vec<u8>,
    removals: VecDeque<String>,
    failure: Option<String>,
    /// What the log should tell although it is no failure.
    pub(crate) remarks: Vec<String>,
}

impl Tidy {
    pub(crate) fn new(place: Place, keep: Keep) -> Tidy {
        Tidy {
            place,
            keep,
            stage: TidyStage::List,
            is_asked: false,
            found: Found::default(),
            names: Vec::new(),
            manifest: Vec::new(),
            removals: VecDeque::new(),
            failure: None,
            remarks: Vec::new(),
        }
    }

    fn manifest_path(&self) -> Arc<str> {
        self.place.path(&self.place.manifest_name())
    }

    fn next_operation(&mut self) -> Option<Operation> {
        if self.is_asked {
            return None;
        }
        let operation = match self.stage {
            TidyStage::List => Operation::List { directory: self.place.directory() },
            TidyStage::SyncNames | TidyStage::SyncRemoval => {
                Operation::SyncDirectory { directory: self.place.directory() }
            }
            TidyStage::OpenManifest => Operation::Open { path: self.manifest_path() },
            TidyStage::ReadManifest(file) => {
                Operation::Read { file, offset_bytes: self.manifest.len() as u64, len_bytes: READ_LEN_BYTES }
            }
            TidyStage::CloseManifest(file) => Operation::Close { file },
            TidyStage::RemoveManifest => Operation::Remove { path: self.manifest_path() },
            TidyStage::Remove => {
                let Some(name) = self.removals.front() else {
                    self.stage = TidyStage::Over;
                    return None;
                };
                Operation::Remove { path: self.place.path(name) }
            }
            TidyStage::Over => return None,
        };
        self.is_asked = true;
        Some(operation)
    }

    fn complete(&mut self, result: io::Result<Output>) {
        self.is_asked = false;
        match result {
            Ok(output) => self.step(output),
            Err(error) => self.step_failed(&error),
        }
    }

    fn step(&mut self, output: Output) {
        match (self.stage, output) {
            (TidyStage::List, Output::Names(names)) => {
                self.names = names.into_iter().map(|(name, _)| name).collect();
                let epochs = self.names.iter().filter_map(|name| self.place.epoch_of(name));
                self.found.epoch_max = epochs.max().unwrap_or(0);
                self.stage = match self.keep {
                    Keep::Epoch(_) => self.choose(),
                    // What the manifest says now must be what it says after a crash, before anything goes.
                    Keep::AsTheManifestSays => TidyStage::SyncNames,
                    Keep::Nothing if self.names.contains(&self.place.manifest_name()) => {
                        TidyStage::RemoveManifest
                    }
                    Keep::Nothing => self.choose(),
                };
            }
            (TidyStage::SyncNames, _) => {
                let has_manifest = self.names.contains(&self.place.manifest_name());
                self.stage = if has_manifest { TidyStage::OpenManifest } else { self.choose_all() };
            }
            (TidyStage::OpenManifest, Output::Opened(file, _)) => self.stage = TidyStage::ReadManifest(file),
            (TidyStage::ReadManifest(file), Output::Read(bytes)) => {
                self.manifest.extend_from_slice(&bytes);
                let is_whole = bytes.len() < READ_LEN_BYTES || self.manifest.len() > MANIFEST_MAX_LEN_BYTES;
                if is_whole {
                    self.stage = TidyStage::CloseManifest(file);
                }
            }
            (TidyStage::CloseManifest(_), _) => self.stage = self.read_manifest(),
            (TidyStage::RemoveManifest, _) => self.stage = TidyStage::SyncRemoval,
            (TidyStage::SyncRemoval, _) => self.stage = self.choose(),
            (TidyStage::Remove, _) => {
                self.removals.pop_front();
            }
            _ => self.stage = TidyStage::Over,
        }
    }

    fn step_failed(&mut self, error: &io::Error) {
        let directory = self.place.directory();
        match self.stage {
            TidyStage::List => self.fail(format!("listing {directory}: {error}")),
            TidyStage::SyncNames | TidyStage::SyncRemoval => {
                self.fail(format!("syncing {directory}: {error}"))
            }
            TidyStage::OpenManifest => self.leave_alone(format!("opening {}: {error}", self.manifest_path())),
            TidyStage::ReadManifest(file) => {
                self.remarks.push(format!("reading {}: {error}", self.manifest_path()));
                // Half of it says nothing.
                self.manifest.clear();
                self.stage = TidyStage::CloseManifest(file);
            }
            TidyStage::CloseManifest(_) => {
                self.leave_alone(format!("closing {}: {error}", self.manifest_path()))
            }
            TidyStage::RemoveManifest if error.kind() == io::ErrorKind::NotFound => {
                self.stage = TidyStage::SyncRemoval;
            }
            TidyStage::RemoveManifest => self.fail(format!("removing {}: {error}", self.manifest_path())),
            TidyStage::Remove => {
                if let Some(name) = self.removals.pop_front()
                    && error.kind() != io::ErrorKind::NotFound
                {
                    self.remarks.push(format!("removing {}: {error}", self.place.path(&name)));
                }
            }
            TidyStage::Over => {}
        }
    }

    fn fail(&mut self, why: String) {
        self.failure = Some(why);
        self.stage = TidyStage::Over;
    }

    /// Nothing is removed because nobody knows what is needed.
    fn leave_alone(&mut self, why: String) {
        self.remarks.push(why);
        self.stage = TidyStage::Over;
    }

    fn read_manifest(&mut self) -> TidyStage {
        match Manifest::decode(&self.manifest) {
            Ok(manifest) => {
                self.keep = Keep::Epoch(manifest.epoch);
                self.found.epoch_max = self.found.epoch_max.max(manifest.epoch);
                self.choose()
            }
            Err(problem) => {
                self.remarks.push(format!("{}: {problem}; no file is removed", self.manifest_path()));
                TidyStage::Over
            }
        }
    }

    fn choose_all(&mut self) -> TidyStage {
        self.keep = Keep::Nothing;
        self.choose()
    }

    fn choose(&mut self) -> TidyStage {
        let (place, keep) = (&self.place, self.keep);
        let goes = |name: &String| {
            place.is_temporary(name) || place.epoch_of(name).is_some_and(|epoch| keep != Keep::Epoch(epoch))
        };
        self.removals = self.names.drain(..).filter(goes).collect();
        TidyStage::Remove
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PublishStage {
    Writing,
    Renaming,
    Syncing,
    Over,
}

/// Gives a file that is written under a temporary name its own, once it is on the disk: this makes the snapshot the one
/// that counts.
#[derive(Debug)]
pub(crate) struct Publish {
    place: Place,
    name: String,
    pub(crate) file: FileWriter,
    stage: PublishStage,
    is_asked: bool,
    failure: Option<String>,
}

impl Publish {
    /// Of the file `name`, still to be written.
    pub(crate) fn new(place: Place, name: String) -> Publish {
        let file = FileWriter::new(place.path(&Place::temporary(&name)));
        Publish { place, name, file, stage: PublishStage::Writing, is_asked: false, failure: None }
    }

    /// The same of a manifest.
    pub(crate) fn manifest(place: Place, manifest: &Manifest) -> Publish {
        let name = place.manifest_name();
        let mut publish = Publish::new(place, name);
        publish.file.buffer().extend_from_slice(&manifest.encode());
        publish.file.push();
        publish.file.finish();
        publish
    }

    fn next_operation(&mut self) -> Option<(Asked, Operation)> {
        if self.stage == PublishStage::Writing {
            if let Some((asked, operation)) = self.file.next_operation() {
                return Some((Asked::File(asked), operation));
            }
            match self.file.outcome()? {
                Ok(()) => self.stage = PublishStage::Renaming,
                Err(why) => {
                    self.failure = Some(why.to_owned());
                    self.stage = PublishStage::Over;
                }
            }
        }
        if self.is_asked {
            return None;
        }
        let operation = match self.stage {
            PublishStage::Renaming => Operation::Rename {
                from: self.place.path(&Place::temporary(&self.name)),
                to: self.place.path(&self.name),
            },
            PublishStage::Syncing => Operation::SyncDirectory { directory: self.place.directory() },
            PublishStage::Writing | PublishStage::Over => return None,
        };
        self.is_asked = true;
        Some((Asked::Step, operation))
    }

    fn complete(&mut self, result: io::Result<Output>) {
        self.is_asked = false;
        let (verb, what) = match self.stage {
            PublishStage::Renaming => ("renaming to", self.place.path(&self.name)),
            _ => ("syncing", self.place.directory()),
        };
        if let Err(error) = result {
            self.failure = Some(format!("{verb} {what}: {error}"));
            self.stage = PublishStage::Over;
        } else {
            self.stage = match self.stage {
                PublishStage::Renaming => PublishStage::Syncing,
                _ => PublishStage::Over,
            };
        }
    }
}

/// A shard's file, of which the body is to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) path: Arc<str>,
    pub(crate) offset_bytes: u64,
    pub(crate) len_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MergeStage {
    Open,
    Read(FileId),
    Close(FileId),
    Copied,
}

/// Puts the bodies of several files into one.
#[derive(Debug)]
pub(crate) struct Merge {
    publish: Publish,
    bodies: VecDeque<Body>,
    stage: MergeStage,
    is_asked: bool,
    /// Where in the file to read next: a multiple of [`BLOCK_LEN_BYTES`].
    offset_bytes: u64,
    /// The file ends with its checksum.
    states_checksum: bool,
}

impl Merge {
    /// Into `publish`, whose file has its header.
    pub(crate) fn new(publish: Publish, bodies: Vec<Body>, states_checksum: bool) -> Merge {
        let mut merge = Merge {
            publish,
            bodies: bodies.into(),
            stage: MergeStage::Open,
            is_asked: false,
            offset_bytes: 0,
            states_checksum,
        };
        merge.begin_body();
        merge
    }

    fn begin_body(&mut self) {
        match self.bodies.front() {
            Some(body) => {
                let blocks = body.offset_bytes / BLOCK_LEN_BYTES as u64;
                self.offset_bytes = blocks * BLOCK_LEN_BYTES as u64;
                self.stage = MergeStage::Open;
            }
            None => {
                self.stage = MergeStage::Copied;
                super::part::put_file_end(&mut self.publish.file, self.states_checksum);
            }
        }
    }

    fn next_operation(&mut self) -> Option<(Asked, Operation)> {
        if let Some(next) = self.publish.next_operation() {
            return Some(next);
        }
        if self.is_asked {
            return None;
        }
        let body = self.bodies.front()?;
        let operation = match self.stage {
            MergeStage::Open if self.publish.file.has_failed() => return None,
            MergeStage::Open => Operation::Open { path: body.path.clone() },
            MergeStage::Read(file) if self.publish.file.has_failed() => {
                self.stage = MergeStage::Close(file);
                Operation::Close { file }
            }
            MergeStage::Read(file) if self.publish.file.has_room() => {
                Operation::Read { file, offset_bytes: self.offset_bytes, len_bytes: READ_LEN_BYTES }
            }
            MergeStage::Close(file) => Operation::Close { file },
            MergeStage::Read(_) | MergeStage::Copied => return None,
        };
        self.is_asked = true;
        Some((Asked::Step, operation))
    }

    fn complete(&mut self, result: io::Result<Output>) {
        if self.stage == MergeStage::Copied {
            return self.publish.complete(result);
        }
        self.is_asked = false;
        let Some(body) = self.bodies.front() else { return };
        let end_bytes = body.offset_bytes + body.len_bytes;
        match (self.stage, result) {
            (MergeStage::Open, Ok(Output::Opened(file, _))) => self.stage = MergeStage::Read(file),
            (MergeStage::Read(file), Ok(Output::Read(bytes))) => {
                let here = |at: u64| (at.saturating_sub(self.offset_bytes) as usize).min(bytes.len());
                let wanted = &bytes[here(body.offset_bytes)..here(end_bytes)];
                self.publish.file.buffer().extend_from_slice(wanted);
                self.publish.file.push();
                self.offset_bytes += bytes.len() as u64;
                if self.offset_bytes >= end_bytes {
                    self.stage = MergeStage::Close(file);
                } else if bytes.len() < READ_LEN_BYTES {
                    let why = format!("reading {}: it is shorter than it was written", body.path);
                    self.publish.file.abandon(&why);
                }
            }
            (MergeStage::Close(_), Ok(_)) if !self.publish.file.has_failed() => {
                self.bodies.pop_front();
                self.begin_body();
            }
            (stage, Err(error)) => {
                let verb = match stage {
                    MergeStage::Open => "opening",
                    MergeStage::Read(_) => "reading",
                    _ => "closing",
                };
                self.publish.file.abandon(&format!("{verb} {}: {error}", body.path));
                if matches!(stage, MergeStage::Close(_)) {
                    self.stage = MergeStage::Open;
                }
            }
            // It has failed, and what was open is closed.
            _ => self.stage = MergeStage::Open,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.stage, MergeStage::Open | MergeStage::Copied) && !self.is_asked
    }
}

/// What node 0 does with the files.
#[derive(Debug)]
pub(crate) enum Job {
    Tidy(Tidy),
    Publish(Publish),
    Merge(Merge),
}

impl Job {
    /// What is to be asked of the disk next.
    pub(crate) fn next_operation(&mut self) -> Option<(Asked, Operation)> {
        match self {
            Job::Tidy(tidy) => tidy.next_operation().map(|operation| (Asked::Step, operation)),
            Job::Publish(publish) => publish.next_operation(),
            Job::Merge(merge) => merge.next_operation(),
        }
    }

    /// Takes in what came of it.
    pub(crate) fn complete(&mut self, asked: Asked, result: io::Result<Output>) {
        match (self, asked) {
            (Job::Tidy(tidy), _) => tidy.complete(result),
            (Job::Publish(publish), Asked::File(asked)) => publish.file.complete(asked, result),
            (Job::Publish(publish), Asked::Step) => publish.complete(result),
            (Job::Merge(merge), Asked::File(asked)) => merge.publish.file.complete(asked, result),
            (Job::Merge(merge), Asked::Step) => merge.complete(result),
        }
    }

    /// What came of the job, when it is over.
    pub(crate) fn outcome(&self) -> Option<Result<Found, String>> {
        let (is_over, failure, found) = match self {
            Job::Tidy(tidy) => (tidy.stage == TidyStage::Over, &tidy.failure, tidy.found),
            Job::Publish(publish) => {
                (publish.stage == PublishStage::Over, &publish.failure, Found::default())
            }
            Job::Merge(merge) => {
                let is_over = merge.publish.stage == PublishStage::Over && merge.is_closed();
                (is_over, &merge.publish.failure, Found::default())
            }
        };
        is_over.then(|| failure.clone().map_or(Ok(found), Err))
    }
}
