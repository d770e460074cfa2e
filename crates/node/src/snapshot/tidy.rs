//! What is done in the directory before a snapshot and after it.
//!
//! Files are removed after a snapshot only. Once it counts, all others of its names go. If it has failed, what it
//! wrote itself goes. What a server finds at its start stays until its own first snapshot is whole.

use super::names::Place;
use crate::disk::{FileId, Listed, Operation, Output};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest};

/// Of a manifest read at a time, in bytes.
const READ_LEN_BYTES: usize = 512 * 1024;
/// How many names the log lists.
const NAMES_TOLD_MAX: usize = 8;

/// Finds the number of the next snapshot. Where there is no manifest, it makes a mark besides, by which its files are known as those
/// of a snapshot that did not come to its end.
#[derive(Debug)]
pub(crate) struct Prepare {
    place: Place,
    stage: PrepareStage,
    is_asked: bool,
    epoch: u64,
    failure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PrepareStage {
    List,
    Mark,
    CloseMark(FileId),
    SyncMark,
    /// After a failure.
    RemoveMark,
    Over,
}

impl Prepare {
    pub(crate) fn new(place: Place) -> Prepare {
        Prepare { place, stage: PrepareStage::List, is_asked: false, epoch: 0, failure: None }
    }

    pub(super) fn next_operation(&mut self) -> Option<Operation> {
        if self.is_asked {
            return None;
        }
        let operation = match self.stage {
            PrepareStage::List => Operation::List { directory: self.place.directory() },
            PrepareStage::Mark => Operation::Create { path: self.mark_path() },
            PrepareStage::CloseMark(file) => Operation::Close { file },
            PrepareStage::SyncMark => Operation::SyncDirectory { directory: self.place.directory() },
            PrepareStage::RemoveMark => Operation::Remove { path: self.mark_path() },
            PrepareStage::Over => return None,
        };
        self.is_asked = true;
        Some(operation)
    }

    fn mark_path(&self) -> Arc<str> {
        self.place.path(&self.place.mark_name(self.epoch))
    }

    pub(super) fn complete(&mut self, result: io::Result<Output>) {
        self.is_asked = false;
        let verb = match self.stage {
            PrepareStage::List => "listing",
            PrepareStage::Mark => "creating a file in",
            PrepareStage::CloseMark(_) => "closing a file in",
            _ => "syncing",
        };
        self.stage = match (self.stage, result) {
            (PrepareStage::RemoveMark, _) => PrepareStage::Over,
            (stage, Err(error)) => {
                self.failure = Some(format!("{verb} {}: {error}", self.place.directory()));
                let has_mark = matches!(stage, PrepareStage::CloseMark(_) | PrepareStage::SyncMark);
                if has_mark { PrepareStage::RemoveMark } else { PrepareStage::Over }
            }
            (PrepareStage::List, Ok(Output::Names(names))) => return self.look(&names),
            (PrepareStage::Mark, Ok(Output::File(file))) => PrepareStage::CloseMark(file),
            (PrepareStage::CloseMark(_), _) => PrepareStage::SyncMark,
            _ => PrepareStage::Over,
        };
    }

    fn look(&mut self, names: &[Listed]) {
        let place = &self.place;
        let epoch_of = |listed: &Listed| place.epoch_of(&listed.name).or(place.epoch_of_mark(&listed.name));
        // A number that cannot grow any more is nobody's.
        let epochs = names.iter().filter_map(epoch_of).filter(|epoch| *epoch < u64::MAX);
        self.epoch = epochs.max().unwrap_or(0) + 1;
        let manifest_name = place.manifest_name();
        self.stage = match names.iter().find(|listed| listed.name == manifest_name) {
            Some(Listed { is_regular: false, .. }) => {
                self.failure = Some(format!("{} is not a regular file", self.place.path(&manifest_name)));
                PrepareStage::Over
            }
            Some(_) => PrepareStage::Over,
            None => PrepareStage::Mark,
        };
    }

    /// The snapshot's number, once it is known.
    pub(super) fn outcome(&self) -> Option<Result<u64, String>> {
        let outcome = || self.failure.clone().map_or(Ok(self.epoch), Err);
        (self.stage == PrepareStage::Over).then(outcome)
    }
}

/// Which files are to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those of this epoch, which count; the one file steps aside.
    Epoch(u64),
    /// The one file, which counts, and neither a manifest nor what it names.
    OneFile,
    /// All but those of this epoch, which has failed; also the temporary file, if that was begun.
    AllBut {
        /// The epoch.
        epoch: u64,
        /// The temporary file is of this snapshot.
        had_temporary: bool,
    },
}

/// What the log should tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) text: String,
    /// It is as it should be.
    pub(crate) is_routine: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TidyStage {
    List,
    OpenManifest,
    ReadManifest(FileId),
    CloseManifest(FileId),
    Remove,
    SyncRemoval,
    RemoveLast,
    SetAside,
    Over,
}

/// Removes files after a snapshot. That it cannot is no failure of the snapshot.
#[derive(Debug)]
pub(crate) struct Tidy {
    place: Place,
    keep: Keep,
    stage: TidyStage,
    is_asked: bool,
    names: Vec<Listed>,
    manifest: Vec<u8>,
    removals: VecDeque<String>,
    /// Those that go when it is certain that the others are gone.
    last_removals: VecDeque<String>,
    /// The one file gets another name.
    sets_aside: bool,
    removed: Vec<String>,
    remarks: Vec<Remark>,
}

impl Tidy {
    pub(crate) fn new(place: Place, keep: Keep) -> Tidy {
        Tidy {
            place,
            keep,
            stage: TidyStage::List,
            is_asked: false,
            names: Vec::new(),
            manifest: Vec::new(),
            removals: VecDeque::new(),
            last_removals: VecDeque::new(),
            sets_aside: false,
            removed: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Something is not as it should be.
    fn warn(&mut self, text: String) {
        self.remarks.push(Remark { text, is_routine: false });
    }

    fn manifest_path(&self) -> Arc<str> {
        self.place.path(&self.place.manifest_name())
    }

    pub(super) fn next_operation(&mut self) -> Option<Operation> {
        if self.is_asked {
            return None;
        }
        if self.stage == TidyStage::Remove && self.removals.is_empty() {
            self.stage =
                if self.last_removals.is_empty() { self.after_removal() } else { TidyStage::SyncRemoval };
        }
        if self.stage == TidyStage::RemoveLast && self.last_removals.is_empty() {
            self.stage = self.after_removal();
        }
        let directory = || self.place.directory();
        let operation = match self.stage {
            TidyStage::List => Operation::List { directory: directory() },
            TidyStage::OpenManifest => Operation::Open { path: self.manifest_path() },
            TidyStage::ReadManifest(file) => {
                Operation::Read { file, offset_bytes: self.manifest.len() as u64, len_bytes: READ_LEN_BYTES }
            }
            TidyStage::CloseManifest(file) => Operation::Close { file },
            TidyStage::Remove => Operation::Remove { path: self.place.path(self.removals.front()?) },
            TidyStage::SyncRemoval => Operation::SyncDirectory { directory: directory() },
            TidyStage::RemoveLast => Operation::Remove { path: self.place.path(self.last_removals.front()?) },
            TidyStage::SetAside => Operation::Rename {
                from: self.place.path(self.place.merged_name()),
                to: self.place.path(&self.place.replaced_name()),
            },
            TidyStage::Over => return None,
        };
        self.is_asked = true;
        Some(operation)
    }

    fn after_removal(&self) -> TidyStage {
        if self.sets_aside { TidyStage::SetAside } else { TidyStage::Over }
    }

    pub(super) fn complete(&mut self, result: io::Result<Output>) {
        self.is_asked = false;
        match result {
            Ok(output) => self.step(output),
            Err(error) => self.step_failed(&error),
        }
    }

    fn step(&mut self, output: Output) {
        match (self.stage, output) {
            (TidyStage::List, Output::Names(names)) => {
                self.names = names;
                let manifest_name = self.place.manifest_name();
                let has_manifest = self.names.iter().any(|listed| listed.name == manifest_name);
                self.stage = match self.keep {
                    Keep::AllBut { .. } if has_manifest => TidyStage::OpenManifest,
                    _ => self.choose(),
                };
            }
            (TidyStage::OpenManifest, Output::Opened(file, _)) => self.stage = TidyStage::ReadManifest(file),
            (TidyStage::ReadManifest(file), Output::Read(bytes)) => {
                self.manifest.extend_from_slice(&bytes);
                if bytes.len() < READ_LEN_BYTES || self.manifest.len() > MANIFEST_MAX_LEN_BYTES {
                    self.stage = TidyStage::CloseManifest(file);
                }
            }
            (TidyStage::CloseManifest(_), _) => self.stage = self.read_manifest(),
            (TidyStage::Remove, _) => self.removed.extend(self.removals.pop_front()),
            (TidyStage::SyncRemoval, _) => self.stage = TidyStage::RemoveLast,
            (TidyStage::RemoveLast, _) => self.removed.extend(self.last_removals.pop_front()),
            (TidyStage::SetAside, _) => {
                let (name, aside) = (self.place.merged_name(), self.place.replaced_name());
                self.warn(format!(
                    "{name} is called {aside} now: the snapshot has taken its place. It is of no more use but to go back to \
                     what was before"
                ));
                self.stage = TidyStage::Over;
            }
            _ => self.stage = TidyStage::Over,
        }
    }

    fn step_failed(&mut self, error: &io::Error) {
        let is_gone = error.kind() == io::ErrorKind::NotFound;
        let (verb, what) = match self.stage {
            TidyStage::Remove | TidyStage::RemoveLast => {
                let removals = if self.stage == TidyStage::Remove {
                    &mut self.removals
                } else {
                    &mut self.last_removals
                };
                if let Some(name) = removals.pop_front()
                    && !is_gone
                {
                    self.warn(format!("removing {}: {error}", self.place.path(&name)));
                    // What tells what these files are must stay with them.
                    self.last_removals.clear();
                }
                return;
            }
            TidyStage::ReadManifest(file) => {
                self.warn(format!("reading {}: {error}", self.manifest_path()));
                // Half of it says nothing.
                self.manifest.clear();
                self.stage = TidyStage::CloseManifest(file);
                return;
            }
            TidyStage::List => ("listing", self.place.directory()),
            TidyStage::SyncRemoval => ("syncing", self.place.directory()),
            TidyStage::OpenManifest => ("opening", self.manifest_path()),
            TidyStage::SetAside => ("renaming", self.place.path(self.place.merged_name())),
            TidyStage::CloseManifest(_) | TidyStage::Over => ("closing", self.manifest_path()),
        };
        // Nothing is removed if nobody knows what is needed.
        self.warn(format!("{verb} {what}: {error}"));
        self.stage = TidyStage::Over;
    }

    /// The snapshot has failed: but perhaps its manifest is there, and only that is not certain to stay.
    fn read_manifest(&mut self) -> TidyStage {
        match (Manifest::decode(&self.manifest), self.keep) {
            (Ok(manifest), Keep::AllBut { epoch, .. }) if manifest.epoch == epoch => TidyStage::Over,
            (Ok(_), _) => self.choose(),
            (Err(problem), _) => {
                self.warn(format!("{}: {problem}; no file is removed", self.manifest_path()));
                TidyStage::Over
            }
        }
    }

    fn choose(&mut self) -> TidyStage {
        let (place, keep) = (&self.place, self.keep);
        let manifest_name = place.manifest_name();
        for Listed { name, is_regular, .. } in self.names.drain(..) {
            if !is_regular {
                continue;
            }
            let (part, mark) = (place.epoch_of(&name), place.epoch_of_mark(&name));
            let is_temporary = place.is_temporary(&name);
            let (goes, goes_last) = match keep {
                Keep::Epoch(epoch) => {
                    self.sets_aside |= name == place.merged_name();
                    (part.is_some_and(|part| part != epoch) || mark.is_some() || is_temporary, false)
                }
                Keep::OneFile => (part.is_some() || is_temporary, mark.is_some() || name == manifest_name),
                Keep::AllBut { epoch, had_temporary } => {
                    (part == Some(epoch) || is_temporary && had_temporary, mark == Some(epoch))
                }
            };
            if goes {
                self.removals.push_back(name);
            } else if goes_last {
                self.last_removals.push_back(name);
            }
        }
        TidyStage::Remove
    }

    pub(super) fn is_over(&self) -> bool {
        self.stage == TidyStage::Over
    }

    /// What the log should tell, once it is over.
    pub(super) fn take_remarks(&mut self) -> Vec<Remark> {
        let (what, is_routine) = match self.keep {
            Keep::AllBut { .. } => ("what the snapshot that failed had written", false),
            Keep::Epoch(_) | Keep::OneFile => ("files of earlier snapshots", true),
        };
        if !self.removed.is_empty() {
            let text = format!("removed {what}: {}", some_of(&self.removed));
            self.remarks.insert(0, Remark { text, is_routine });
        }
        std::mem::take(&mut self.remarks)
    }
}

/// The first of some names, and how many more there are.
fn some_of(names: &[String]) -> String {
    let told = names[..names.len().min(NAMES_TOLD_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_TOLD_MAX) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What the log is told after a disk with these names has done what it was asked, or has refused to remove anything.
    fn remarks(names: &[&str], keep: Keep, removes: bool) -> Vec<(String, bool)> {
        let place = Place::new(Path::new("/data"), b"dump.rdb").expect("names a file");
        let mut tidy = Tidy::new(place, keep);
        while let Some(operation) = tidy.next_operation() {
            tidy.complete(match operation {
                Operation::List { .. } => {
                    Ok(Output::Names(names.iter().map(|name| Listed::file(*name, 1)).collect()))
                }
                Operation::Remove { .. } if !removes => Err(io::ErrorKind::PermissionDenied.into()),
                _ => Ok(Output::Done),
            });
        }
        assert!(tidy.is_over());
        tidy.take_remarks().into_iter().map(|remark| (remark.text, remark.is_routine)).collect()
    }

    #[test]
    fn only_what_somebody_should_look_at_is_a_warning() {
        let names = ["dump-epoch1-shard0.rdb", "dump-epoch2-shard0.rdb", "dump.manifest"];
        let removed = "removed files of earlier snapshots: dump-epoch1-shard0.rdb".to_owned();
        assert_eq!(remarks(&names, Keep::Epoch(2), true), [(removed, true)]);
        let refused = remarks(&names, Keep::Epoch(2), false);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].0.starts_with("removing /data/dump-epoch1-shard0.rdb: ") && !refused[0].1);
        let aside = remarks(&["dump.rdb", "dump.manifest"], Keep::Epoch(2), true);
        assert!(aside.len() == 1 && !aside[0].1, "{aside:?}");
        let failed = remarks(&names[..2], Keep::AllBut { epoch: 2, had_temporary: false }, true);
        assert!(failed.len() == 1 && !failed[0].1, "{failed:?}");
    }
}
