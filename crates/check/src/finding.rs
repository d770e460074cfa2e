//! What a start would load from a directory: found by what finds it at a start.

use crate::Trouble;
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use tessera_node::disk::{FileId, Listed, Operation, Output};
use tessera_node::loading::finding::find;

/// Tells what a server that starts in `directory` would load.
///
/// # Errors
/// It would not start.
pub fn tell(directory: &Path, db_filename: &str, out: &mut String) -> Result<(), Trouble> {
    let mut files: Vec<File> = Vec::new();
    let found = find(directory, db_filename.as_bytes(), move |operation| carry_out(operation, &mut files));
    let plan = found.map_err(Trouble::Refused)?;
    let _ = match plan.description() {
        "" => writeln!(out, "\na start with dbfilename {db_filename} would load nothing"),
        what => writeln!(out, "\na start with dbfilename {db_filename} would load {what}"),
    };
    for remark in plan.remarks() {
        let _ = writeln!(out, "  {remark}");
    }
    Ok(())
}

/// Does what finding needs: listing and reading.
fn carry_out(operation: Operation, files: &mut Vec<File>) -> io::Result<Output> {
    match operation {
        Operation::List { directory } => {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(&*directory)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                names.push(match std::fs::metadata(entry.path()) {
                    Ok(metadata) if metadata.is_file() => Listed::file(name, metadata.len()),
                    _ => Listed::other(name),
                });
            }
            Ok(Output::Names(names))
        }
        Operation::Open { path } => {
            let file = File::open(&*path)?;
            let len_bytes = file.metadata()?.len();
            files.push(file);
            Ok(Output::Opened(FileId(files.len() as u64 - 1), len_bytes))
        }
        Operation::Read { file, offset_bytes, len_bytes } => {
            let file = usize::try_from(file.0).ok().and_then(|number| files.get(number));
            let file = file.ok_or(io::ErrorKind::NotFound)?;
            let mut bytes = vec![0; len_bytes];
            let mut len = 0;
            while len < len_bytes {
                match file.read_at(&mut bytes[len..], offset_bytes + len as u64)? {
                    0 => break,
                    more => len += more,
                }
            }
            bytes.truncate(len);
            Ok(Output::Read(bytes))
        }
        // The few files that are opened are closed at the end.
        Operation::Close { .. } => Ok(Output::Done),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}
