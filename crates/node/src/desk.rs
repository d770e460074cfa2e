//! What a node has under way on its disk, for those in the node who wait for it.

use crate::disk::{Completion, Disk, FileId, Operation, Output};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::rc::Rc;

/// A node's disk with the operations under way on it. All copies are of the same.
///
/// Completions come in once per turn, and only if something is under way. Whoever submitted an operation takes its
/// outcome in that turn or a later one; what nobody waits for any more is carried out all the same.
#[derive(Clone)]
pub struct Desk {
    state: Rc<RefCell<State>>,
}

/// What is under way, each under a number that is never used again.
struct State {
    disk: Box<dyn Disk>,
    next_tag: u64,
    under_way: usize,
    /// Over, and not taken yet.
    done: BTreeMap<u64, io::Result<Output>>,
    /// Under way, and nobody will take what comes of them.
    abandoned: BTreeSet<u64>,
    fresh: Vec<Completion>,
}

/// An operation that was submitted. Who drops it says that nobody will take what comes of it.
#[must_use]
pub struct Submitted {
    desk: Desk,
    /// `None` once its outcome is taken.
    tag: Option<u64>,
}

impl Desk {
    /// A disk with nothing under way.
    pub fn new(disk: Box<dyn Disk>) -> Desk {
        let state = State {
            disk,
            next_tag: 0,
            under_way: 0,
            done: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            fresh: Vec::new(),
        };
        Desk { state: Rc::new(RefCell::new(state)) }
    }

    /// Begins an operation. Its outcome is there in a later turn.
    pub fn submit(&self, operation: Operation) -> Submitted {
        let tag = self.state.borrow_mut().submit(operation);
        Submitted { desk: self.clone(), tag: Some(tag) }
    }

    /// Takes in what is over. Costs nothing if nothing is under way.
    #[inline]
    pub fn collect(&self) {
        let mut state = self.state.borrow_mut();
        if state.under_way > 0 {
            state.take_in();
        }
    }

    /// Whether a file that is open is read and written past the system's cache.
    pub fn is_direct(&self, file: FileId) -> bool {
        self.state.borrow().disk.is_direct(file)
    }

    /// How many operations are under way.
    pub fn under_way(&self) -> usize {
        self.state.borrow().under_way
    }

    /// Nothing is under way, and every outcome was taken.
    pub fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        state.under_way == 0 && state.done.is_empty()
    }
}

impl State {
    fn submit(&mut self, operation: Operation) -> u64 {
        let tag = self.next_tag;
        self.next_tag += 1;
        self.under_way += 1;
        self.disk.submit(tag, operation);
        tag
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

    /// Nobody will take what comes of it. A file that it opens is closed.
    fn abandon(&mut self, tag: u64) {
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
}

impl Submitted {
    /// What came of it, if it is over. Answers once.
    pub fn take(&mut self) -> Option<io::Result<Output>> {
        let outcome = self.desk.state.borrow_mut().done.remove(&self.tag?)?;
        self.tag = None;
        Some(outcome)
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        if let Some(tag) = self.tag {
            self.desk.state.borrow_mut().abandon(tag);
        }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        formatter
            .debug_struct("Desk")
            .field("under_way", &state.under_way)
            .field("done", &state.done.len())
            .field("abandoned", &state.abandoned.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Submitted").field(&self.tag).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let desk = Desk::new(Box::<Prompt>::default());
        assert!(desk.is_idle());
        let mut made = desk.submit(Operation::Create { path: "a".into() });
        let mut removed = desk.submit(Operation::Remove { path: "b".into() });
        assert!(made.take().is_none() && desk.under_way() == 2);
        desk.collect();
        assert!(!desk.is_idle() && desk.under_way() == 0);
        assert!(matches!(made.take(), Some(Ok(Output::File(_)))));
        assert!(made.take().is_none(), "answers once");
        assert!(matches!(removed.take(), Some(Err(error)) if error.kind() == io::ErrorKind::NotFound));
        assert!(desk.is_idle());
    }

    #[test]
    fn files_that_nobody_takes_are_closed() {
        for early in [true, false] {
            let submitted = Rc::default();
            let disk = Prompt { submitted: Rc::clone(&submitted), completions: Vec::new() };
            let desk = Desk::new(Box::new(disk));
            let made = desk.submit(Operation::Create { path: "a".into() });
            if early {
                drop(made);
                desk.collect();
            } else {
                desk.collect();
                drop(made);
            }
            assert!(submitted.borrow()[1].1.contains("Close { file: FileId(100) }"));
            desk.collect();
            assert!(desk.is_idle(), "{desk:?}");
        }
    }
}
