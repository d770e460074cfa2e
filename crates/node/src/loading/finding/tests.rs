//! What is found in directories of all kinds.

use super::*;
use std::collections::BTreeMap;
use tessera_storage::rdb::{put_end, put_header};

type Files = BTreeMap<String, Vec<u8>>;

/// What a finder finds in `files`, which are in the directory `dir`.
fn find(files: &Files) -> Result<LoadPlan, String> {
    find_beside(files, &[])
}

/// The same with what is no file beside them.
fn find_beside(files: &Files, others: &[&str]) -> Result<LoadPlan, String> {
    let files: Vec<(String, Vec<u8>)> =
        files.iter().map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
    let listed = files.iter().map(|(name, bytes)| Listed::file(name, bytes.len() as u64));
    let listed: Vec<Listed> = listed.chain(others.iter().map(|name| Listed::other(*name))).collect();
    super::find(Path::new("dir"), b"dump.rdb", move |operation| match operation {
        Operation::List { directory } => {
            assert_eq!(&*directory, "dir");
            Ok(Output::Names(listed.clone()))
        }
        Operation::Open { path } => {
            let name = path.strip_prefix("dir/").expect("all files are in the directory");
            match files.iter().position(|(known, _)| known == name) {
                Some(index) => Ok(Output::Opened(FileId(index as u64), files[index].1.len() as u64)),
                None => Err(io::ErrorKind::NotFound.into()),
            }
        }
        Operation::Read { file, offset_bytes, len_bytes } => {
            let bytes = &files[file.0 as usize].1[offset_bytes as usize..];
            Ok(Output::Read(bytes[..bytes.len().min(len_bytes)].to_vec()))
        }
        Operation::Close { .. } => Ok(Output::Done),
        other => panic!("{other:?}"),
    })
}

fn plain(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_header(&mut bytes, 10, fields);
    put_end(&mut bytes);
    bytes.extend([0; 8]);
    bytes
}

fn set(cut_unix_ms: u64) -> Files {
    let body = vec![1; 100];
    let file = |shard: u16| ShardFile {
        name: format!("dump-epoch7-shard{shard}.rdb"),
        len_bytes: 100,
        crc64: 0,
        body_offset_bytes: 10,
        body_len_bytes: 80,
        keys: 5,
        rdb_version: 10,
        slots: vec![shard * 8192..=shard * 8192 + 8191],
    };
    let manifest = Manifest { epoch: 7, cut_unix_ms, files: vec![file(0), file(1)] };
    let mut files: Files = manifest.files.iter().map(|file| (file.name.clone(), body.clone())).collect();
    files.insert("dump.manifest".to_owned(), manifest.encode());
    files
}

fn paths(plan: &LoadPlan) -> Vec<&str> {
    plan.files.iter().map(|file| &*file.path).collect()
}

#[test]
fn nothing_a_plain_file_or_a_set() {
    assert_eq!(find(&Files::new()).unwrap(), LoadPlan::default());
    let plain = [("dump.rdb".to_owned(), plain(&[(b"used-mem", b"4321")]))].into();
    let plan = find(&plain).unwrap();
    assert_eq!((paths(&plan), plan.used_memory_bytes), (vec!["dir/dump.rdb"], 4321));
    let plan = find(&set(1)).unwrap();
    assert_eq!(paths(&plan), ["dir/dump-epoch7-shard0.rdb", "dir/dump-epoch7-shard1.rdb"]);
    assert_eq!((plan.files[0].described.unwrap().keys, plan.total_bytes()), (5, 200));
}

#[test]
fn the_later_cut_is_loaded() {
    for (fields, is_plain) in [
        (&[(&b"ctime"[..], &b"1999"[..])][..], false),
        (&[(b"ctime", b"2000"), (b"tessera-cut-ms", b"1999999")], false),
        (&[(b"tessera-cut-ms", b"2000000"), (b"ctime", b"1")], true),
    ] {
        let mut files = set(2_000_000);
        files.insert("dump.rdb".to_owned(), plain(fields));
        let plan = find(&files).unwrap();
        assert_eq!(paths(&plan)[0] == "dir/dump.rdb", is_plain, "{fields:?}");
    }
}

#[test]
fn an_incomplete_set_is_refused() {
    let mut files = set(1);
    files.get_mut("dump-epoch7-shard1.rdb").unwrap().pop();
    assert!(find(&files).unwrap_err().contains("dump-epoch7-shard1.rdb has 99 bytes instead of 100"));
    files.remove("dump-epoch7-shard1.rdb");
    assert!(find(&files).unwrap_err().contains("dump-epoch7-shard1.rdb is missing"));
    let mut files = set(1);
    files.get_mut("dump.manifest").unwrap()[40] ^= 1;
    assert!(find(&files).is_err());
}

#[test]
fn what_another_server_wrote_since_is_not_chosen_for_anybody() {
    for (fields, when) in [
        (&[(&b"ctime"[..], &b"2000"[..])][..], "at 1970-01-01 00:33:20 UTC"),
        (&[(b"ctime", b"1764000000")], "at 2025-11-24 16:00:00 UTC"),
        (&[], "at a time that it does not say"),
    ] {
        let mut files = set(2_000_000);
        files.insert("dump.rdb".to_owned(), plain(fields));
        let problem = find(&files).unwrap_err();
        assert!(problem.contains("both") && problem.contains(when), "{problem}");
    }
}

#[test]
fn files_without_a_manifest_are_no_empty_directory() {
    let mut files = set(1);
    let manifest = files.remove("dump.manifest").unwrap();
    for beside in [false, true] {
        if beside {
            files.insert("dump.rdb".to_owned(), plain(&[]));
        }
        let problem = find(&files).unwrap_err();
        assert!(
            problem.contains("no dump.manifest") && problem.contains("dump-epoch7-shard1.rdb"),
            "{problem}"
        );
    }
    // Those of a first snapshot that did not come to its end are known by a mark; it does not excuse others.
    files.remove("dump.rdb");
    files.insert("dump-epoch6.unfinished".to_owned(), Vec::new());
    assert!(find(&files).is_err());
    files.insert("dump-epoch7.unfinished".to_owned(), Vec::new());
    let plan = find(&files).unwrap();
    assert!(plan.files.is_empty(), "{plan:?}");
    assert!(plan.remarks[0].starts_with("4 files of a snapshot that did not come to its end"), "{plan:?}");
    files.insert("dump.manifest".to_owned(), manifest);
    let plan = find(&files).unwrap();
    assert_eq!(plan.files.len(), 2);
    assert!(
        plan.remarks[0].starts_with("2 files") && plan.remarks[0].contains("epoch6.unfinished"),
        "{plan:?}"
    );
}

#[test]
fn what_is_no_regular_file_is_no_absence() {
    for name in ["dump.manifest", "dump.rdb", "dump-epoch7-shard0.rdb"] {
        for mut files in [Files::new(), set(1)] {
            files.remove(name);
            let problem = find_beside(&files, &[name]).unwrap_err();
            assert!(problem.contains("not a regular file") && problem.contains(name), "{problem}");
        }
    }
    // Others may be whatever they are.
    assert_eq!(find_beside(&Files::new(), &["dump", "lost+found", "dump.rdb.tmp"]).unwrap().files, []);
}

#[test]
fn a_log_of_writes_is_not_passed_over_in_silence() {
    let file: Files = [("appendonly.aof".to_owned(), vec![1])].into();
    for problem in [find_beside(&Files::new(), &["appendonlydir"]).unwrap_err(), find(&file).unwrap_err()] {
        assert!(problem.contains("appendonly no") && problem.contains("SAVE"), "{problem}");
    }
    let beside: Files = [("dump.rdb".to_owned(), plain(&[]))].into();
    let plan = find_beside(&beside, &["appendonlydir"]).unwrap();
    assert!(plan.remarks[0].contains("appendonlydir is not read"), "{plan:?}");
    assert_eq!(find_beside(&set(1), &["appendonlydir"]).unwrap().remarks, Vec::<String>::new());
}
