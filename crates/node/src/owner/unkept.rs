//! What waits, as clients' commands do, until a value is saved or kept for who reads it (see [`crate::snapshot`]), and
//! is no command: steps of commands over several shards, and blocking commands, whether they have yet to look at a key
//! or wait for one.

use crate::notes::waiting::WaitRequest;
use std::collections::BTreeSet;
use tessera_routing::{Errand, TransactionId};

/// See the module.
#[derive(Default)]
pub(crate) struct Unkept {
    /// Steps of commands, and whose they are. Their keys are held, so nothing comes between but what the same
    /// transaction has sent after them.
    errands: Vec<Errand>,
    requests: Vec<WaitRequest>,
    /// Keys that have something for those who wait for them.
    unserved: BTreeSet<(u16, Box<[u8]>)>,
}

impl Unkept {
    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.errands.is_empty() && self.requests.is_empty() && self.unserved.is_empty()
    }

    pub(crate) fn put_off_errand(&mut self, errand: Errand) {
        self.errands.push(errand);
    }

    /// A step of this transaction waits.
    pub(crate) fn has_errand(&self, id: TransactionId) -> bool {
        self.errands.iter().any(|errand| errand.transaction == id)
    }

    pub(crate) fn put_off(&mut self, request: WaitRequest) {
        self.requests.push(request);
    }

    pub(crate) fn put_off_waiters(&mut self, db: u16, key: &[u8]) {
        self.unserved.insert((db, key.into()));
    }

    /// All steps that were put off.
    pub(crate) fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// All blocking commands that were put off.
    pub(crate) fn take_requests(&mut self) -> Vec<WaitRequest> {
        std::mem::take(&mut self.requests)
    }

    /// All keys for which those who wait were put off.
    pub(crate) fn take_unserved(&mut self) -> BTreeSet<(u16, Box<[u8]>)> {
        std::mem::take(&mut self.unserved)
    }
}
