//! A file that is read from its beginning to its end, or from one place to another, some pieces ahead.

use crate::desk::{Desk, Submitted};
use crate::disk::{BLOCK_LEN_BYTES, FileId, Operation, Output};
use crate::disk_job::{DiskJob, unexpected};
use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// The length of a piece, in bytes.
pub(crate) const PIECE_LEN_BYTES: usize = 1024 * 1024;
/// Pieces that are read or wait to be used, at most.
const AHEAD_MAX_PIECES: u64 = 4;

const _: () = assert!(PIECE_LEN_BYTES.is_multiple_of(BLOCK_LEN_BYTES));

/// Reads one file. Who has it says once a turn that it is to go on.
#[derive(Debug)]
pub(crate) struct FileReader {
    path: Arc<str>,
    window: Rc<RefCell<Window>>,
    /// `None` once the file is closed.
    reading: Option<DiskJob<()>>,
}

/// What is wanted of the file, and what is there of that.
#[derive(Debug, Default)]
struct Window {
    /// `None` before it is open.
    len_bytes: Option<u64>,
    /// The next piece to ask for, and the next to be used.
    ask: u64,
    used: u64,
    /// No piece from this on is wanted.
    until: u64,
    /// When all is used that is wanted, more may be.
    stays_open: bool,
    /// Read, and not used yet.
    arrived: BTreeMap<u64, Vec<u8>>,
    /// Nothing more is wanted.
    given_up: bool,
    /// What has gone wrong and was not told yet.
    failure: Option<io::Error>,
}

impl FileReader {
    /// To be read as a whole.
    pub(crate) fn new(desk: Desk, path: Arc<str>) -> FileReader {
        FileReader::of(desk, path, Window { until: u64::MAX, ..Window::default() })
    }

    /// To be opened now, and read where it will be [aimed](FileReader::aim) at.
    pub(crate) fn to_be_aimed(desk: Desk, path: Arc<str>) -> FileReader {
        FileReader::of(desk, path, Window { stays_open: true, ..Window::default() })
    }

    fn of(desk: Desk, path: Arc<str>, window: Window) -> FileReader {
        let window = Rc::new(RefCell::new(window));
        let reading = Some(DiskJob::new(read_file(desk, path.clone(), window.clone())));
        FileReader { path, window, reading }
    }

    fn window(&self) -> Ref<'_, Window> {
        self.window.borrow()
    }

    pub(crate) fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Its length in bytes; 0 before it is open.
    pub(crate) fn len_bytes(&self) -> u64 {
        self.window().len_bytes.unwrap_or_default()
    }

    /// From now on what is from one place to another is wanted, and then the file stays open. The next piece begins at
    /// the place that is returned, which is not behind the first.
    pub(crate) fn aim(&mut self, from_bytes: u64, to_bytes: u64) -> u64 {
        let mut window = self.window.borrow_mut();
        window.used = from_bytes / PIECE_LEN_BYTES as u64;
        window.until = to_bytes.div_ceil(PIECE_LEN_BYTES as u64);
        window.ask = window.used;
        window.stays_open = true;
        window.arrived.clear();
        window.used * PIECE_LEN_BYTES as u64
    }

    /// The file has no more of what is wanted.
    pub(crate) fn has_no_more(&self) -> bool {
        let window = self.window();
        self.is_closed() || window.len_bytes.is_some() && window.used >= window.pieces()
    }

    /// It is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.reading.is_none()
    }

    /// No more is wanted of it: it closes as soon as it can.
    pub(crate) fn give_up(&mut self) {
        let mut window = self.window.borrow_mut();
        window.given_up = true;
        window.arrived.clear();
    }

    /// It is open, or was.
    pub(crate) fn has_opened(&self) -> bool {
        self.window().len_bytes.is_some()
    }

    /// Takes in what the disk has done, and asks it for all that may be asked for now.
    ///
    /// # Errors
    /// Some of it failed, or the file is shorter than it was.
    pub(crate) fn work(&mut self) -> io::Result<()> {
        if self.reading.as_mut().is_some_and(|reading| reading.go_on().is_some()) {
            self.reading = None;
        }
        self.window.borrow_mut().failure.take().map_or(Ok(()), Err)
    }

    /// The next piece, if it has been read.
    pub(crate) fn next_piece(&mut self) -> Option<Vec<u8>> {
        let mut window = self.window.borrow_mut();
        let next = window.used;
        let piece = window.arrived.remove(&next)?;
        window.used += 1;
        Some(piece)
    }

    /// Waits for the next piece; `None` when the file is read to its end, or was given up, and is closed.
    ///
    /// # Errors
    /// As [`FileReader::work`]; the file is closed then, too.
    pub(crate) async fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut failure = None;
        poll_fn(|_| {
            while let Err(error) = self.work() {
                failure.get_or_insert(error);
                self.give_up();
            }
            let piece = self.next_piece();
            if piece.is_none() && !self.is_closed() {
                return Poll::Pending;
            }
            Poll::Ready(failure.take().map_or(Ok(piece), Err))
        })
        .await
    }
}

impl Window {
    fn pieces(&self) -> u64 {
        self.len_bytes.unwrap_or_default().div_ceil(PIECE_LEN_BYTES as u64).min(self.until)
    }

    /// Nothing more will be wanted.
    fn is_over(&self) -> bool {
        self.given_up || !self.stays_open && self.used == self.pieces()
    }

    /// The next piece to ask for, with so many under way.
    fn next_to_ask(&mut self, under_way: usize) -> Option<u64> {
        let is_wanted = !self.is_over() && self.ask < self.pieces();
        let has_room = self.ask - self.used < AHEAD_MAX_PIECES && (under_way as u64) < AHEAD_MAX_PIECES;
        (is_wanted && has_room).then(|| {
            self.ask += 1;
            self.ask - 1
        })
    }

    fn take_in(&mut self, piece: u64, result: io::Result<Output>) -> io::Result<()> {
        if self.given_up {
            return Ok(());
        }
        let Ok(Output::Read(bytes)) = result else { return Err(unexpected(result)) };
        let offset_bytes = piece * PIECE_LEN_BYTES as u64;
        let expected = (self.len_bytes.unwrap_or_default() - offset_bytes).min(PIECE_LEN_BYTES as u64);
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
}

/// Reads what is wanted until nothing is any more.
async fn read_file(desk: Desk, path: Arc<str>, window: Rc<RefCell<Window>>) {
    if window.borrow().given_up {
        return;
    }
    let file = match desk.submit(Operation::Open { path }).await {
        Ok(Output::Opened(file, len_bytes)) => {
            window.borrow_mut().len_bytes = Some(len_bytes);
            file
        }
        other => {
            window.borrow_mut().failure = Some(unexpected(other));
            return;
        }
    };
    let mut under_way = Vec::new();
    poll_fn(|_| read_some(&desk, file, &mut window.borrow_mut(), &mut under_way)).await;
    // It was only read: nothing comes of it if this fails.
    let _ = desk.close(file).await;
}

/// Takes in the pieces that have come, and asks for as many as are wanted. Over when none is any more.
fn read_some(
    desk: &Desk,
    file: FileId,
    window: &mut Window,
    under_way: &mut Vec<(u64, Submitted)>,
) -> Poll<()> {
    under_way.retain_mut(|(piece, submitted)| {
        let Some(result) = submitted.take() else { return true };
        if let Err(error) = window.take_in(*piece, result) {
            window.failure.get_or_insert(error);
        }
        false
    });
    while let Some(piece) = window.next_to_ask(under_way.len()) {
        let offset_bytes = piece * PIECE_LEN_BYTES as u64;
        let read = Operation::Read { file, offset_bytes, len_bytes: PIECE_LEN_BYTES };
        under_way.push((piece, desk.submit(read)));
    }
    if window.is_over() && under_way.is_empty() { Poll::Ready(()) } else { Poll::Pending }
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
        let mut reader = FileReader::to_be_aimed(desk.clone(), "a file".into());
        reader.work().unwrap();
        assert!(!reader.has_opened());
        desk.collect();
        reader.work().unwrap();
        assert!(reader.has_opened());
        for (from, to) in
            [(4 * PIECE_LEN_BYTES + 5, content.len()), (10, 20), (9, 3 * PIECE_LEN_BYTES), (9, 10)]
        {
            let mut at = reader.aim(from as u64, to as u64) as usize;
            assert!(at <= from);
            while at < to {
                reader.work().unwrap();
                assert!(!reader.has_no_more());
                desk.collect();
                reader.work().unwrap();
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
        let (desk, _, has_closed) = desk_of(&[1; 5000], |_| 0);
        let mut reader = FileReader::new(desk.clone(), "a file".into());
        reader.work().unwrap();
        desk.collect();
        // The disk has fewer bytes than it had when the file was opened.
        reader.window.borrow_mut().len_bytes = Some(6000);
        assert!(reader.window.borrow_mut().take_in(0, Ok(Output::Read(vec![1; 5000]))).is_err());
        reader.give_up();
        reader.work().unwrap();
        assert!(has_closed.get() && !reader.is_closed());
        desk.collect();
        reader.work().unwrap();
        assert!(reader.is_closed() && desk.is_idle());
    }
}
