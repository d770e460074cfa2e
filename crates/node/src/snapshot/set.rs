//! The files of a snapshot as a whole: what makes them the one that counts.

use super::body::Body;
use super::file::FileWriter;
use super::frame::put_file_end;
use super::names::Place;
use crate::desk::Desk;
use crate::disk::{BLOCK_LEN_BYTES, FileId, Listed};
use crate::disk_job::told;
use tessera_storage::manifest::Manifest;

/// Read at a time when files are merged, in bytes.
const READ_LEN_BYTES: usize = 512 * 1024;

const _: () = assert!(READ_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// Writes a manifest, which makes the files that it names the snapshot that counts.
///
/// # Errors
/// What has failed, and of which file: a sentence.
pub(super) async fn publish_manifest(desk: Desk, place: Place, manifest: Manifest) -> Result<(), String> {
    let name = place.manifest_name();
    let mut file = begin(&desk, &place, &name);
    file.buffer().extend_from_slice(&manifest.encode());
    file.push();
    let parts = manifest.files.iter().map(|file| (file.name.clone(), file.len_bytes)).collect();
    publish(&desk, &place, &name, file, parts).await
}

/// Puts parts of several files into one, behind a header. It is the snapshot that counts then.
///
/// # Errors
/// What has failed, and of which file: a sentence.
pub(super) async fn merge(
    desk: Desk,
    place: Place,
    header: Vec<u8>,
    bodies: Vec<Body>,
    states_checksum: bool,
) -> Result<(), String> {
    let name = place.merged_name();
    let mut file = begin(&desk, &place, name);
    file.buffer().extend_from_slice(&header);
    file.push();
    for of_one_file in bodies.chunk_by(|left, right| left.path == right.path) {
        if let Err(why) = copy_all(&desk, of_one_file, &mut file).await {
            file.abandon(&why);
            return file.end().await;
        }
    }
    put_file_end(&mut file, states_checksum);
    publish(&desk, &place, name, file, Vec::new()).await
}

/// A file that is to have this name, under a temporary one.
fn begin(desk: &Desk, place: &Place, name: &str) -> FileWriter {
    FileWriter::new(desk.clone(), place.path(&Place::temporary(name)))
}

/// Gives a file that is written under a temporary name its own, once it is on the disk: this makes the snapshot the one
/// that counts. `parts` are the files besides that must be there, and their lengths.
async fn publish(
    desk: &Desk,
    place: &Place,
    name: &str,
    mut file: FileWriter,
    mut parts: Vec<(String, u64)>,
) -> Result<(), String> {
    file.finish();
    file.end().await?;
    let (directory, temporary) = (place.directory(), Place::temporary(name));
    let (from, to) = (place.path(&temporary), place.path(name));
    parts.push((temporary, file.len_bytes()));
    look(place, &parts, &told("listing", &directory, desk.list(&directory).await)?)?;
    told("renaming to", &to, desk.rename(&from, &to).await)?;
    told("syncing", &directory, desk.sync_directory(&directory).await)
}

/// Whether all files are there as they were written. Who removes them must not have the set before removed by this one
/// as well.
fn look(place: &Place, parts: &[(String, u64)], names: &[Listed]) -> Result<(), String> {
    for (name, len_bytes) in parts {
        let path = place.path(name);
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

/// Copies bodies that are in one file.
async fn copy_all(desk: &Desk, bodies: &[Body], into: &mut FileWriter) -> Result<(), String> {
    let Some(Body { path, .. }) = bodies.first() else { return Ok(()) };
    let file = told("opening", path, desk.open(path).await)?;
    let mut outcome = Ok(());
    for body in bodies {
        outcome = copy(desk, file, body, into).await;
        if outcome.is_err() {
            break;
        }
    }
    outcome.and(told("closing", path, desk.close(file).await))
}

async fn copy(desk: &Desk, file: FileId, body: &Body, into: &mut FileWriter) -> Result<(), String> {
    into.buffer().extend_from_slice(&body.before);
    into.push();
    let end_bytes = body.offset_bytes + body.len_bytes;
    let mut at_bytes = body.offset_bytes / BLOCK_LEN_BYTES as u64 * BLOCK_LEN_BYTES as u64;
    while at_bytes < end_bytes {
        into.room().await?;
        let left_bytes = usize::try_from(end_bytes - at_bytes).unwrap_or(usize::MAX).min(READ_LEN_BYTES);
        let read = desk.read(file, at_bytes, left_bytes.next_multiple_of(BLOCK_LEN_BYTES)).await;
        let bytes = told("reading", &body.path, read)?;
        let here = |at: u64| (at.saturating_sub(at_bytes) as usize).min(bytes.len());
        into.buffer().extend_from_slice(&bytes[here(body.offset_bytes)..here(end_bytes)]);
        into.push();
        at_bytes += bytes.len() as u64;
        if at_bytes < end_bytes && bytes.len() < READ_LEN_BYTES {
            return Err(format!("reading {}: it is shorter than it was written", body.path));
        }
    }
    Ok(())
}
