//! Ordinary I/O, which blocks: for threads on which nobody is served.

use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use tessera_node::disk::Listed;

/// Nobody shall wait for the other end of a pipe that has the name of a file.
fn flags() -> i32 {
    OFlags::NONBLOCK.bits().cast_signed()
}

pub(super) fn create(path: &str) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags()).open(path)
}

/// Opens a file to read. Answers its length in bytes too.
pub(super) fn open(path: &str) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().read(true).custom_flags(flags()).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((file, metadata.len()))
}

/// Reads after what `bytes` has already of what begins at `offset_bytes`, until there are `len_bytes` or the file ends.
pub(super) fn read(file: &File, offset_bytes: u64, len_bytes: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut len = bytes.len();
    bytes.resize(len_bytes, 0);
    while len < len_bytes {
        match file.read_at(&mut bytes[len..], offset_bytes + len as u64) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(len);
    Ok(())
}

/// What is in a directory. Names that are not Unicode are none of ours.
pub(super) fn list(directory: &str) -> io::Result<Vec<Listed>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        match std::fs::metadata(entry.path()) {
            Ok(metadata) if metadata.is_file() => names.push(Listed::file(name, metadata.len())),
            Ok(_) => names.push(Listed::other(name)),
            // Removed meanwhile, or a link that leads nowhere.
            Err(_) if std::fs::symlink_metadata(entry.path()).is_ok() => names.push(Listed::other(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

pub(super) fn sync_directory(directory: &str) -> io::Result<()> {
    if !Path::new(directory).is_dir() {
        // A file could be synced as well.
        std::fs::read_dir(directory)?;
    }
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_listed_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), b"four").unwrap();
        std::fs::create_dir(path("directory")).unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("nothing", path("lost")).unwrap();
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        let mut names = list(folder.path().to_str().unwrap()).unwrap();
        names.sort();
        let expected = [
            Listed::other("directory"),
            Listed::file("file", 4),
            Listed::file("link", 4),
            Listed::other("loop"),
            Listed::other("lost"),
        ];
        assert_eq!(names, expected);
    }
}
