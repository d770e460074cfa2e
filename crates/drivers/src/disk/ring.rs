//! A disk whose operations are background tasks on the node's thread.
//!
//! Files are read and written by glommio's direct I/O. What glommio would do on the node's thread with the file system
//! (open, rename, list), and all I/O where there is no direct I/O, is ordinary I/O on the thread that glommio keeps for
//! such.

use super::files::Files;
use super::plain;
use crate::executor::{Background, BackgroundQueue};
use crate::uring::Sleeper;
use glommio::GlommioError;
use glommio::io::{DmaBuffer, DmaFile, OpenOptions};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::{fmt, io};
use tessera_node::disk::{BLOCK_LEN_BYTES, Completion, Disk, FileId, Operation, Output};

/// How much of the thread's time, out of 1000, the disk gets while the node's loop, which has 1000, is busy as well.
/// Most of it is copying into buffers that the device can read.
const SHARES: usize = 250;

/// So many bytes are copied before the task yields if it is asked to: some tens of microseconds.
const COPY_LEN_BYTES: usize = 128 * 1024;

/// So many bytes of buffers are kept for the next writes, while any file is open.
const SPARE_MAX_LEN_BYTES: usize = 8 << 20;

/// Direct I/O beside a node's loop. Operations overtake each other freely. Some thousand may be under way at once.
pub struct RingDisk {
    queue: BackgroundQueue,
    inner: Rc<Inner>,
}

struct Inner {
    sleeper: Sleeper,
    files: RefCell<Files<Rc<OpenFile>>>,
    done: RefCell<Vec<Completion>>,
    spare: RefCell<Vec<Rc<DmaBuffer>>>,
}

struct OpenFile {
    plain: Arc<File>,
    /// The same file once more, if there is direct I/O for it.
    direct: Option<DmaFile>,
    /// The file system took it for direct I/O and then did not do it.
    refused: Cell<bool>,
}

impl OpenFile {
    fn direct(&self) -> Option<&DmaFile> {
        self.direct.as_ref().filter(|_| !self.refused.get())
    }
}

impl RingDisk {
    /// The disk of the node whose thread `background` is of.
    pub fn new(background: &Background) -> RingDisk {
        let inner = Inner {
            sleeper: background.sleeper(),
            files: RefCell::new(Files::new()),
            done: RefCell::default(),
            spare: RefCell::default(),
        };
        RingDisk { queue: background.queue("disk", SHARES), inner: Rc::new(inner) }
    }
}

impl Disk for RingDisk {
    fn submit(&mut self, tag: u64, operation: Operation) {
        let inner = self.inner.clone();
        let work = async move {
            let result = inner.carry_out(operation).await;
            inner.complete(tag, result);
        };
        if let Err(error) = self.queue.spawn(work) {
            self.inner.complete(tag, Err(error));
        }
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        into.append(&mut self.inner.done.borrow_mut());
    }

    fn is_direct(&self, file: FileId) -> bool {
        self.inner.files.borrow().get(file).is_ok_and(|file| file.direct().is_some())
    }
}

impl fmt::Debug for RingDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RingDisk").finish_non_exhaustive()
    }
}

impl Inner {
    fn complete(&self, tag: u64, result: io::Result<Output>) {
        self.done.borrow_mut().push(Completion { tag, result });
        self.sleeper.nudge();
    }

    fn file(&self, file: FileId) -> io::Result<Rc<OpenFile>> {
        self.files.borrow().get(file).cloned()
    }

    async fn carry_out(&self, operation: Operation) -> io::Result<Output> {
        match operation {
            Operation::Create { path } => {
                let file = aside(move || plain::create(&path)).await?;
                Ok(Output::File(self.keep(file, OpenOptions::new().write(true)).await?))
            }
            Operation::Open { path } => {
                let (file, len_bytes) = aside(move || plain::open(&path)).await?;
                Ok(Output::Opened(self.keep(file, OpenOptions::new().read(true)).await?, len_bytes))
            }
            Operation::Write { file, offset_bytes, bytes } => {
                self.write(&*self.file(file)?, offset_bytes, bytes).await
            }
            Operation::Read { file, offset_bytes, len_bytes } => {
                self.read(&*self.file(file)?, offset_bytes, len_bytes).await
            }
            Operation::Sync { file } => {
                let file = self.file(file)?;
                match file.direct() {
                    Some(direct) => direct.fdatasync().await.map_err(cause)?,
                    None => {
                        let plain = file.plain.clone();
                        aside(move || plain.sync_data()).await?;
                    }
                }
                Ok(Output::Done)
            }
            Operation::Close { file } => {
                let file = self.files.borrow_mut().remove(file)?;
                if self.files.borrow().is_empty() {
                    self.spare.borrow_mut().clear();
                }
                self.close(file).await
            }
            Operation::List { directory } => aside(move || plain::list(&directory)).await.map(Output::Names),
            Operation::Rename { from, to } => done(aside(move || std::fs::rename(&*from, &*to)).await),
            Operation::Remove { path } => done(aside(move || std::fs::remove_file(&*path)).await),
            Operation::SyncDirectory { directory } => {
                done(aside(move || plain::sync_directory(&directory)).await)
            }
        }
    }

    /// Gives an open file its number, and opens it for direct I/O too, if it can be.
    async fn keep(&self, plain: File, how: &mut OpenOptions) -> io::Result<FileId> {
        let plain = Arc::new(plain);
        let tried = plain.clone();
        let direct = if aside(move || Ok(can_be_direct(&tried))).await? {
            // By what is open rather than by name: glommio insists that the name is still there.
            how.dma_open(format!("/proc/self/fd/{}", plain.as_raw_fd())).await.ok()
        } else {
            None
        };
        let file = OpenFile { plain, direct, refused: Cell::new(false) };
        Ok(self.files.borrow_mut().insert(Rc::new(file)))
    }

    async fn write(&self, file: &OpenFile, offset_bytes: u64, bytes: Vec<u8>) -> io::Result<Output> {
        let mut written = 0;
        if let Some(direct) = file.direct() {
            match self.write_direct(direct, offset_bytes, &bytes).await {
                // Less than all of it is what a disk takes that is full.
                Ok(len_bytes) => written = len_bytes.min(bytes.len()),
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    file.refused.set(true);
                }
                Err(error) => return Err(error),
            }
            if written == bytes.len() {
                if !written.is_multiple_of(BLOCK_LEN_BYTES) {
                    direct.truncate(offset_bytes + written as u64).await.map_err(cause)?;
                }
                return Ok(Output::Written(bytes));
            }
        }
        let plain = file.plain.clone();
        aside(move || {
            plain.write_all_at(&bytes[written..], offset_bytes + written as u64)?;
            Ok(Output::Written(bytes))
        })
        .await
    }

    /// Writes the bytes, and zeros up to the end of the last block. Answers how many were written, zeros included.
    async fn write_direct(&self, file: &DmaFile, offset_bytes: u64, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let len = bytes.len().next_multiple_of(BLOCK_LEN_BYTES);
        let mut buffer = self.buffer(file, len);
        let Some(room) = Rc::get_mut(&mut buffer) else { return Err(Errno::INVAL.into()) };
        let room = room.as_bytes_mut();
        for (room, bytes) in room.chunks_mut(COPY_LEN_BYTES).zip(bytes.chunks(COPY_LEN_BYTES)) {
            room[..bytes.len()].copy_from_slice(bytes);
            glommio::yield_if_needed().await;
        }
        room[bytes.len()..].fill(0);
        let written = file.write_rc_at(buffer.clone(), offset_bytes).await.map_err(cause);
        self.put_aside(buffer);
        written
    }

    /// A buffer of exactly this length, which nobody else has.
    fn buffer(&self, file: &DmaFile, len_bytes: usize) -> Rc<DmaBuffer> {
        let mut spare = self.spare.borrow_mut();
        match spare.iter().position(|buffer| buffer.len() == len_bytes && Rc::strong_count(buffer) == 1) {
            Some(place) => spare.swap_remove(place),
            None => Rc::new(file.alloc_dma_buffer(len_bytes)),
        }
    }

    fn put_aside(&self, buffer: Rc<DmaBuffer>) {
        let mut spare = self.spare.borrow_mut();
        let len_bytes: usize = spare.iter().map(|buffer| buffer.len()).sum();
        if len_bytes + buffer.len() <= SPARE_MAX_LEN_BYTES && !self.files.borrow().is_empty() {
            spare.push(buffer);
        }
    }

    async fn read(&self, file: &OpenFile, offset_bytes: u64, len_bytes: usize) -> io::Result<Output> {
        let mut bytes = Vec::new();
        if let Some(direct) = file.direct()
            && len_bytes > 0
        {
            let whole = len_bytes.next_multiple_of(BLOCK_LEN_BYTES);
            match direct.read_at_aligned(offset_bytes, whole).await.map_err(cause) {
                Ok(read) => bytes.extend_from_slice(&read[..read.len().min(len_bytes)]),
                Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                    file.refused.set(true);
                }
                Err(error) => return Err(error),
            }
        }
        if bytes.len() < len_bytes {
            // The end of the file, most likely; whoever reads it in order learns so once.
            let plain = file.plain.clone();
            bytes = aside(move || {
                plain::read(&plain, offset_bytes, len_bytes, &mut bytes)?;
                Ok(bytes)
            })
            .await?;
        }
        Ok(Output::Read(bytes))
    }

    async fn close(&self, file: Rc<OpenFile>) -> io::Result<Output> {
        let Some(OpenFile { plain, direct, .. }) = Rc::into_inner(file) else {
            // An operation on it is under way against the rules; its end closes the file.
            return Ok(Output::Done);
        };
        if let Some(direct) = direct {
            direct.close().await.map_err(cause)?;
        }
        // The last to close a file that has no name any more frees all its blocks.
        aside(move || {
            drop(plain);
            Ok(())
        })
        .await?;
        Ok(Output::Done)
    }
}

/// Runs what blocks on the thread that is there for it.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    glommio::executor().spawn_blocking(work).await
}

fn done(result: io::Result<()>) -> io::Result<Output> {
    result.map(|()| Output::Done)
}

/// Whether the file system says that it does direct I/O. One in memory may say so too, but it only pretends.
fn can_be_direct(file: &File) -> bool {
    const IN_MEMORY: i64 = 0x0102_1994;
    let try_it = || -> Result<bool, Errno> {
        // Opening anything else once more could wait for its other end.
        if !FileType::from_raw_mode(rustix::fs::fstat(file)?.st_mode).is_file() {
            return Ok(false);
        }
        if rustix::fs::fstatfs(file)?.f_type == IN_MEMORY {
            return Ok(false);
        }
        let flags = rustix::fs::fcntl_getfl(file)?;
        rustix::fs::fcntl_setfl(file, flags | OFlags::DIRECT)?;
        rustix::fs::fcntl_setfl(file, flags)?;
        Ok(true)
    };
    try_it().unwrap_or(false)
}

/// What the system said, as it said it.
fn cause(error: GlommioError<()>) -> io::Error {
    match error {
        GlommioError::IoError(source) | GlommioError::EnhancedIoError { source, .. } => source,
        other => other.into(),
    }
}
