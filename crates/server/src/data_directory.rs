//! The directory that the server works in and keeps its data in. No two servers have the same at a time.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tessera_config::Config;
use tessera_drivers::directory_lock::{DirectoryLock, LockError};
use tessera_node::system::DirectoryGuard;

/// The lock on it.
#[derive(Debug, Default)]
pub struct DataDirectory {
    held: Mutex<Option<Arc<DirectoryLock>>>,
    /// For the log, as soon as there is one.
    pub notes: Vec<String>,
}

impl DataDirectory {
    /// Goes into the directory, which must be there, and writable if anything is to be saved, and keeps others out.
    ///
    /// # Errors
    /// Why the server cannot use it: a sentence.
    pub fn enter(config: &mut Config) -> Result<DataDirectory, String> {
        let name = config.dir.display().to_string();
        std::env::set_current_dir(&config.dir)
            .map_err(|error| format!("Can't chdir to '{name}': {error}"))?;
        config.dir = std::env::current_dir().map_err(|error| format!("Can't chdir to '{name}': {error}"))?;
        let mut entered = DataDirectory::default();
        match DirectoryLock::take(&config.dir, true) {
            Ok(lock) => *entered.held() = Some(Arc::new(lock)),
            Err(LockError::Taken(process)) => return Err(taken(&config.dir, process)),
            Err(LockError::Impossible(error)) => entered.notes.push(unguarded(&config.dir, &error)),
        }
        if let Err(error) = try_to_write(&config.dir) {
            let shown = config.dir.display();
            if !config.save.points.is_empty() {
                return Err(format!(
                    "The data directory '{shown}' is not writable ({error}); choose another with --dir, change its \
                     owner, or save nothing with --save ''"
                ));
            }
            entered.notes.push(format!(
                "The data directory '{shown}' is not writable ({error}): nothing can be saved"
            ));
        }
        Ok(entered)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Arc<DirectoryLock>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`tessera_node::system::System::lock_directory`].
    pub fn lock(&self, directory: &Path) -> Result<DirectoryGuard, String> {
        let mut held = self.held();
        if let Some(lock) = held.as_ref().filter(|lock| lock.is_of(directory)) {
            return Ok(DirectoryGuard::new(lock.clone()));
        }
        match DirectoryLock::take(directory, false) {
            Ok(lock) => {
                let lock = Arc::new(lock);
                *held = Some(lock.clone());
                Ok(DirectoryGuard::new(lock))
            }
            Err(LockError::Taken(process)) => Err(taken(directory, process)),
            // Whoever writes there learns whether that can be done. The lock that is held stays: the directory may come
            // back.
            Err(LockError::Impossible(_)) => Ok(DirectoryGuard::new(Arc::new(()))),
        }
    }
}

fn taken(directory: &Path, process: Option<u32>) -> String {
    let process = process.map_or(String::new(), |process| format!(" (process {process})"));
    format!(
        "The data directory '{}' is in use by another server{process}; each needs one of its own: choose another with \
         --dir",
        directory.display()
    )
}

fn unguarded(directory: &Path, error: &std::io::Error) -> String {
    format!(
        "The data directory '{}' cannot be locked ({error}): see to it that no other server uses it",
        directory.display()
    )
}

/// Permissions do not tell of read-only file systems, nor of what the superuser may.
fn try_to_write(directory: &Path) -> std::io::Result<()> {
    let trial = directory.join(format!(".tessera-{}", std::process::id()));
    // In a container every server has the same number, also one that was killed before it had removed this.
    match std::fs::remove_file(&trial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).open(&trial)?;
    std::fs::remove_file(&trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_server_left_is_no_obstacle() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let trial = folder.path().join(format!(".tessera-{}", std::process::id()));
        std::fs::write(&trial, b"").expect("the directory is writable");
        try_to_write(folder.path()).expect("the directory is writable");
        assert!(!trial.exists());
        assert!(try_to_write(&folder.path().join("missing")).is_err());
    }
}
