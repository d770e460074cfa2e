//! A file that is read from its beginning to its end, or from one place to another, some pieces ahead.

use crate::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// The length of a piece, in bytes.
pub(crate) const PIECE_LEN_BYTES: usize = 1024 * 1024;
/// Pieces that are read or wait to be used, at most.
const AHEAD_MAX_PIECES: u64 = 4;

const _: () = assert!(PIECE_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// What the reader asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadStep {
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

/// Reads one file. It only says what is to be asked of the disk, and is told what came of it.
#[derive(Debug)]
pub(crate) struct FileReader {
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
    under_way: usize,
    /// Nothing more is wanted.
    given_up: bool,
}

impl FileReader {
    pub(crate) fn new(path: Arc<str>) -> FileReader {
        FileReader {
            path,
            stage: Stage::New,
            file: None,
            len_bytes: 0,
            ask: 0,
            used: 0,
            until: u64::MAX,
            stays_open: false,
            arrived: BTreeMap::new(),
            under_way: 0,
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

    /// Only what opens the file, if that was not asked for.
    pub(crate) fn open_operation(&mut self) -> Option<(ReadStep, Operation)> {
        if self.stage == Stage::New { self.next_operation() } else { None }
    }

    /// It is open, or was.
    pub(crate) fn has_opened(&self) -> bool {
        self.file.is_some()
    }

    /// The next operation to submit, if any may be now.
    pub(crate) fn next_operation(&mut self) -> Option<(ReadStep, Operation)> {
        match (self.stage, self.file) {
            (Stage::New, _) => {
                self.stage = Stage::Opening;
                self.under_way += 1;
                Some((ReadStep::Open, Operation::Open { path: self.path.clone() }))
            }
            (Stage::Reading, Some(file)) if self.given_up || self.is_at_end() => {
                if self.under_way > 0 {
                    return None;
                }
                self.stage = Stage::Closing;
                self.under_way += 1;
                Some((ReadStep::Close, Operation::Close { file }))
            }
            (Stage::Reading, Some(file))
                if self.ask < self.pieces()
                    && self.ask - self.used < AHEAD_MAX_PIECES
                    && (self.under_way as u64) < AHEAD_MAX_PIECES =>
            {
                let piece = self.ask;
                self.ask += 1;
                self.under_way += 1;
                let offset_bytes = piece * PIECE_LEN_BYTES as u64;
                Some((
                    ReadStep::Piece(piece),
                    Operation::Read { file, offset_bytes, len_bytes: PIECE_LEN_BYTES },
                ))
            }
            _ => None,
        }
    }

    /// An operation is over.
    ///
    /// # Errors
    /// It failed, or the file is shorter than it was.
    pub(crate) fn take(&mut self, asked: ReadStep, result: io::Result<Output>) -> io::Result<()> {
        self.under_way -= 1;
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
}

fn unexpected(result: io::Result<Output>) -> io::Error {
    match result {
        Ok(output) => io::Error::other(format!("the disk answered {output:?}")),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers operations of a reader from `content`, the latest asked first.
    fn read_backwards(content: &[u8]) -> io::Result<Vec<u8>> {
        let mut reader = FileReader::new("a file".into());
        let (mut waiting, mut seen, mut most) = (Vec::new(), Vec::new(), 0);
        while !reader.is_closed() {
            while let Some(asked) = reader.next_operation() {
                waiting.push(asked);
            }
            most = most.max(waiting.len());
            let (asked, operation) = waiting.pop().expect("a reader that is not done asks for something");
            let output = match operation {
                Operation::Open { path } => {
                    assert_eq!(&*path, "a file");
                    Output::Opened(FileId(7), content.len() as u64)
                }
                Operation::Read { file, offset_bytes, len_bytes } => {
                    assert_eq!(file, FileId(7));
                    let start = offset_bytes as usize;
                    Output::Read(content[start..content.len().min(start + len_bytes)].to_vec())
                }
                Operation::Close { .. } => {
                    assert!(waiting.is_empty());
                    Output::Done
                }
                other => panic!("{other:?}"),
            };
            reader.take(asked, Ok(output))?;
            while let Some(piece) = reader.next_piece() {
                seen.extend(piece);
            }
        }
        assert!(most as u64 <= AHEAD_MAX_PIECES);
        Ok(seen)
    }

    #[test]
    fn pieces_come_in_order_whatever_the_disk_does_first() {
        for len in [0, 1, PIECE_LEN_BYTES - 1, PIECE_LEN_BYTES, 7 * PIECE_LEN_BYTES + 13] {
            let content: Vec<u8> = (0..len).map(|index| (index / 1000 + index % 251) as u8).collect();
            assert!(read_backwards(&content).unwrap() == content, "{len} bytes");
        }
    }

    #[test]
    fn a_file_is_read_where_it_is_aimed_at() {
        let content: Vec<u8> =
            (0..5 * PIECE_LEN_BYTES + 77).map(|index| (index / 1000 + index % 251) as u8).collect();
        let mut reader = FileReader::new("a file".into());
        let (asked, _) = reader.open_operation().unwrap();
        reader.take(asked, Ok(Output::Opened(FileId(1), content.len() as u64))).unwrap();
        let mut waiting = Vec::new();
        for (from, to) in
            [(4 * PIECE_LEN_BYTES + 5, content.len()), (10, 20), (9, 3 * PIECE_LEN_BYTES), (9, 10)]
        {
            let mut at = reader.aim(from as u64, to as u64) as usize;
            assert!(at <= from);
            while at < to {
                while let Some((asked, operation)) = reader.next_operation() {
                    let Operation::Read { offset_bytes, len_bytes, .. } = operation else {
                        panic!("{operation:?}")
                    };
                    let start = offset_bytes as usize;
                    waiting.push((asked, content[start..content.len().min(start + len_bytes)].to_vec()));
                }
                assert!(waiting.len() <= AHEAD_MAX_PIECES as usize && !reader.has_no_more());
                // The oldest may be of an earlier aim. What comes after the last is left for the next.
                let (asked, bytes) = waiting.remove(waiting.len() / 2);
                reader.take(asked, Ok(Output::Read(bytes))).unwrap();
                while let Some(piece) = reader.next_piece() {
                    assert!(piece == content[at..at + piece.len()]);
                    at += piece.len();
                }
            }
            assert!(reader.has_no_more());
        }
        reader.aim(6 * PIECE_LEN_BYTES as u64, 7 * PIECE_LEN_BYTES as u64);
        assert!(reader.has_no_more(), "it is shorter");
    }

    #[test]
    fn a_file_that_shrinks_is_noticed() {
        let mut reader = FileReader::new("a file".into());
        let (asked, _) = reader.next_operation().unwrap();
        reader.take(asked, Ok(Output::Opened(FileId(1), 5000))).unwrap();
        let (asked, _) = reader.next_operation().unwrap();
        assert!(reader.take(asked, Ok(Output::Read(vec![0; 4096]))).is_err());
        reader.give_up();
        assert!(matches!(reader.next_operation(), Some((ReadStep::Close, _))));
    }
}
