//! Keeping other servers out of a directory.
//!
//! The lock is on the open directory itself, so nothing is left behind, however the process ends, and it needs no
//! permission to write. It follows the directory when that is renamed. Network file systems lock files that are open
//! for writing only, which a directory never is: there it is on a file in it.

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// The file, where a directory cannot be locked.
pub const FILE_NAME: &str = ".tessera.lock";
/// For how long somebody else may have the lock: whoever ends needs a moment, and some programs that tidy up lock
/// directories for as long as they look into them.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// A lock on a directory. It ends with this, or with the process.
#[derive(Debug)]
pub struct DirectoryLock {
    /// The directory, and what is locked for it.
    directory: File,
    _locked: Option<File>,
}

/// Why there is no lock.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it; which, if that can be told.
    Taken(Option<u32>),
    /// The directory is not there, or cannot be locked.
    Impossible(io::Error),
}

impl DirectoryLock {
    /// Locks a directory. Waits a moment for whoever has it; if `is_patient` is false, not at all.
    ///
    /// # Errors
    /// Another process has the lock, or there can be none.
    pub fn take(directory: &Path, is_patient: bool) -> Result<DirectoryLock, LockError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match DirectoryLock::try_to_take(directory) {
                Err(LockError::Taken(_)) if is_patient && Instant::now() < until => std::thread::sleep(PAUSE),
                outcome => return outcome,
            }
        }
    }

    fn try_to_take(path: &Path) -> Result<DirectoryLock, LockError> {
        let directory = File::open(path).map_err(LockError::Impossible)?;
        if !directory.metadata().map_err(LockError::Impossible)?.is_dir() {
            return Err(LockError::Impossible(io::ErrorKind::NotADirectory.into()));
        }
        match lock(&directory) {
            Ok(()) => Ok(DirectoryLock { directory, _locked: None }),
            Err(LockError::Taken(process)) => Err(LockError::Taken(process)),
            Err(LockError::Impossible(_)) => {
                let locked = lock_file(path)?;
                Ok(DirectoryLock { directory, _locked: Some(locked) })
            }
        }
    }

    /// The directory of this name is the one that is locked.
    pub fn is_of(&self, path: &Path) -> bool {
        let own = self.directory.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        let other = std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
        matches!((own, other), (Ok(own), Ok(other)) if own == other)
    }
}

/// Locks a file in the directory. It stays when the lock is gone: who removed it could remove another's.
fn lock_file(directory: &Path) -> Result<File, LockError> {
    let path = directory.join(FILE_NAME);
    let options =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = options().map_err(LockError::Impossible)?;
    lock(&file).map(|()| file)
}

fn lock(file: &File) -> Result<(), LockError> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::WOULDBLOCK) => Err(LockError::Taken(owner(file))),
        Err(errno) => Err(LockError::Impossible(errno.into())),
    }
}

/// The process that has a file locked, as far as the system tells.
fn owner(file: &File) -> Option<u32> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // 1: FLOCK  ADVISORY  WRITE 1234 08:02:131073 0 EOF
    let mut owners = locks.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.get(1) == Some(&"FLOCK") && words.get(5)?.ends_with(&inode);
        let process = words.get(4)?.parse().ok()?;
        // One that went into the background has another number than when it took the lock.
        (is_it && Path::new(&format!("/proc/{process}")).exists()).then_some(process)
    });
    // Another file system may have a file of the same number.
    owners.next().filter(|_| owners.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let lock = DirectoryLock::take(folder.path(), false).unwrap();
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "no file is made");
        match DirectoryLock::take(folder.path(), false) {
            Err(LockError::Taken(process)) => {
                assert!(process.is_none_or(|process| process == std::process::id()), "{process:?}");
            }
            other => panic!("{other:?}"),
        }
        std::thread::scope(|scope| {
            scope.spawn(|| DirectoryLock::take(folder.path(), true).unwrap());
            std::thread::sleep(PAUSE);
            drop(lock);
        });
        DirectoryLock::take(folder.path(), false).unwrap();
    }

    #[test]
    fn it_is_of_the_directory_whatever_that_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("a")).unwrap();
        let lock = DirectoryLock::take(&path("a"), false).unwrap();
        assert!(lock.is_of(&path("a")) && lock.is_of(&path("a/../a")));
        std::fs::rename(path("a"), path("b")).unwrap();
        assert!(lock.is_of(&path("b")) && !lock.is_of(&path("a")));
        std::fs::create_dir(path("a")).unwrap();
        assert!(!lock.is_of(&path("a")), "another one of the same name");
        DirectoryLock::take(&path("a"), false).unwrap();
    }

    #[test]
    fn where_directories_cannot_be_locked_a_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = lock_file(folder.path()).unwrap();
        assert!(matches!(lock_file(folder.path()), Err(LockError::Taken(_))));
        drop(file);
        lock_file(folder.path()).unwrap();
        assert!(folder.path().join(FILE_NAME).exists());
    }

    #[test]
    fn what_is_no_directory_cannot_be_locked() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), b"").unwrap();
        for name in ["file", "missing"] {
            let outcome = DirectoryLock::take(&folder.path().join(name), false);
            assert!(matches!(outcome, Err(LockError::Impossible(_))), "{outcome:?}");
        }
    }
}
