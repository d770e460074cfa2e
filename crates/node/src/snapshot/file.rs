//! A file that is written from its beginning to its end, some pieces ahead of the disk.

use crate::desk::{Desk, Submitted};
use crate::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};
use crate::disk_job::{DiskJob, told};
use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use tessera_storage::checksum::Crc64;

/// How long a write is, but for the last, in bytes.
pub(crate) const WRITE_LEN_BYTES: usize = 512 * 1024;
/// Writes under way at most.
const DEPTH: usize = 4;

const _: () = assert!(WRITE_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// A file that is being written. Who has it says once a turn that it is to go on.
#[derive(Debug)]
pub(crate) struct FileWriter {
    contents: Rc<RefCell<Contents>>,
    /// `None` once nothing is under way any more, nor to be.
    writing: Option<DiskJob<()>>,
}

/// What is to be written, and how far that is.
#[derive(Debug, Default)]
struct Contents {
    /// What is not handed to the disk yet.
    buffer: Vec<u8>,
    /// How much of that is part of the checksum.
    summed: usize,
    spare: Vec<Vec<u8>>,
    checksum: Crc64,
    /// What was handed to the disk, in bytes.
    offset_bytes: u64,
    /// Of that, what the disk has taken, in bytes.
    written_bytes: u64,
    /// Nothing more will be appended.
    is_complete: bool,
    /// What went wrong first.
    failure: Option<String>,
}

impl FileWriter {
    pub(crate) fn new(desk: Desk, path: Arc<str>) -> FileWriter {
        let contents = Rc::<RefCell<Contents>>::default();
        let writing = Some(DiskJob::new(write_file(desk, path, contents.clone())));
        FileWriter { contents, writing }
    }

    /// Where to append. [`FileWriter::push`] follows.
    pub(crate) fn buffer(&mut self) -> RefMut<'_, Vec<u8>> {
        RefMut::map(self.contents.borrow_mut(), |contents| &mut contents.buffer)
    }

    /// Takes note of what was appended.
    pub(crate) fn push(&mut self) {
        let mut contents = self.contents.borrow_mut();
        let Contents { buffer, summed, checksum, .. } = &mut *contents;
        checksum.update(&buffer[*summed..]);
        *summed = buffer.len();
        drop(contents);
        self.work();
    }

    /// The file's length so far, in bytes.
    pub(crate) fn len_bytes(&self) -> u64 {
        let contents = self.contents.borrow();
        contents.offset_bytes + contents.buffer.len() as u64
    }

    /// What the disk has taken, in bytes.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.contents.borrow().written_bytes
    }

    /// The checksum of everything so far.
    pub(crate) fn checksum(&self) -> u64 {
        self.contents.borrow().checksum.value()
    }

    /// Something went wrong, or it was given up.
    pub(crate) fn has_failed(&self) -> bool {
        self.contents.borrow().failure.is_some()
    }

    /// There is room for more: the disk keeps up.
    pub(crate) fn has_room(&self) -> bool {
        let contents = self.contents.borrow();
        contents.failure.is_none() && !contents.is_complete && contents.buffer.len() < WRITE_LEN_BYTES
    }

    /// That was all: what is left is written, and the file synced and closed.
    pub(crate) fn finish(&mut self) {
        self.contents.borrow_mut().is_complete = true;
        self.work();
    }

    /// Gives the file up, and removes it.
    pub(crate) fn abandon(&mut self, why: &str) {
        self.contents.borrow_mut().fail(why.to_owned());
        self.work();
    }

    /// What became of it, once nothing is under way.
    pub(crate) fn outcome(&self) -> Option<Result<(), String>> {
        self.writing.is_none().then(|| self.contents.borrow().failure.clone().map_or(Ok(()), Err))
    }

    /// Takes in what the disk has done, and asks it for more.
    pub(crate) fn work(&mut self) {
        if self.writing.as_mut().is_some_and(|writing| writing.go_on().is_some()) {
            self.writing = None;
        }
    }

    /// Waits until there is room for more.
    ///
    /// # Errors
    /// It has failed.
    pub(crate) async fn room(&mut self) -> Result<(), String> {
        poll_fn(|_| {
            self.work();
            match &self.contents.borrow().failure {
                Some(why) => Poll::Ready(Err(why.clone())),
                None if self.has_room() => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Waits until nothing of it is under way, after [`FileWriter::finish`] or [`FileWriter::abandon`].
    ///
    /// # Errors
    /// It has failed, and is removed.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        poll_fn(|_| {
            self.work();
            self.outcome().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Contents {
    fn fail(&mut self, why: String) {
        self.failure.get_or_insert(why);
    }

    /// What is enough for a write, or all that is left.
    fn next_write(&mut self, file: FileId) -> Option<Operation> {
        let len = match self.buffer.len() {
            _ if self.failure.is_some() => return None,
            len @ WRITE_LEN_BYTES.. => len / BLOCK_LEN_BYTES * BLOCK_LEN_BYTES,
            len if self.is_complete && len > 0 => len,
            _ => return None,
        };
        let mut next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(WRITE_LEN_BYTES));
        next.extend_from_slice(&self.buffer[len..]);
        let mut bytes = std::mem::replace(&mut self.buffer, next);
        bytes.truncate(len);
        self.summed = self.buffer.len();
        let offset_bytes = self.offset_bytes;
        self.offset_bytes += len as u64;
        Some(Operation::Write { file, offset_bytes, bytes })
    }

    /// Nothing more is to be written.
    fn is_over(&self) -> bool {
        self.failure.is_some() || self.is_complete && self.buffer.is_empty()
    }

    fn note_written(&mut self, path: &str, result: io::Result<Output>) {
        match result {
            Ok(Output::Written(mut buffer)) => {
                self.written_bytes += buffer.len() as u64;
                buffer.clear();
                if buffer.capacity() <= 2 * WRITE_LEN_BYTES {
                    self.spare.push(buffer);
                }
            }
            Ok(_) => {}
            Err(error) => self.fail(format!("writing {path}: {error}")),
        }
    }
}

/// Makes the file, writes what comes, and closes it when that was all. After a failure it is removed.
async fn write_file(desk: Desk, path: Arc<str>, contents: Rc<RefCell<Contents>>) {
    if contents.borrow().failure.is_some() {
        return;
    }
    let file = match told("creating", &path, desk.create(&path).await) {
        Ok(file) => file,
        Err(why) => return contents.borrow_mut().fail(why),
    };
    let mut under_way = VecDeque::new();
    poll_fn(|_| write_some(&desk, (file, &path), &mut contents.borrow_mut(), &mut under_way)).await;
    if contents.borrow().failure.is_none()
        && let Err(why) = told("syncing", &path, desk.sync(file).await)
    {
        contents.borrow_mut().fail(why);
    }
    if let Err(why) = told("closing", &path, desk.close(file).await) {
        contents.borrow_mut().fail(why);
    }
    if contents.borrow().failure.is_some() {
        // What failed first is told.
        let _ = desk.remove(&path).await;
    }
}

/// Takes in the writes that are done, and begins as many as may be. Over when nothing is left to be written.
fn write_some(
    desk: &Desk,
    (file, path): (FileId, &str),
    contents: &mut Contents,
    under_way: &mut VecDeque<Submitted>,
) -> Poll<()> {
    while let Some(result) = under_way.front_mut().and_then(Submitted::take) {
        under_way.pop_front();
        contents.note_written(path, result);
    }
    while under_way.len() < DEPTH
        && let Some(write) = contents.next_write(file)
    {
        under_way.push_back(desk.submit(write));
    }
    if contents.is_over() && under_way.is_empty() { Poll::Ready(()) } else { Poll::Pending }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Completion, Disk};
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    /// What a disk was asked for, in order, and what is in its one file.
    #[derive(Default)]
    struct Seen {
        bytes: Vec<u8>,
        asked: Vec<&'static str>,
    }

    /// A disk that does one operation at a time, and fails the one of this number.
    struct Slow {
        seen: Rc<RefCell<Seen>>,
        fails_at: Option<usize>,
        under_way: VecDeque<(u64, Operation)>,
    }

    impl Slow {
        fn carry_out(&mut self, operation: Operation) -> io::Result<Output> {
            let mut seen = self.seen.borrow_mut();
            let (verb, output) = match operation {
                Operation::Create { .. } => ("create", Output::File(FileId(1))),
                Operation::Write { offset_bytes, bytes, .. } => {
                    assert!(offset_bytes.is_multiple_of(BLOCK_LEN_BYTES as u64));
                    let len = seen.bytes.len().max(offset_bytes as usize + bytes.len());
                    seen.bytes.resize(len, 0);
                    seen.bytes[offset_bytes as usize..][..bytes.len()].copy_from_slice(&bytes);
                    ("write", Output::Written(bytes))
                }
                Operation::Sync { .. } => ("sync", Output::Done),
                Operation::Close { .. } => ("close", Output::Done),
                Operation::Remove { .. } => ("remove", Output::Done),
                other => panic!("{other:?}"),
            };
            seen.asked.push(verb);
            if self.fails_at == Some(seen.asked.len() - 1) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(output)
        }
    }

    impl Disk for Slow {
        fn submit(&mut self, tag: u64, operation: Operation) {
            assert!(self.under_way.len() < DEPTH);
            if !matches!(operation, Operation::Write { .. }) {
                assert!(self.under_way.is_empty(), "no write is under way when it is synced or closed");
            }
            self.under_way.push_back((tag, operation));
        }

        fn take_completions(&mut self, into: &mut Vec<Completion>) {
            if let Some((tag, operation)) = self.under_way.pop_front() {
                into.push(Completion { tag, result: self.carry_out(operation) });
            }
        }

        fn is_direct(&self, _file: FileId) -> bool {
            false
        }
    }

    fn play(len: usize, fails_at: Option<usize>) -> (Seen, Result<(), String>, u64) {
        let seen = Rc::<RefCell<Seen>>::default();
        let disk = Slow { seen: Rc::clone(&seen), fails_at, under_way: VecDeque::new() };
        let desk = Desk::new(Box::new(disk));
        let mut writer = FileWriter::new(desk.clone(), "/x".into());
        let mut appended = 0;
        loop {
            while appended < len && writer.has_room() {
                let piece = (len - appended).min(10_000);
                let from = appended;
                writer.buffer().extend((from..from + piece).map(|at| at as u8));
                writer.push();
                appended += piece;
            }
            if appended == len {
                writer.finish();
            }
            writer.work();
            if let Some(outcome) = writer.outcome() {
                assert!(desk.is_idle(), "nothing is under way when it is over");
                return (seen.take(), outcome, writer.checksum());
            }
            assert!(desk.under_way() > 0, "something is under way until it is over");
            desk.collect();
        }
    }

    #[test]
    fn all_bytes_come_in_order() {
        for len in [0, 1, 4096, WRITE_LEN_BYTES, 3_000_001] {
            let (Seen { bytes, asked }, outcome, checksum) = play(len, None);
            let expected: Vec<u8> = (0..len).map(|at| at as u8).collect();
            assert!(bytes == expected, "{len}");
            assert_eq!(outcome, Ok(()));
            assert_eq!(asked.first(), Some(&"create"));
            assert_eq!(asked[asked.len() - 2..], ["sync", "close"]);
            assert_eq!(checksum, tessera_storage::checksum::crc64(&expected));
        }
    }

    #[test]
    fn a_failure_ends_it_and_the_file_goes() {
        let (all, _, _) = play(3_000_001, None);
        for fails_at in 0..all.asked.len() {
            let (Seen { asked, .. }, outcome, _) = play(3_000_001, Some(fails_at));
            let problem = outcome.expect_err("a failure is told");
            assert!(problem.contains(" /x: "), "{problem}");
            if fails_at > 0 {
                assert_eq!(asked.last(), Some(&"remove"), "{fails_at}");
            }
        }
    }
}
