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

#[cfg(test)]
mod tests {
    use super::super::test_disk::play;
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;
    use tessera_storage::checksum::crc64;
    use tessera_storage::manifest::ShardFile;

    type Files = BTreeMap<String, Vec<u8>>;

    fn place() -> Place {
        Place::new(Path::new("/data"), b"dump.rdb").expect("names a file")
    }

    /// Two files of which parts are to be copied, some longer than a read, and some next to each other.
    fn sources() -> (Files, Vec<Body>) {
        let content = |seed: usize| (0..1_500_000).map(|at| (at / 700 + at % 239 + seed) as u8).collect();
        let files = Files::from([("/data/a".to_owned(), content(1)), ("/data/b".to_owned(), content(2))]);
        let body = |before: &[u8], path: &str, offset_bytes, len_bytes| Body {
            before: before.to_vec(),
            path: path.into(),
            offset_bytes,
            len_bytes,
        };
        let bodies = vec![
            body(b"one", "/data/a", 10, 20),
            body(b"", "/data/a", 5000, 1_400_001),
            body(b"two", "/data/b", 4096, 0),
            body(b"", "/data/b", 4095, 900_000),
            body(b"", "/data/a", 0, 4096),
        ];
        (files, bodies)
    }

    #[test]
    fn parts_of_files_are_put_together() {
        let (files, bodies) = sources();
        let mut expected = b"header".to_vec();
        for Body { before, path, offset_bytes, len_bytes } in &bodies {
            expected.extend_from_slice(before);
            expected.extend_from_slice(&files[&**path][*offset_bytes as usize..][..*len_bytes as usize]);
        }
        expected.push(0xff);
        for states_checksum in [true, false] {
            let checksum = if states_checksum { crc64(&expected) } else { 0 };
            let whole = [&expected[..], &checksum.to_le_bytes()].concat();
            let (outcome, after, _) = play(&files, None, |desk| {
                merge(desk, place(), b"header".to_vec(), bodies.clone(), states_checksum)
            });
            assert_eq!(outcome, Ok(()));
            assert!(after["/data/dump.rdb"] == whole && after.len() == 3);
        }
    }

    #[test]
    fn whatever_fails_is_told_and_only_a_whole_file_counts() {
        let (files, bodies) = sources();
        let run = |fails_at| {
            play(&files, fails_at, |desk| merge(desk, place(), b"header".to_vec(), bodies.clone(), true))
        };
        let (_, whole, operations) = run(None);
        let mut counting = 0;
        for fails_at in 0..operations {
            let (outcome, after, _) = run(Some(fails_at));
            let problem = outcome.expect_err("a failure is told");
            assert!(problem.contains("/data"), "{problem}");
            match after.get("/data/dump.rdb") {
                // Only that it has this name is not certain to stay.
                Some(merged) => {
                    assert!(*merged == whole["/data/dump.rdb"] && problem.starts_with("syncing /data: "));
                    counting += 1;
                }
                // What was begun goes, but for a whole one that did not get its name.
                None => {
                    let is_left = after.contains_key("/data/dump.rdb.tmp");
                    let is_whole = problem.starts_with("listing") || problem.starts_with("renaming");
                    assert_eq!(is_left, is_whole, "{problem}");
                }
            }
        }
        assert_eq!(counting, 1);
    }

    #[test]
    fn a_file_that_is_shorter_than_it_was_is_not_copied() {
        let (mut files, bodies) = sources();
        files.get_mut("/data/b").expect("it is there").truncate(700_000);
        let (outcome, after, _) =
            play(&files, None, |desk| merge(desk, place(), Vec::new(), bodies.clone(), true));
        assert_eq!(outcome, Err("reading /data/b: it is shorter than it was written".to_owned()));
        assert_eq!(after.len(), 2);
    }

    #[test]
    fn a_manifest_counts_if_all_that_it_names_is_there() {
        let file = |shard: u16| ShardFile {
            name: format!("dump-epoch7-shard{shard}.rdb"),
            len_bytes: 3,
            crc64: 0,
            body_offset_bytes: 1,
            body_len_bytes: 1,
            keys: 1,
            rdb_version: 10,
            slots: vec![shard * 8192..=shard * 8192 + 8191],
        };
        let manifest = Manifest { epoch: 7, cut_unix_ms: 1, files: vec![file(0), file(1)] };
        let path = |shard: u16| format!("/data/dump-epoch7-shard{shard}.rdb");
        let files = Files::from([(path(0), vec![0; 3]), (path(1), vec![1; 3])]);
        let publish = |files: &Files| {
            let (outcome, after, _) =
                play(files, None, |desk| publish_manifest(desk, place(), manifest.clone()));
            (outcome, after.get("/data/dump.manifest").cloned())
        };
        assert_eq!(publish(&files), (Ok(()), Some(manifest.encode())));
        let mut shorter = files.clone();
        shorter.insert(path(1), vec![1; 2]);
        let problem = format!("{} was written with 3 bytes and has 2 now", path(1));
        assert_eq!(publish(&shorter), (Err(problem), None));
        shorter.remove(&path(1));
        assert_eq!(publish(&shorter), (Err(format!("{} was written and is gone", path(1))), None));
    }
}
