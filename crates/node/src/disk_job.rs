//! What is done on a disk one step after the other, written as it is read: an `async fn` over a [`Desk`].
//!
//! There is no executor. Whoever has such a job asks it once a turn how far it is, after the desk has taken in what is
//! over; it goes on until it waits for the disk again. What a job that is dropped has under way is carried out all the
//! same, and what it has open stays so.

use crate::desk::{Desk, Submitted};
use crate::disk::{FileId, Listed, Operation, Output};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A job on the disk, with what comes of it.
pub(crate) struct DiskJob<T> {
    steps: Pin<Box<dyn Future<Output = T>>>,
}

impl<T> DiskJob<T> {
    /// Nothing of it is begun before the first look.
    pub(crate) fn new(steps: impl Future<Output = T> + 'static) -> DiskJob<T> {
        DiskJob { steps: Box::pin(steps) }
    }

    /// Goes on as far as it can now. What came of it if it is over: then it must not be asked again.
    pub(crate) fn go_on(&mut self) -> Option<T> {
        // It is looked at in every turn, so nobody need be woken.
        match self.steps.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}

impl<T> fmt::Debug for DiskJob<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DiskJob").finish_non_exhaustive()
    }
}

impl Future for Submitted {
    type Output = io::Result<Output>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Output>> {
        self.get_mut().take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What an error is told as: what was being done, and to what.
pub(crate) fn told<T>(verb: &str, what: &str, outcome: io::Result<T>) -> Result<T, String> {
    outcome.map_err(|error| format!("{verb} {what}: {error}"))
}

/// An error, or an answer that does not fit the question.
pub(crate) fn unexpected(result: io::Result<Output>) -> io::Error {
    match result {
        Ok(output) => io::Error::other(format!("the disk answered {output:?}")),
        Err(error) => error,
    }
}

impl Desk {
    async fn done(&self, operation: Operation) -> io::Result<()> {
        self.submit(operation).await.map(|_| ())
    }

    /// See [`Operation::Create`].
    pub(crate) async fn create(&self, path: &Arc<str>) -> io::Result<FileId> {
        match self.submit(Operation::Create { path: path.clone() }).await {
            Ok(Output::File(file)) => Ok(file),
            other => Err(unexpected(other)),
        }
    }

    /// See [`Operation::Open`].
    pub(crate) async fn open(&self, path: &Arc<str>) -> io::Result<FileId> {
        match self.submit(Operation::Open { path: path.clone() }).await {
            Ok(Output::Opened(file, _)) => Ok(file),
            other => Err(unexpected(other)),
        }
    }

    /// See [`Operation::Read`].
    pub(crate) async fn read(
        &self,
        file: FileId,
        offset_bytes: u64,
        len_bytes: usize,
    ) -> io::Result<Vec<u8>> {
        match self.submit(Operation::Read { file, offset_bytes, len_bytes }).await {
            Ok(Output::Read(bytes)) => Ok(bytes),
            other => Err(unexpected(other)),
        }
    }

    /// See [`Operation::List`].
    pub(crate) async fn list(&self, directory: &Arc<str>) -> io::Result<Vec<Listed>> {
        match self.submit(Operation::List { directory: directory.clone() }).await {
            Ok(Output::Names(names)) => Ok(names),
            other => Err(unexpected(other)),
        }
    }

    /// See [`Operation::Sync`].
    pub(crate) async fn sync(&self, file: FileId) -> io::Result<()> {
        self.done(Operation::Sync { file }).await
    }

    /// See [`Operation::Close`].
    pub(crate) async fn close(&self, file: FileId) -> io::Result<()> {
        self.done(Operation::Close { file }).await
    }

    /// See [`Operation::Rename`].
    pub(crate) async fn rename(&self, from: &Arc<str>, to: &Arc<str>) -> io::Result<()> {
        self.done(Operation::Rename { from: from.clone(), to: to.clone() }).await
    }

    /// See [`Operation::Remove`].
    pub(crate) async fn remove(&self, path: &Arc<str>) -> io::Result<()> {
        self.done(Operation::Remove { path: path.clone() }).await
    }

    /// See [`Operation::SyncDirectory`].
    pub(crate) async fn sync_directory(&self, directory: &Arc<str>) -> io::Result<()> {
        self.done(Operation::SyncDirectory { directory: directory.clone() }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Completion, Disk};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// What was submitted and not answered.
    #[derive(Default)]
    struct Waiting {
        submitted: Vec<(u64, Operation)>,
        completions: Vec<Completion>,
    }

    struct Remembered(Rc<RefCell<Waiting>>);

    impl Disk for Remembered {
        fn submit(&mut self, tag: u64, operation: Operation) {
            self.0.borrow_mut().submitted.push((tag, operation));
        }

        fn take_completions(&mut self, into: &mut Vec<Completion>) {
            into.append(&mut self.0.borrow_mut().completions);
        }

        fn is_direct(&self, _file: FileId) -> bool {
            false
        }
    }

    fn answer(waiting: &RefCell<Waiting>, result: io::Result<Output>) {
        let mut waiting = waiting.borrow_mut();
        let (tag, _) = waiting.submitted.remove(0);
        waiting.completions.push(Completion { tag, result });
    }

    async fn make(desk: Desk) -> io::Result<()> {
        let file = desk.create(&"a".into()).await?;
        desk.close(file).await
    }

    #[test]
    fn a_job_goes_on_with_what_comes() {
        let waiting = Rc::<RefCell<Waiting>>::default();
        let desk = Desk::new(Box::new(Remembered(Rc::clone(&waiting))));
        let mut job = DiskJob::new(make(desk.clone()));
        assert!(desk.is_idle(), "nothing is begun yet");
        assert!(job.go_on().is_none() && job.go_on().is_none());
        assert_eq!(waiting.borrow().submitted.len(), 1, "it is asked for once");
        answer(&waiting, Ok(Output::File(FileId(7))));
        desk.collect();
        assert!(job.go_on().is_none());
        assert!(matches!(waiting.borrow().submitted[0].1, Operation::Close { file: FileId(7) }));
        answer(&waiting, Err(io::ErrorKind::StorageFull.into()));
        desk.collect();
        let outcome = job.go_on().expect("it is over");
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(desk.is_idle());
    }

    #[test]
    fn what_a_dropped_job_opens_is_closed() {
        let waiting = Rc::<RefCell<Waiting>>::default();
        let desk = Desk::new(Box::new(Remembered(Rc::clone(&waiting))));
        let mut job = DiskJob::new(make(desk.clone()));
        assert!(job.go_on().is_none());
        drop(job);
        answer(&waiting, Ok(Output::File(FileId(7))));
        desk.collect();
        assert!(matches!(waiting.borrow().submitted[0].1, Operation::Close { file: FileId(7) }));
        answer(&waiting, Ok(Output::Done));
        desk.collect();
        assert!(desk.is_idle(), "{desk:?}");
    }
}
