//! A disk in memory for tests: it does everything at once, and fails the operation of one number.

use crate::desk::Desk;
use crate::disk::{Completion, Disk, FileId, Listed, Operation, Output};
use crate::disk_job::DiskJob;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

/// What is on the disk, and what was done to it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// By their paths.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    open: BTreeMap<FileId, String>,
    opened: u64,
    done: usize,
    /// The operation that fails, counted from 0.
    pub(super) fails_at: Option<usize>,
}

struct MemoryDisk {
    contents: Rc<RefCell<Contents>>,
    completions: Vec<Completion>,
}

impl Contents {
    fn open(&mut self, path: &str) -> FileId {
        self.opened += 1;
        self.open.insert(FileId(self.opened), path.to_owned());
        FileId(self.opened)
    }

    fn carry_out(&mut self, operation: Operation) -> io::Result<Output> {
        let fails = self.fails_at == Some(self.done);
        self.done += 1;
        if let Operation::Close { file } = operation {
            assert!(self.open.remove(&file).is_some(), "it is open");
        }
        if fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let there = |found: Option<Vec<u8>>| found.ok_or(io::Error::from(io::ErrorKind::NotFound));
        Ok(match operation {
            Operation::Create { path } => {
                self.files.insert(path.to_string(), Vec::new());
                Output::File(self.open(&path))
            }
            Operation::Open { path } => {
                let len_bytes = there(self.files.get(&*path).cloned())?.len() as u64;
                Output::Opened(self.open(&path), len_bytes)
            }
            Operation::Write { file, offset_bytes, bytes } => {
                let content = self.files.get_mut(&self.open[&file]).expect("what is open is there");
                content.resize(content.len().max(offset_bytes as usize + bytes.len()), 0);
                content[offset_bytes as usize..][..bytes.len()].copy_from_slice(&bytes);
                Output::Written(bytes)
            }
            Operation::Read { file, offset_bytes, len_bytes } => {
                let content = &self.files[&self.open[&file]];
                let from = content.len().min(offset_bytes as usize);
                Output::Read(content[from..content.len().min(from + len_bytes)].to_vec())
            }
            Operation::List { directory } => {
                let name = |path: &String| path.strip_prefix(&format!("{directory}/")).map(str::to_owned);
                let listed = |(path, content): (&String, &Vec<u8>)| {
                    Some(Listed::file(name(path)?, content.len() as u64))
                };
                Output::Names(self.files.iter().filter_map(listed).collect())
            }
            Operation::Rename { from, to } => {
                let content = there(self.files.remove(&*from))?;
                self.files.insert(to.to_string(), content);
                Output::Done
            }
            Operation::Remove { path } => {
                there(self.files.remove(&*path))?;
                Output::Done
            }
            Operation::Close { .. } | Operation::Sync { .. } | Operation::SyncDirectory { .. } => {
                Output::Done
            }
        })
    }
}

impl Disk for MemoryDisk {
    fn submit(&mut self, tag: u64, operation: Operation) {
        let result = self.contents.borrow_mut().carry_out(operation);
        self.completions.push(Completion { tag, result });
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        into.append(&mut self.completions);
    }

    fn is_direct(&self, _file: FileId) -> bool {
        false
    }
}

/// Does a job on a disk with these files, of which one operation may fail. What came of it, what is there then, and how
/// many operations that took. Nothing is left under way or open.
pub(super) fn play<T, J: Future<Output = T> + 'static>(
    files: &BTreeMap<String, Vec<u8>>,
    fails_at: Option<usize>,
    begin: impl FnOnce(Desk) -> J,
) -> (T, BTreeMap<String, Vec<u8>>, usize) {
    let contents = Contents { files: files.clone(), fails_at, ..Contents::default() };
    let contents = Rc::new(RefCell::new(contents));
    let disk = MemoryDisk { contents: Rc::clone(&contents), completions: Vec::new() };
    let desk = Desk::new(Box::new(disk));
    let mut job = DiskJob::new(begin(desk.clone()));
    let outcome = loop {
        match job.go_on() {
            Some(outcome) => break outcome,
            None => {
                assert!(desk.under_way() > 0, "a job that is not over waits for something");
                desk.collect();
            }
        }
    };
    assert!(desk.is_idle(), "{desk:?}");
    let contents = contents.take();
    assert!(contents.open.is_empty(), "{:?}", contents.open);
    (outcome, contents.files, contents.done)
}
