//! The files of a snapshot as a whole: what makes them the one that counts.
//!
//! Each job says what is to be asked of the disk, one thing after the other, and is told what came of it.

use super::file::{self, FileWriter};
use super::names::Place;
use super::tidy::{Prepare, Remark, Tidy};
use crate::disk::{BLOCK_LEN_BYTES, FileId, Listed, Operation, Output};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tessera_storage::manifest::Manifest;

/// Read at a time when files are merged, in bytes.
const READ_LEN_BYTES: usize = 512 * 1024;

const _: () = assert!(READ_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// What was asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetStep {
    /// To write a new file.
    File(file::FileStep),
    /// Something else; one at a time.
    Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PublishStage {
    Writing,
    /// Whether all that is to count is there.
    Looking,
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
    /// The files besides that must be there, and their lengths.
    parts: Vec<(String, u64)>,
    stage: PublishStage,
    is_asked: bool,
    failure: Option<String>,
}

impl Publish {
    /// Of the file `name`, still to be written.
    pub(crate) fn new(place: Place, name: String) -> Publish {
        let file = FileWriter::new(place.path(&Place::temporary(&name)));
        let parts = Vec::new();
        Publish { place, name, file, parts, stage: PublishStage::Writing, is_asked: false, failure: None }
    }

    /// The same of a manifest.
    pub(crate) fn manifest(place: Place, manifest: &Manifest) -> Publish {
        let name = place.manifest_name();
        let mut publish = Publish::new(place, name);
        publish.parts = manifest.files.iter().map(|file| (file.name.clone(), file.len_bytes)).collect();
        publish.file.buffer().extend_from_slice(&manifest.encode());
        publish.file.push();
        publish.file.finish();
        publish
    }

    fn next_operation(&mut self) -> Option<(SetStep, Operation)> {
        if self.stage == PublishStage::Writing {
            if let Some((asked, operation)) = self.file.next_operation() {
                return Some((SetStep::File(asked), operation));
            }
            match self.file.outcome()? {
                Ok(()) => self.stage = PublishStage::Looking,
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
            PublishStage::Looking => Operation::List { directory: self.place.directory() },
            PublishStage::Renaming => Operation::Rename {
                from: self.place.path(&Place::temporary(&self.name)),
                to: self.place.path(&self.name),
            },
            PublishStage::Syncing => Operation::SyncDirectory { directory: self.place.directory() },
            PublishStage::Writing | PublishStage::Over => return None,
        };
        self.is_asked = true;
        Some((SetStep::Step, operation))
    }

    fn complete(&mut self, result: io::Result<Output>) {
        self.is_asked = false;
        let (verb, what) = match self.stage {
            PublishStage::Looking => ("listing", self.place.directory()),
            PublishStage::Renaming => ("renaming to", self.place.path(&self.name)),
            _ => ("syncing", self.place.directory()),
        };
        let outcome = match result {
            Err(error) => Err(format!("{verb} {what}: {error}")),
            Ok(Output::Names(names)) => self.look(&names),
            Ok(_) => Ok(()),
        };
        self.stage = match (self.stage, &outcome) {
            (PublishStage::Looking, Ok(())) => PublishStage::Renaming,
            (PublishStage::Renaming, Ok(())) => PublishStage::Syncing,
            _ => PublishStage::Over,
        };
        self.failure = outcome.err();
    }

    /// Whether all files are there as they were written. Who removes them must not have the set before removed by this one as well.
    fn look(&self, names: &[Listed]) -> Result<(), String> {
        let own = (Place::temporary(&self.name), self.file.len_bytes());
        for (name, len_bytes) in self.parts.iter().chain([&own]) {
            let path = self.place.path(name);
            match names.iter().find(|listed| listed.name == *name) {
                Some(listed) if listed.is_regular && listed.len_bytes == *len_bytes => {}
                Some(listed) => {
                    let found = listed.len_bytes;
                    return Err(format!("{path} was written with {len_bytes} bytes and has {found} now"));
                }
                None => return Err(format!("{path} was written and is gone")),
            }
        }
        Ok(())
    }
}

/// Part of a shard's file, which is to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// What comes before it.
    pub(crate) before: Vec<u8>,
    pub(crate) path: Arc<str>,
    pub(crate) offset_bytes: u64,
    pub(crate) len_bytes: u64,
}

impl Body {
    /// A file as a whole.
    pub(crate) fn whole(path: Arc<str>, len_bytes: u64) -> Body {
        Body { before: Vec::new(), path, offset_bytes: 0, len_bytes }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MergeStage {
    Open,
    Read(FileId),
    Close(FileId),
    Copied,
}

/// Puts parts of several files into one.
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
            Some(_) => {
                self.stage = MergeStage::Open;
                self.aim();
            }
            None => {
                self.stage = MergeStage::Copied;
                super::part::put_file_end(&mut self.publish.file, self.states_checksum);
            }
        }
    }

    /// Begins with the first of those that are left.
    fn aim(&mut self) {
        let Some(body) = self.bodies.front() else { return };
        let blocks = body.offset_bytes / BLOCK_LEN_BYTES as u64;
        self.offset_bytes = blocks * BLOCK_LEN_BYTES as u64;
        self.publish.file.buffer().extend_from_slice(&body.before);
        self.publish.file.push();
    }

    /// The first one is copied. It has been read from `file`, which may have the next as well.
    fn end_body(&mut self, file: FileId) {
        let mut paths = self.bodies.iter().map(|body| &body.path);
        if paths.next() == paths.next() {
            self.bodies.pop_front();
            self.aim();
        } else {
            self.stage = MergeStage::Close(file);
        }
    }

    fn next_operation(&mut self) -> Option<(SetStep, Operation)> {
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
                let left_bytes = (body.offset_bytes + body.len_bytes).saturating_sub(self.offset_bytes);
                let len_bytes = usize::try_from(left_bytes).unwrap_or(usize::MAX).clamp(1, READ_LEN_BYTES);
                let len_bytes = len_bytes.next_multiple_of(BLOCK_LEN_BYTES);
                Operation::Read { file, offset_bytes: self.offset_bytes, len_bytes }
            }
            MergeStage::Close(file) => Operation::Close { file },
            MergeStage::Read(_) | MergeStage::Copied => return None,
        };
        self.is_asked = true;
        Some((SetStep::Step, operation))
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
                    self.end_body(file);
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
    Prepare(Prepare),
    Tidy(Tidy),
    Publish(Publish),
    Merge(Merge),
}

/// What came of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The snapshot has this number.
    Prepared(u64),
    /// What is to count counts.
    Published,
    /// What is not needed is removed, as far as that went; the log should tell this.
    Tidied(Vec<Remark>),
}

impl Job {
    /// What is to be asked of the disk next.
    pub(crate) fn next_operation(&mut self) -> Option<(SetStep, Operation)> {
        match self {
            Job::Prepare(prepare) => prepare.next_operation().map(|operation| (SetStep::Step, operation)),
            Job::Tidy(tidy) => tidy.next_operation().map(|operation| (SetStep::Step, operation)),
            Job::Publish(publish) => publish.next_operation(),
            Job::Merge(merge) => merge.next_operation(),
        }
    }

    /// Takes in what came of it.
    pub(crate) fn complete(&mut self, asked: SetStep, result: io::Result<Output>) {
        match (self, asked) {
            (Job::Prepare(prepare), _) => prepare.complete(result),
            (Job::Tidy(tidy), _) => tidy.complete(result),
            (Job::Publish(publish), SetStep::File(asked)) => publish.file.complete(asked, result),
            (Job::Publish(publish), SetStep::Step) => publish.complete(result),
            (Job::Merge(merge), SetStep::File(asked)) => merge.publish.file.complete(asked, result),
            (Job::Merge(merge), SetStep::Step) => merge.complete(result),
        }
    }

    /// What came of the job, when it is over.
    pub(crate) fn outcome(&mut self) -> Option<Result<Outcome, String>> {
        let (is_over, failure) = match self {
            Job::Prepare(prepare) => return Some(prepare.outcome()?.map(Outcome::Prepared)),
            Job::Tidy(tidy) if tidy.is_over() => {
                return Some(Ok(Outcome::Tidied(tidy.take_remarks())));
            }
            Job::Tidy(_) => return None,
            Job::Publish(publish) => (publish.stage == PublishStage::Over, &publish.failure),
            Job::Merge(merge) => {
                let is_over = merge.publish.stage == PublishStage::Over && merge.is_closed();
                (is_over, &merge.publish.failure)
            }
        };
        is_over.then(|| failure.clone().map_or(Ok(Outcome::Published), Err))
    }
}
