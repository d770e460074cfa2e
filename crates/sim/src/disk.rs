//! A node's end of the virtual disk.

use crate::network::VirtualWaker;
use crate::storage::Storage;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tessera_node::disk::{Completion, Disk, FileId, Operation};

/// A node's disk: the part of a [`Storage`] that it has operations under way on.
pub struct VirtualDisk {
    node: usize,
    storage: Rc<RefCell<Storage>>,
}

impl VirtualDisk {
    /// Node number `node`'s end, which wakes it by `waker`.
    pub fn new(node: usize, storage: Rc<RefCell<Storage>>, waker: Arc<VirtualWaker>) -> VirtualDisk {
        storage.borrow_mut().attach(node, waker);
        VirtualDisk { node, storage }
    }
}

impl Disk for VirtualDisk {
    fn submit(&mut self, tag: u64, operation: Operation) {
        self.storage.borrow_mut().submit(self.node, tag, operation);
    }

    fn take_completions(&mut self, into: &mut Vec<Completion>) {
        self.storage.borrow_mut().take_completions(self.node, into);
    }

    fn is_direct(&self, _file: FileId) -> bool {
        false
    }
}
