//! A disk whose operations a thread of its own carries out, one after the other.

use super::files::Files;
use super::plain;
use crate::waker::Waker;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::{fmt, io, thread};
use tessera_node::disk::{Completion, Disk, FileId, Operation, Output};
use tessera_node::network::Wake;

/// Ordinary I/O on a thread, which is started by the first operation and ends with this. What has not begun by then is
/// left undone; what has is not waited for.
pub struct ThreadDisk {
    waker: Waker,
    worker: Option<Sender<(u64, Operation)>>,
    ended: Arc<AtomicBool>,
    done: Receiver<Completion>,
    /// For the worker, and for what never reached it.
    sender: Sender<Completion>,
}

impl ThreadDisk {
    /// The disk of the node that `waker` wakes.
    pub fn new(waker: Waker) -> ThreadDisk {
        let (sender, done) = mpsc::channel();
        ThreadDisk { waker, worker: None, ended: Arc::default(), done, sender }
    }

    fn start(&self) -> io::Result<Sender<(u64, Operation)>> {
        let (worker, orders) = mpsc::channel();
        let (done, waker, ended) = (self.sender.clone(), self.waker.clone(), self.ended.clone());
        thread::Builder::new().name("disk".to_owned()).spawn(move || {
            let mut files = Files::new();
            for (tag, operation) in orders {
                if ended.load(Ordering::Acquire) {
                    break;
                }
                let result = carry_out(operation, &mut files);
                if done.send(Completion { tag, result }).is_err() {
                    break;
                }
                waker.wake();
            }
        })?;
        Ok(worker)
    }

    fn hand_over(&mut self, tag: u64, operation: Operation) -> io::Result<()> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => self.start()?,
        };
        let sent = worker.send((tag, operation));
        self.worker = Some(worker);
        sent.map_err(|_| io::Error::other("the thread for the disk is gone"))
    }
}

impl Disk for ThreadDisk {
    fn submit(&mut self, tag: u64, operation: Operation) {
        if let Err(error) = self.hand_over(tag, operation) {
            // The other end is here.
            let _ = self.sender.send(Completion { tag, result: Err(error) });
            self.waker.wake();
        }
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        into.extend(self.done.try_iter());
    }

    fn is_direct(&self, _file: FileId) -> bool {
        false
    }
}

impl Drop for ThreadDisk {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
    }
}

impl fmt::Debug for ThreadDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ThreadDisk").field("started", &self.worker.is_some()).finish_non_exhaustive()
    }
}

fn carry_out(operation: Operation, files: &mut Files<File>) -> io::Result<Output> {
    match operation {
        Operation::Create { path } => Ok(Output::File(files.insert(plain::create(&path)?))),
        Operation::Open { path } => {
            let (file, len_bytes) = plain::open(&path)?;
            Ok(Output::Opened(files.insert(file), len_bytes))
        }
        Operation::Write { file, offset_bytes, bytes } => {
            files.get(file)?.write_all_at(&bytes, offset_bytes)?;
            Ok(Output::Written(bytes))
        }
        Operation::Read { file, offset_bytes, len_bytes } => {
            let mut bytes = Vec::new();
            plain::read(files.get(file)?, offset_bytes, len_bytes, &mut bytes)?;
            Ok(Output::Read(bytes))
        }
        Operation::Sync { file } => files.get(file)?.sync_data().map(|()| Output::Done),
        Operation::Close { file } => files.remove(file).map(|_| Output::Done),
        Operation::List { directory } => plain::list(&directory).map(Output::Names),
        Operation::Rename { from, to } => std::fs::rename(&*from, &*to).map(|()| Output::Done),
        Operation::Remove { path } => std::fs::remove_file(&*path).map(|()| Output::Done),
        Operation::SyncDirectory { directory } => plain::sync_directory(&directory).map(|()| Output::Done),
    }
}
