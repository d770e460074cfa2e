//! The files that a node has open.

use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io;
use tessera_node::disk::FileId;

/// Open files by their numbers, none of which is used twice.
pub(super) struct Files<F> {
    open: BTreeMap<FileId, F>,
    next: u64,
}

impl<F> Files<F> {
    pub(super) fn new() -> Files<F> {
        Files { open: BTreeMap::new(), next: 1 }
    }

    pub(super) fn insert(&mut self, file: F) -> FileId {
        let id = FileId(self.next);
        self.next += 1;
        self.open.insert(id, file);
        id
    }

    pub(super) fn get(&self, id: FileId) -> io::Result<&F> {
        self.open.get(&id).ok_or_else(|| Errno::BADF.into())
    }

    pub(super) fn remove(&mut self, id: FileId) -> io::Result<F> {
        self.open.remove(&id).ok_or_else(|| Errno::BADF.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
