//! The file that holds the process id while the server runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the file goes when the server runs in the background and `pidfile` names none.
pub const DEFAULT_PATH: &str = "/var/run/tessera.pid";

/// A file with this process's id. Removed when dropped, unless it holds another process's id by then.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the file, over an older one of the same name. Call this in the process that stays, after going into the
    /// background.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; Redis logs that and goes on.
    pub fn create(path: &Path) -> io::Result<Self> {
        // A later change of the working directory must not lose the file.
        let path = std::path::absolute(path)?;
        fs::write(&path, format!("{}\n", std::process::id()))?;
        Ok(Self { path })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let holds = fs::read_to_string(&self.path).unwrap_or_default();
        if holds.trim() == std::process::id().to_string() {
            // A file that is gone or cannot be removed is no reason to fail on the way out.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_lives_as_long_as_its_value() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("server.pid");
        fs::write(&path, "99999999\nstale\n").expect("the directory is writable");
        let file = PidFile::create(&path).expect("the directory is writable");
        assert_eq!(fs::read_to_string(&path).ok(), Some(format!("{}\n", std::process::id())));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn the_file_of_another_process_stays() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("server.pid");
        let file = PidFile::create(&path).expect("the directory is writable");
        fs::write(&path, "1\n").expect("the directory is writable");
        drop(file);
        assert!(path.exists());
    }

    #[test]
    fn a_directory_that_is_missing_is_an_error() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert!(PidFile::create(&dir.path().join("missing/server.pid")).is_err());
    }
}
