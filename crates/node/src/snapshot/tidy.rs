//! What is done in the directory before a snapshot and after it.
//!
//! Files are removed after a snapshot only. Once it counts, all others of its names go. If it has failed, what it
//! wrote itself goes. What a server finds at its start stays until its own first snapshot is whole.

use super::names::Place;
use crate::desk::Desk;
use crate::disk::Listed;
use crate::disk_job::told;
use crate::loading::manifest::read_manifest;
use std::io;

/// How many names the log lists.
const NAMES_TOLD_MAX: usize = 8;

/// Finds the number of the next snapshot. Where there is no manifest, it makes a mark besides, by which its files are
/// known as those of a snapshot that did not come to its end.
///
/// # Errors
/// What has failed: a sentence. The mark is removed again then.
pub(super) async fn prepare(desk: Desk, place: Place) -> Result<u64, String> {
    let directory = place.directory();
    let names = told("listing", &directory, desk.list(&directory).await)?;
    let epoch_of = |listed: &Listed| place.epoch_of(&listed.name).or(place.epoch_of_mark(&listed.name));
    // A number that cannot grow any more is nobody's.
    let epochs = names.iter().filter_map(epoch_of).filter(|epoch| *epoch < u64::MAX);
    let epoch = epochs.max().unwrap_or(0) + 1;
    let manifest_name = place.manifest_name();
    match names.iter().find(|listed| listed.name == manifest_name) {
        Some(listed) if listed.is_regular => return Ok(epoch),
        Some(_) => return Err(format!("{} is not a regular file", place.path(&manifest_name))),
        None => {}
    }
    let mark_path = place.path(&place.mark_name(epoch));
    let file = told("creating a file in", &directory, desk.create(&mark_path).await)?;
    let mut outcome = told("closing a file in", &directory, desk.close(file).await);
    if outcome.is_ok() {
        outcome = told("syncing", &directory, desk.sync_directory(&directory).await);
    }
    if outcome.is_err() {
        // What was to come of it has failed already.
        let _ = desk.remove(&mark_path).await;
    }
    outcome.map(|()| epoch)
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

/// Removes files after a snapshot, and says what the log should tell. That it cannot is no failure of the snapshot.
pub(super) async fn tidy(desk: Desk, place: Place, keep: Keep) -> Vec<Remark> {
    let mut tidy = Tidy { desk, place, removed: Vec::new(), remarks: Vec::new() };
    // Nothing is removed if nobody knows what is needed.
    if let Err(problem) = tidy.carry_out(keep).await {
        tidy.warn(problem);
    }
    let (what, is_routine) = match keep {
        Keep::AllBut { .. } => ("what the snapshot that failed had written", false),
        Keep::Epoch(_) | Keep::OneFile => ("files of earlier snapshots", true),
    };
    if !tidy.removed.is_empty() {
        let text = format!("removed {what}: {}", some_of(&tidy.removed));
        tidy.remarks.insert(0, Remark { text, is_routine });
    }
    tidy.remarks
}

struct Tidy {
    desk: Desk,
    place: Place,
    removed: Vec<String>,
    remarks: Vec<Remark>,
}

impl Tidy {
    /// Something is not as it should be.
    fn warn(&mut self, text: String) {
        self.remarks.push(Remark { text, is_routine: false });
    }

    async fn carry_out(&mut self, keep: Keep) -> Result<(), String> {
        let (directory, manifest_name) = (self.place.directory(), self.place.manifest_name());
        let names = told("listing", &directory, self.desk.list(&directory).await)?;
        if let Keep::AllBut { epoch, .. } = keep
            && names.iter().any(|listed| listed.name == manifest_name)
        {
            let manifest = read_manifest(&self.desk, &self.place.path(&manifest_name)).await;
            // The snapshot has failed: but perhaps its manifest is there, and only that is not certain to stay.
            if manifest.map_err(|problem| format!("{problem}; no file is removed"))?.epoch == epoch {
                return Ok(());
            }
        }
        let Chosen { removals, last_removals, sets_aside } = choose(&self.place, names, keep);
        let mut all_are_gone = true;
        for name in removals {
            all_are_gone &= self.remove(name).await;
        }
        // What tells what these files are must stay with them.
        if all_are_gone && !last_removals.is_empty() {
            told("syncing", &directory, self.desk.sync_directory(&directory).await)?;
            for name in last_removals {
                if !self.remove(name).await {
                    break;
                }
            }
        }
        if sets_aside {
            let (name, aside) = (self.place.merged_name().to_owned(), self.place.replaced_name());
            let (from, to) = (self.place.path(&name), self.place.path(&aside));
            told("renaming", &from, self.desk.rename(&from, &to).await)?;
            self.warn(format!(
                "{name} is called {aside} now: the snapshot has taken its place. It is of no more use but to go back \
                    to \
                 what was before"
            ));
        }
        Ok(())
    }

    /// Whether the file is gone.
    async fn remove(&mut self, name: String) -> bool {
        let path = self.place.path(&name);
        match self.desk.remove(&path).await {
            Ok(()) => self.removed.push(name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.warn(format!("removing {path}: {error}"));
                return false;
            }
        }
        true
    }
}

/// What is to go.
#[derive(Default)]
struct Chosen {
    removals: Vec<String>,
    /// Those that go when it is certain that the others are gone.
    last_removals: Vec<String>,
    /// The one file gets another name.
    sets_aside: bool,
}

fn choose(place: &Place, names: Vec<Listed>, keep: Keep) -> Chosen {
    let manifest_name = place.manifest_name();
    let mut chosen = Chosen::default();
    for Listed { name, .. } in names.into_iter().filter(|listed| listed.is_regular) {
        let (part, mark) = (place.epoch_of(&name), place.epoch_of_mark(&name));
        let is_temporary = place.is_temporary(&name);
        let (goes, goes_last) = match keep {
            Keep::Epoch(epoch) => {
                chosen.sets_aside |= name == place.merged_name();
                (part.is_some_and(|part| part != epoch) || mark.is_some() || is_temporary, false)
            }
            Keep::OneFile => (part.is_some() || is_temporary, mark.is_some() || name == manifest_name),
            Keep::AllBut { epoch, had_temporary } => {
                (part == Some(epoch) || is_temporary && had_temporary, mark == Some(epoch))
            }
        };
        if goes {
            chosen.removals.push(name);
        } else if goes_last {
            chosen.last_removals.push(name);
        }
    }
    chosen
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
    use super::super::test_disk::play;
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn place() -> Place {
        Place::new(Path::new("/data"), b"dump.rdb").expect("names a file")
    }

    fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        names.iter().map(|name| (format!("/data/{name}"), vec![1])).collect()
    }

    /// What the log is told after a disk with these names has done what it was asked, and what is left there.
    fn remarks(names: &[&str], keep: Keep, fails_at: Option<usize>) -> (Vec<(String, bool)>, Vec<String>) {
        let (remarks, left, _) = play(&files(names), fails_at, |desk| tidy(desk, place(), keep));
        let remarks = remarks.into_iter().map(|remark| (remark.text, remark.is_routine)).collect();
        (remarks, left.into_keys().collect())
    }

    #[test]
    fn only_what_somebody_should_look_at_is_a_warning() {
        let names = ["dump-epoch1-shard0.rdb", "dump-epoch2-shard0.rdb", "dump.manifest"];
        let removed = "removed files of earlier snapshots: dump-epoch1-shard0.rdb".to_owned();
        assert_eq!(remarks(&names, Keep::Epoch(2), None).0, [(removed, true)]);
        let (refused, _) = remarks(&names, Keep::Epoch(2), Some(1));
        assert_eq!(refused.len(), 1);
        assert!(refused[0].0.starts_with("removing /data/dump-epoch1-shard0.rdb: ") && !refused[0].1);
        let (aside, left) = remarks(&["dump.rdb", "dump.manifest"], Keep::Epoch(2), None);
        assert!(aside.len() == 1 && !aside[0].1, "{aside:?}");
        assert_eq!(left, ["/data/dump.manifest", "/data/dump.rdb.replaced"]);
        let (failed, _) = remarks(&names[..2], Keep::AllBut { epoch: 2, had_temporary: false }, None);
        assert!(failed.len() == 1 && !failed[0].1, "{failed:?}");
    }

    #[test]
    fn what_tells_what_files_are_goes_last() {
        let names = ["dump-epoch1-shard0.rdb", "dump-epoch1-shard1.rdb", "dump.manifest", "dump.rdb"];
        assert_eq!(remarks(&names, Keep::OneFile, None).1, ["/data/dump.rdb"]);
        // It is listed, one file goes and then the other, that is made sure of, and the manifest goes.
        for (fails_at, left) in [
            (0, &["dump-epoch1-shard0.rdb", "dump-epoch1-shard1.rdb", "dump.manifest", "dump.rdb"][..]),
            (1, &["dump-epoch1-shard0.rdb", "dump.manifest", "dump.rdb"]),
            (2, &["dump-epoch1-shard1.rdb", "dump.manifest", "dump.rdb"]),
            (3, &["dump.manifest", "dump.rdb"]),
            (4, &["dump.manifest", "dump.rdb"]),
        ] {
            let (told, found) = remarks(&names, Keep::OneFile, Some(fails_at));
            assert_eq!(found, files(left).into_keys().collect::<Vec<_>>(), "{fails_at}");
            assert!(told.iter().any(|(_, is_routine)| !is_routine), "{fails_at}: {told:?}");
        }
    }

    #[test]
    fn nothing_goes_if_nobody_knows_what_is_needed() {
        let names = ["dump-epoch2-shard0.rdb", "dump.manifest"];
        let keep = Keep::AllBut { epoch: 2, had_temporary: true };
        // The manifest is none, or cannot be opened or read; or the files cannot even be listed.
        for fails_at in [None, Some(0), Some(1), Some(2)] {
            let (told, left) = remarks(&names, keep, fails_at);
            assert_eq!(left.len(), 2, "{fails_at:?}");
            assert!(told.len() == 1 && !told[0].1, "{told:?}");
        }
    }

    #[test]
    fn a_snapshot_gets_the_next_number_and_a_mark_where_there_is_no_manifest() {
        let prepare = |names: &[&str], fails_at| {
            let (outcome, left, _) = play(&files(names), fails_at, |desk| prepare(desk, place()));
            (outcome, left.into_keys().collect::<Vec<_>>())
        };
        let (epoch, left) = prepare(&["dump-epoch6-shard0.rdb", "dump.manifest"], None);
        assert_eq!((epoch, left.len()), (Ok(7), 2));
        let (epoch, left) = prepare(&["dump-epoch6.unfinished"], None);
        assert_eq!(epoch, Ok(7));
        assert_eq!(left, ["/data/dump-epoch6.unfinished", "/data/dump-epoch7.unfinished"]);
        for (fails_at, verb) in [(0, "listing"), (1, "creating"), (2, "closing"), (3, "syncing")] {
            let (outcome, left) = prepare(&[], Some(fails_at));
            assert!(outcome.expect_err("a failure is told").starts_with(verb), "{verb}");
            assert_eq!(left, Vec::<String>::new(), "the mark is removed: {verb}");
        }
    }
}
