//! A file that is read from its beginning to its end, or from one place to another, some pieces ahead.

use crate::desk::{Desk, Submitted};
use crate::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};
use crate::disk_job::unexpected;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

/// The length of a piece, in bytes.
pub(crate) const PIECE_LEN_BYTES: usize = 1024 * 1024;
/// Pieces that are read or wait to be used, at most.
const AHEAD_MAX_PIECES: u64 = 4;

const _: () = assert!(PIECE_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// What the reader asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadStep {
    /// To open the file.
    Open,
    /// A piece, by its number.
    Piece(u64),
    /// To close the file.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Opening,
    Reading,
    Closing,
    Closed,
}

/// Reads one file. Who has it says once a turn that it is to take in what has come, and to ask for more.
#[derive(Debug)]
pub(crate) struct FileReader {
    desk: Desk,
    path: Arc<str>,
    stage: Stage,
    file: Option<FileId>,
    len_bytes: u64,
    /// The next piece to ask for, and the next to be used.
    ask: u64,
    used: u64,
    /// No piece from this on is wanted.
    until: u64,
    /// When all is used that is wanted, more may be.
    stays_open: bool,
    /// Read, and not used yet.
    arrived: BTreeMap<u64, Vec<u8>>,
    under_way: Vec<(ReadStep, Submitted)>,
    /// Nothing more is wanted.
    given_up: bool,
}

impl FileReader {
    pub(crate) fn new(desk: Desk, path: Arc<str>) -> FileReader {
        FileReader {
            desk,
            path,
            stage: Stage::New,
            file: None,
            len_bytes: 0,
            ask: 0,
            used: 0,
            until: u64::MAX,
            stays_open: false,
            arrived: BTreeMap::new(),
            under_way: Vec::new(),
            given_up: false,
        }
    }

    pub(crate) fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Its length in bytes; 0 before it is open.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn pieces(&self) -> u64 {
        self.len_bytes.div_ceil(PIECE_LEN_BYTES as u64).min(self.until)
    }

    /// From now on what is from one place to another is wanted, and then the file stays open. The next piece begins at the place that is
    /// returned, which is not behind the first.
    pub(crate) fn aim(&mut self, from_bytes: u64, to_bytes: u64) -> u64 {
        self.used = from_bytes / PIECE_LEN_BYTES as u64;
        self.until = to_bytes.div_ceil(PIECE_LEN_BYTES as u64);
        self.ask = self.used;
        self.stays_open = true;
        self.arrived.clear();
        self.used * PIECE_LEN_BYTES as u64
    }

    /// The file has no more of what is wanted.
    pub(crate) fn has_no_more(&self) -> bool {
        self.stage == Stage::Closed || self.stage == Stage::Reading && self.used >= self.pieces()
    }

    /// All of it has been used.
    pub(crate) fn is_at_end(&self) -> bool {
        self.stage == Stage::Reading && !self.stays_open && self.used == self.pieces()
    }

    /// It is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// No more is wanted of it: it closes as soon as it can.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
        self.arrived.clear();
        if self.stage == Stage::New {
            self.stage = Stage::Closed;
        }
    }

    /// Opens the file, if that was not asked for.
    pub(crate) fn open(&mut self) {
        if self.stage == Stage::New {
            self.stage = Stage::Opening;
            self.submit(ReadStep::Open, Operation::Open { path: self.path.clone() });
        }
    }

    /// It is open, or was.
    pub(crate) fn has_opened(&self) -> bool {
        self.file.is_some()
    }

    fn submit(&mut self, asked: ReadStep, operation: Operation) {
        self.under_way.push((asked, self.desk.submit(operation)));
    }

    /// Asks for all that may be asked for now.
    pub(crate) fn ask(&mut self) {
        self.open();
        let (Stage::Reading, Some(file)) = (self.stage, self.file) else { return };
        if self.given_up || self.is_at_end() {
            if self.under_way.is_empty() {
                self.stage = Stage::Closing;
                self.submit(ReadStep::Close, Operation::Close { file });
            }
            return;
        }
        while self.ask < self.pieces()
            && self.ask - self.used < AHEAD_MAX_PIECES
            && (self.under_way.len() as u64) < AHEAD_MAX_PIECES
        {
            let (piece, offset_bytes) = (self.ask, self.ask * PIECE_LEN_BYTES as u64);
            self.ask += 1;
            let read = Operation::Read { file, offset_bytes, len_bytes: PIECE_LEN_BYTES };
            self.submit(ReadStep::Piece(piece), read);
        }
    }

    /// Takes in what the disk has done.
    ///
    /// # Errors
    /// Some of it failed, or the file is shorter than it was.
    pub(crate) fn take_in(&mut self) -> io::Result<()> {
        let (mut at, mut outcome) = (0, Ok(()));
        while let Some((_, submitted)) = self.under_way.get_mut(at) {
            match submitted.take() {
                None => at += 1,
                Some(result) => {
                    let (asked, _) = self.under_way.remove(at);
                    outcome = outcome.and(self.complete(asked, result));
                }
            }
        }
        outcome
    }

    fn complete(&mut self, asked: ReadStep, result: io::Result<Output>) -> io::Result<()> {
        match (asked, result) {
            (ReadStep::Close, _) => {
                // It was only read.
                self.stage = Stage::Closed;
                Ok(())
            }
            (ReadStep::Open, Ok(Output::Opened(file, len_bytes))) => {
                self.stage = Stage::Reading;
                self.file = Some(file);
                self.len_bytes = len_bytes;
                Ok(())
            }
            (ReadStep::Open, result) => {
                self.stage = Stage::Closed;
                Err(unexpected(result))
            }
            (ReadStep::Piece(_), _) if self.given_up => Ok(()),
            (ReadStep::Piece(piece), Ok(Output::Read(bytes))) => {
                let offset_bytes = piece * PIECE_LEN_BYTES as u64;
                let expected = (self.len_bytes - offset_bytes).min(PIECE_LEN_BYTES as u64);
                if bytes.len() as u64 != expected {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("read {} bytes at {offset_bytes} instead of {expected}", bytes.len()),
                    ));
                }
                // What was asked for before the aim was changed may be of no use, or come once more.
                if (self.used..self.ask).contains(&piece) {
                    self.arrived.insert(piece, bytes);
                }
                Ok(())
            }
            (ReadStep::Piece(_), result) => Err(unexpected(result)),
        }
    }

    /// The next piece, if it has been read.
    pub(crate) fn next_piece(&mut self) -> Option<Vec<u8>> {
        let piece = self.arrived.remove(&self.used)?;
        self.used += 1;
        Some(piece)
    }

    /// Waits for the next piece; `None` when the file is read to its end, or was given up, and is closed.
    ///
    /// # Errors
    /// As [`FileReader::take_in`].
    pub(crate) async fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        poll_fn(|_| {
            if let Err(error) = self.take_in() {
                return Poll::Ready(Err(error));
            }
            let piece = self.next_piece();
            self.ask();
            if piece.is_some() || self.is_closed() { Poll::Ready(Ok(piece)) } else { Poll::Pending }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Completion, Disk};
    use crate::disk_job::DiskJob;
    use std::cell::Cell;
    use std::rc::Rc;

    /// A disk with one file, which does at once what it chooses of what it was asked for.
    struct OneFile {
        content: Vec<u8>,
        waiting: Vec<(u64, Operation)>,
        /// Which of so many.
        choose: fn(usize) -> usize,
        most: Rc<Cell<usize>>,
        has_closed: Rc<Cell<bool>>,
    }

    impl Disk for OneFile {
        fn submit(&mut self, tag: u64, operation: Operation) {
            if let Operation::Close { .. } = operation {
                assert!(self.waiting.is_empty());
                self.has_closed.set(true);
            }
            self.waiting.push((tag, operation));
            self.most.set(self.most.get().max(self.waiting.len()));
        }

        fn take_completions(&mut self, into: &mut Vec<Completion>) {
            let (tag, operation) = self.waiting.remove((self.choose)(self.waiting.len()));
            let output = match operation {
                Operation::Open { path } => {
                    assert_eq!(&*path, "a file");
                    Output::Opened(FileId(7), self.content.len() as u64)
                }
                Operation::Read { file, offset_bytes, len_bytes } => {
                    assert_eq!(file, FileId(7));
                    let start = offset_bytes as usize;
                    Output::Read(self.content[start..self.content.len().min(start + len_bytes)].to_vec())
                }
                Operation::Close { .. } => Output::Done,
                other => panic!("{other:?}"),
            };
            into.push(Completion { tag, result: Ok(output) });
        }

        fn is_direct(&self, _file: FileId) -> bool {
            false
        }
    }

    fn desk_of(content: &[u8], choose: fn(usize) -> usize) -> (Desk, Rc<Cell<usize>>, Rc<Cell<bool>>) {
        let (most, has_closed) = (Rc::<Cell<usize>>::default(), Rc::<Cell<bool>>::default());
        let disk = OneFile {
            content: content.to_vec(),
            waiting: Vec::new(),
            choose,
            most: Rc::clone(&most),
            has_closed: Rc::clone(&has_closed),
        };
        (Desk::new(Box::new(disk)), most, has_closed)
    }

    async fn read_all(desk: Desk) -> io::Result<Vec<u8>> {
        let (mut reader, mut seen) = (FileReader::new(desk, "a file".into()), Vec::new());
        while let Some(piece) = reader.piece().await? {
            seen.extend(piece);
        }
        Ok(seen)
    }

    #[test]
    fn pieces_come_in_order_whatever_the_disk_does_first() {
        for len in [0, 1, PIECE_LEN_BYTES - 1, PIECE_LEN_BYTES, 7 * PIECE_LEN_BYTES + 13] {
            let content: Vec<u8> = (0..len).map(|index| (index / 1000 + index % 251) as u8).collect();
            // The latest asked first.
            let (desk, most, has_closed) = desk_of(&content, |waiting| waiting - 1);
            let mut job = DiskJob::new(read_all(desk.clone()));
            let seen = loop {
                match job.go_on() {
                    Some(seen) => break seen.unwrap(),
                    None => desk.collect(),
                }
            };
            assert!(seen == content, "{len} bytes");
            assert!(most.get() as u64 <= AHEAD_MAX_PIECES && has_closed.get() && desk.is_idle());
        }
    }

    #[test]
    fn a_file_is_read_where_it_is_aimed_at() {
        let content: Vec<u8> =
            (0..5 * PIECE_LEN_BYTES + 77).map(|index| (index / 1000 + index % 251) as u8).collect();
        // The oldest may be of an earlier aim. What comes after the last is left for the next.
        let (desk, most, _) = desk_of(&content, |waiting| waiting / 2);
        let mut reader = FileReader::new(desk.clone(), "a file".into());
        reader.open();
        assert!(!reader.has_opened());
        desk.collect();
        reader.take_in().unwrap();
        assert!(reader.has_opened());
        for (from, to) in
            [(4 * PIECE_LEN_BYTES + 5, content.len()), (10, 20), (9, 3 * PIECE_LEN_BYTES), (9, 10)]
        {
            let mut at = reader.aim(from as u64, to as u64) as usize;
            assert!(at <= from);
            while at < to {
                reader.ask();
                assert!(!reader.has_no_more());
                desk.collect();
                reader.take_in().unwrap();
                while let Some(piece) = reader.next_piece() {
                    assert!(piece == content[at..at + piece.len()]);
                    at += piece.len();
                }
            }
            assert!(reader.has_no_more());
        }
        assert!(most.get() <= AHEAD_MAX_PIECES as usize);
        reader.aim(6 * PIECE_LEN_BYTES as u64, 7 * PIECE_LEN_BYTES as u64);
        assert!(reader.has_no_more(), "it is shorter");
    }

    #[test]
    fn a_file_that_shrinks_is_noticed() {
        let mut reader = FileReader::new(desk_of(&[], |_| 0).0, "a file".into());
        reader.complete(ReadStep::Open, Ok(Output::Opened(FileId(1), 5000))).unwrap();
        assert!(reader.complete(ReadStep::Piece(0), Ok(Output::Read(vec![0; 4096]))).is_err());
        reader.give_up();
        reader.ask();
        assert!(matches!(reader.under_way[..], [(ReadStep::Close, _)]));
    }
}
