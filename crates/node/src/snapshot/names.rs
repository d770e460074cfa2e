//! The names of a snapshot's files.

use std::path::Path;
use std::sync::Arc;
use tessera_storage::manifest::{NAME_MAX_LEN_BYTES, is_file_name};

/// Where a snapshot's files are, and what their names begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    directory: String,
    /// `dbfilename`.
    file_name: String,
    /// The same without `.rdb`.
    stem: String,
}

impl Place {
    /// What the configuration says.
    ///
    /// # Errors
    /// Why there can be no files of such names.
    pub(crate) fn new(directory: &Path, file_name: &[u8]) -> Result<Place, String> {
        let shown = || String::from_utf8_lossy(file_name).into_owned();
        let Some(directory) = directory.to_str() else {
            return Err(format!("the name of the directory {} is no text", directory.display()));
        };
        match str::from_utf8(file_name) {
            Err(_) => Err(format!("dbfilename '{}' is no text", shown())),
            Ok("" | "." | "..") => Err(format!("dbfilename '{}' names no file", shown())),
            // With an epoch, a shard and a suffix behind it.
            Ok(name) if !is_file_name(name) || name.len() > NAME_MAX_LEN_BYTES - 40 => {
                Err(format!("dbfilename '{name}' cannot be the name of a file"))
            }
            Ok(name) => Ok(Place {
                directory: directory.to_owned(),
                file_name: name.to_owned(),
                stem: name.strip_suffix(".rdb").filter(|stem| !stem.is_empty()).unwrap_or(name).to_owned(),
            }),
        }
    }

    /// The directory.
    pub(crate) fn directory(&self) -> Arc<str> {
        self.directory.as_str().into()
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> Arc<str> {
        format!("{}/{name}", self.directory.trim_end_matches('/')).into()
    }

    /// The name of a shard's file. People who keep copies call them something else: what is named like this and is not
    /// named by a manifest is removed when a snapshot is whole.
    pub(crate) fn part_name(&self, epoch: u64, shard: usize) -> String {
        format!("{}-epoch{epoch}-shard{shard}.rdb", self.stem)
    }

    /// The epoch in the name of a shard's file.
    pub(crate) fn epoch_of(&self, name: &str) -> Option<u64> {
        let numbers = name.strip_prefix(&self.stem)?.strip_prefix("-epoch")?.strip_suffix(".rdb")?;
        let (epoch, shard) = numbers.split_once("-shard")?;
        let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(shard) || !is_plain(epoch) {
            return None;
        }
        epoch.parse().ok()
    }

    /// The name of a file without content that says: a snapshot of this epoch was begun where there was no manifest.
    /// Without it, shards' files without a manifest would have to be taken for a snapshot whose manifest is lost.
    pub(crate) fn mark_name(&self, epoch: u64) -> String {
        format!("{}-epoch{epoch}.unfinished", self.stem)
    }

    /// The epoch in such a name.
    pub(crate) fn epoch_of_mark(&self, name: &str) -> Option<u64> {
        let epoch = name.strip_prefix(&self.stem)?.strip_prefix("-epoch")?.strip_suffix(".unfinished")?;
        epoch.parse().ok().filter(|_| epoch.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// What the one file is called when a snapshot in several has taken its place.
    pub(crate) fn replaced_name(&self) -> String {
        format!("{}.replaced", self.file_name)
    }

    /// The name of the manifest.
    pub(crate) fn manifest_name(&self) -> String {
        format!("{}.manifest", self.stem)
    }

    /// The name of the one file with all shards.
    pub(crate) fn merged_name(&self) -> &str {
        &self.file_name
    }

    /// What a file of that name is called until it is whole.
    pub(crate) fn temporary(name: &str) -> String {
        format!("{name}.tmp")
    }

    /// It is what an attempt that did not come to its end has left.
    pub(crate) fn is_temporary(&self, name: &str) -> bool {
        name == Place::temporary(&self.manifest_name()) || name == Place::temporary(&self.file_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let place = Place::new(Path::new("/data/"), b"dump.rdb").unwrap();
        assert_eq!(&*place.path(&place.part_name(7, 2)), "/data/dump-epoch7-shard2.rdb");
        assert_eq!(place.manifest_name(), "dump.manifest");
        assert_eq!(place.epoch_of("dump-epoch7-shard2.rdb"), Some(7));
        for other in [
            "dump.rdb",
            "dump-7-2.rdb",
            "dump-2026-11.rdb",
            "dump-epoch7.rdb",
            "dump-epoch7-shard2.rdb.tmp",
            "dump-epoch+7-shard2.rdb",
            "dump-epoch7-shard-2.rdb",
            "x-epoch7-shard2.rdb",
        ] {
            assert_eq!(place.epoch_of(other), None, "{other}");
        }
        assert_eq!(place.epoch_of_mark(&place.mark_name(7)), Some(7));
        for other in
            ["dump-epoch7-shard2.rdb", "dump-epoch.unfinished", "dump-epoch+7.unfinished", "x.unfinished"]
        {
            assert_eq!(place.epoch_of_mark(other), None, "{other}");
        }
        assert_eq!(place.epoch_of(&place.mark_name(7)), None);
        assert!(place.is_temporary("dump.manifest.tmp") && place.is_temporary("dump.rdb.tmp"));
        assert!(!place.is_temporary("dump.manifest") && !place.is_temporary("other.tmp"));
        let bare = Place::new(Path::new("."), b"data").unwrap();
        assert_eq!(
            (bare.part_name(1, 0), bare.manifest_name()),
            ("data-epoch1-shard0.rdb".into(), "data.manifest".into())
        );
        assert!(Place::new(Path::new("/"), b"").is_err() && Place::new(Path::new("/"), b"\xff").is_err());
    }
}
