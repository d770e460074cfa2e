//! Reading and rewriting configuration files on disk.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tessera_config::{Config, Included, rewrite};

/// The longest configuration file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 16 << 20;

/// Reads a configuration, bounded by [`MAX_FILE_BYTES`].
///
/// # Errors
///
/// When reading fails or there is more to read.
pub fn read_bounded(source: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    source.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("longer than {MAX_FILE_BYTES} bytes"),
        ));
    }
    Ok(text)
}

/// Reads one configuration file.
///
/// # Errors
///
/// A sentence that names the file and says why it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    File::open(path)
        .and_then(|mut file| read_bounded(&mut file))
        .map_err(|error| format!("Fatal error, can't open config file '{}': {error}", path.display()))
}

/// The files that an `include` directive names. A pattern (`*`, `?`, `[`) may name none; a plain name must exist.
///
/// # Errors
///
/// A sentence that names the file and says why it cannot be read.
pub fn find_included(path: &[u8]) -> Result<Vec<Included>, String> {
    let included = |path: &Path| Ok(Included { name: path.display().to_string(), text: read(path)? });
    if !path.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[')) {
        return Ok(vec![included(Path::new(OsStr::from_bytes(path)))?]);
    }
    let pattern = str::from_utf8(path).map_err(|_| "include pattern is not UTF-8".to_owned())?;
    // As in the C library, names that start with a dot must be asked for.
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let paths = glob::glob_with(pattern, options).map_err(|error| error.to_string())?;
    paths
        .take(tessera_config::MAX_INCLUDES + 1)
        .map(|path| included(&path.map_err(|error| error.to_string())?))
        .collect()
}

/// CONFIG REWRITE: changes the file to say what `config` says, or writes it anew if it is gone. The file is replaced as
/// a whole: after a crash there is the old one or the new one.
///
/// # Errors
///
/// When the file cannot be read or its directory cannot be written. The old file stays then.
pub fn rewrite_in_place(path: &Path, config: &Config) -> io::Result<()> {
    let original = match File::open(path) {
        Ok(mut file) => read_bounded(&mut file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let (temporary, mut file) = create_beside(path)?;
    let written = file
        .write_all(&rewrite(&original, config))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(directory_of(path))?.sync_all());
    if written.is_err() {
        // If the rename had happened the file is not there any more, which is as well.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates an empty file with a new name beside `path`.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(name);
    // Left over from a process with the same id that did not get to the end.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&temporary)?;
    Ok((temporary, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_take_names_and_patterns() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        for (name, text) in [("b.conf", "port 2"), ("a.conf", "port 1"), (".c.conf", "port 3"), ("d.txt", "")]
        {
            fs::write(path(name), text).expect("the directory is writable");
        }
        let find = |name: &str| find_included(path(name).as_os_str().as_bytes());
        let texts = |files: Vec<Included>| files.into_iter().map(|file| file.text).collect::<Vec<_>>();

        assert_eq!(find("a.conf").map(texts), Ok(vec![b"port 1".to_vec()]));
        assert_eq!(find("*.conf").map(texts), Ok(vec![b"port 1".to_vec(), b"port 2".to_vec()]));
        assert_eq!(find("none*").map(texts), Ok(Vec::new()));
        let error = find("none").unwrap_err();
        assert!(error.starts_with("Fatal error, can't open config file '"), "{error}");
        assert!(error.contains("No such file or directory"), "{error}");
    }

    #[test]
    fn a_file_is_rewritten_whole() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tessera.conf");
        fs::write(&path, "# mine\nport 1\n").expect("the directory is writable");
        let config = Config { port: 7000, ..Config::default() };
        rewrite_in_place(&path, &config).expect("the directory is writable");
        let text = fs::read_to_string(&path).expect("the file is there");
        assert!(text.starts_with("# mine\nport 7000\n"), "{text}");
        assert_eq!(fs::read_dir(dir.path()).expect("the directory is there").count(), 1);

        fs::remove_file(&path).expect("the file is there");
        rewrite_in_place(&path, &config).expect("a file that is gone is written anew");
        assert!(path.exists());
        assert!(rewrite_in_place(&dir.path().join("missing/x.conf"), &config).is_err());
    }

    #[test]
    fn endless_input_is_refused() {
        let error = read_bounded(&mut io::repeat(b'#')).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
