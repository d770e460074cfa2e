//! A whole snapshot: its manifest and all its files.

use crate::Trouble;
use crate::file;
use crate::report;
use crate::survey::Survey;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tessera_routing::slots::slot_of;
use tessera_storage::checksum::Crc64;
use tessera_storage::manifest::{MANIFEST_MAX_LEN_BYTES, Manifest, ShardFile};
use tessera_storage::time::utc;

/// Read at once, in bytes.
const PIECE_LEN_BYTES: usize = 1024 * 1024;

/// The checksum at a file's end, in bytes.
const CHECKSUM_LEN_BYTES: u64 = 8;

/// Checks every snapshot and every plain file in a directory.
pub fn check_directory(
    directory: &Path,
    now_ms: i64,
    largest: usize,
    out: &mut String,
) -> Result<(), Trouble> {
    let unreadable = |error: std::io::Error| Trouble::Unreadable(format!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    let has_extension = |wanted: &'static str| {
        move |path: &&PathBuf| path.extension().is_some_and(|extension| extension == wanted)
    };
    let mut of_sets: Vec<PathBuf> = Vec::new();
    let (mut found, mut unsupported) = (false, Ok(()));
    for path in paths.iter().filter(has_extension("manifest")) {
        let manifest = read_manifest(path)?;
        of_sets.extend(manifest.files.iter().map(|file| directory.join(&file.name)));
        check_set(path, &manifest, now_ms, largest, out)?;
        found = true;
    }
    for path in paths.iter().filter(has_extension("rdb")).filter(|path| !of_sets.contains(path)) {
        if is_shard_file(path) {
            let _ = writeln!(out, "{}: left over, of no snapshot that counts", path.display());
            continue;
        }
        let mut survey = Survey::new(now_ms, largest);
        let facts = file::read(path, &mut survey, &mut |_| Ok(()))?;
        report::file(path, &facts, out);
        report::survey(&survey, out);
        // What is to be told of others comes first.
        unsupported = unsupported.and(survey.unsupported(path));
        found = true;
    }
    if found {
        unsupported
    } else {
        Err(Trouble::Unreadable(format!(
            "{}: there is neither a manifest nor an RDB file",
            directory.display()
        )))
    }
}

/// It is named like the file of one shard.
fn is_shard_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let numbers = name.strip_suffix(".rdb").and_then(|name| name.rsplit_once("-epoch")).map(|(_, rest)| rest);
    numbers.and_then(|numbers| numbers.split_once("-shard")).is_some_and(|(epoch, shard)| {
        [epoch, shard]
            .iter()
            .all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Checks the snapshot of a manifest.
pub fn check_manifest(path: &Path, now_ms: i64, largest: usize, out: &mut String) -> Result<(), Trouble> {
    check_set(path, &read_manifest(path)?, now_ms, largest, out)
}

fn read_manifest(path: &Path) -> Result<Manifest, Trouble> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| Trouble::Unreadable(format!("{shown}: {error}"));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MANIFEST_MAX_LEN_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Manifest::decode(&bytes).map_err(|error| Trouble::Damaged(format!("{shown}: {error}")))
}

fn check_set(
    path: &Path,
    manifest: &Manifest,
    now_ms: i64,
    largest: usize,
    out: &mut String,
) -> Result<(), Trouble> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut survey = Survey::new(now_ms, largest);
    let mut lines = String::new();
    for described in &manifest.files {
        let path = directory.join(&described.name);
        check_checksum(&path, described)?;
        let mut look = |entry: &tessera_storage::rdb::DecodedEntry| {
            let slot = slot_of(&entry.key);
            if described.slots.iter().any(|range| range.contains(&slot)) {
                return Ok(());
            }
            Err(format!(
                "the key {} is of slot {slot}, which is another file's",
                file::shown_text(&entry.key)
            ))
        };
        let facts = file::read(&path, &mut survey, &mut look)?;
        if facts.keys != described.keys {
            return Err(Trouble::Damaged(format!(
                "{}: it has {} keys, and its manifest says {}",
                path.display(),
                facts.keys,
                described.keys
            )));
        }
        report::file(&path, &facts, &mut lines);
    }
    let _ = writeln!(
        out,
        "{}: whole, snapshot {} of {} shards, cut at {}, {} keys",
        path.display(),
        manifest.epoch,
        manifest.files.len(),
        utc(manifest.cut_unix_ms.cast_signed()),
        survey.keys()
    );
    out.push_str(&lines);
    report::survey(&survey, out);
    survey.unsupported(path)
}

/// Compares a file's length and checksum with what its manifest says.
fn check_checksum(path: &Path, described: &ShardFile) -> Result<(), Trouble> {
    let shown = path.display();
    let mut file = File::open(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Trouble::Damaged(format!("{shown}: it belongs to the snapshot and is missing"))
        } else {
            Trouble::Unreadable(format!("{shown}: {error}"))
        }
    })?;
    let (mut checksum, mut len_bytes, mut piece) = (Crc64::new(), 0, vec![0; PIECE_LEN_BYTES]);
    loop {
        let len = file.read(&mut piece).map_err(|error| Trouble::Unreadable(format!("{shown}: {error}")))?;
        if len == 0 {
            break;
        }
        // A file's own checksum, at its end, is not summed up with the rest.
        let summed_len = described.len_bytes.saturating_sub(CHECKSUM_LEN_BYTES).saturating_sub(len_bytes);
        checksum.update(&piece[..len.min(usize::try_from(summed_len).unwrap_or(usize::MAX))]);
        len_bytes += len as u64;
    }
    if len_bytes != described.len_bytes {
        let problem =
            format!("{shown}: it has {len_bytes} bytes, and its manifest says {}", described.len_bytes);
        return Err(Trouble::Damaged(problem));
    }
    if checksum.value() != described.crc64 {
        return Err(Trouble::Damaged(format!(
            "{shown}: its bytes are not those that its manifest was made for"
        )));
    }
    Ok(())
}
