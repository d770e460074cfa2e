//! What a node has under way on its disk, for those in the node who wait for it.

use crate::disk::{Completion, Disk, FileId, Operation, Output};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

/// A node's disk with the operations under way on it, each under a number that is never used again.
///
/// Completions come in once per turn, and only if something is under way. Whoever submitted an operation takes its outcome
/// in that turn or a later one, or has said that nobody will.
pub struct Desk {
    disk: Box<dyn Disk>,
    next_tag: u64,
    under_way: usize,
    /// Over, and not taken yet.
    done: BTreeMap<u64, io::Result<Output>>,
    /// Under way, and nobody will take what comes of them.
    abandoned: BTreeSet<u64>,
    fresh: Vec<Completion>,
}

impl Desk {
    /// A disk with nothing under way.
    pub fn new(disk: Box<dyn Disk>) -> Desk {
        Desk {
            disk,
            next_tag: 0,
            under_way: 0,
            done: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            fresh: Vec::new(),
        }
    }

    /// Begins an operation. Its outcome is under the number answered, in a later turn.
    pub fn submit(&mut self, operation: Operation) -> u64 {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.under_way += 1;
        self.disk.submit(tag, operation);
        tag
    }

    /// Takes in what is over. Costs nothing if nothing is under way.
    #[inline]
    pub fn collect(&mut self) {
        if self.under_way > 0 {
            self.take_in();
        }
    }

    fn take_in(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        self.disk.take_completions(&mut fresh);
        for Completion { tag, result } in fresh.drain(..) {
            self.under_way -= 1;
            if self.abandoned.remove(&tag) {
                self.give_back(result);
            } else {
                self.done.insert(tag, result);
            }
        }
        self.fresh = fresh;
    }

    /// What came of an operation, if it is over. Answers once.
    pub fn take(&mut self, tag: u64) -> Option<io::Result<Output>> {
        self.done.remove(&tag)
    }

    /// Nobody will take what comes of an operation that was submitted and not taken. It is carried out all the same; a file
    /// that it opens is closed.
    pub fn abandon(&mut self, tag: u64) {
        match self.done.remove(&tag) {
            Some(result) => self.give_back(result),
            None => {
                self.abandoned.insert(tag);
            }
        }
    }

    fn give_back(&mut self, result: io::Result<Output>) {
        if let Ok(Output::File(file) | Output::Opened(file, _)) = result {
            let tag = self.submit(Operation::Close { file });
            self.abandoned.insert(tag);
        }
    }

    /// Whether a file that is open is read and written past the system's cache.
    pub fn is_direct(&self, file: FileId) -> bool {
        self.disk.is_direct(file)
    }

    /// How many operations are under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Nothing is under way, and every outcome was taken.
    pub fn is_idle(&self) -> bool {
        self.under_way == 0 && self.done.is_empty()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Desk")
            .field("under_way", &self.under_way)
            .field("done", &self.done.len())
            .field("abandoned", &self.abandoned.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// Opens a file for whoever wants one, and completes everything with the next look, the latest first.
    #[derive(Default)]
    struct Prompt {
        submitted: Rc<RefCell<Vec<(u64, String)>>>,
        completions: Vec<Completion>,
    }

    impl Disk for Prompt {
        fn submit(&mut self, tag: u64, operation: Operation) {
            self.submitted.borrow_mut().push((tag, format!("{operation:?}")));
            let result = match operation {
                Operation::Create { .. } => Ok(Output::File(FileId(tag + 100))),
                Operation::Remove { .. } => Err(io::ErrorKind::NotFound.into()),
                _ => Ok(Output::Done),
            };
            self.completions.insert(0, Completion { tag, result });
        }

        fn take_completions(&mut self, into: &mut Vec<Completion>) {
            into.append(&mut self.completions);
        }

        fn is_direct(&self, _file: FileId) -> bool {
            false
        }
    }

    #[test]
    fn outcomes_are_kept_for_who_asked() {
        let mut desk = Desk::new(Box::<Prompt>::default());
        assert!(desk.is_idle());
        let made = desk.submit(Operation::Create { path: "a".into() });
        let removed = desk.submit(Operation::Remove { path: "b".into() });
        assert!(desk.take(made).is_none() && desk.under_way() == 2);
        desk.collect();
        assert!(!desk.is_idle() && desk.under_way() == 0);
        assert!(matches!(desk.take(made), Some(Ok(Output::File(_)))));
        assert!(desk.take(made).is_none(), "answers once");
        assert!(matches!(desk.take(removed), Some(Err(error)) if error.kind() == io::ErrorKind::NotFound));
        assert!(desk.is_idle());
    }

    #[test]
    fn files_that_nobody_takes_are_closed() {
        for early in [true, false] {
            let submitted = Rc::default();
            let disk = Prompt { submitted: Rc::clone(&submitted), completions: Vec::new() };
            let mut desk = Desk::new(Box::new(disk));
            let made = desk.submit(Operation::Create { path: "a".into() });
            if early {
                desk.abandon(made);
                desk.collect();
            } else {
                desk.collect();
                desk.abandon(made);
            }
            assert!(submitted.borrow()[1].1.contains("Close { file: FileId(100) }"));
            desk.collect();
            assert!(desk.is_idle(), "{desk:?}");
        }
    }
}
