//! What waits, as clients' commands do, until a value is saved or kept for who reads it (see [`crate::snapshot`]), and is no command: steps
//! of commands over several shards, and blocking commands, whether they have yet to look at a key or wait for one.

use crate::clock::Clock;
use crate::core::Core;
use crate::notes::waiting::WaitRequest;
use std::collections::BTreeSet;
use tessera_command::Run;
use tessera_routing::Errand;
use tessera_routing::message::ErrandKind;

/// See the module.
#[derive(Default)]
pub(crate) struct Unkept {
    /// Steps that change something, and whose they are. Their keys are held, so nothing comes between.
    errands: Vec<(usize, Errand)>,
    requests: Vec<WaitRequest>,
    /// Keys that have something for those who wait for them.
    unserved: BTreeSet<(u16, Box<[u8]>)>,
}

impl Unkept {
    /// Nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.errands.is_empty() && self.requests.is_empty() && self.unserved.is_empty()
    }

    pub(crate) fn put_off_errand(&mut self, home: usize, errand: Errand) {
        self.errands.push((home, errand));
    }

    pub(crate) fn put_off(&mut self, request: WaitRequest) {
        self.requests.push(request);
    }

    pub(crate) fn put_off_waiters(&mut self, db: u16, key: &[u8]) {
        self.unserved.insert((db, key.into()));
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Whether a step of a command over several shards has to wait for its key to be saved, or kept for who reads it.
    #[inline]
    pub(crate) fn must_wait_with_errand(&mut self, errand: &Errand) -> bool {
        self.must_writes_ask() && self.must_errand_wait(errand)
    }

    #[cold]
    fn must_errand_wait(&mut self, errand: &Errand) -> bool {
        let Errand { db, key, kind, .. } = errand;
        let changes_in_place = match kind {
            ErrandKind::Take
            | ErrandKind::TakeElement(..)
            | ErrandKind::GiveElement(..)
            | ErrandKind::Act { .. } => true,
            // What was there goes as it is to those who read it.
            ErrandKind::Put(..) | ErrandKind::Remove => false,
            ErrandKind::Look { .. }
            | ErrandKind::FindTexts { .. }
            | ErrandKind::HoldAll
            | ErrandKind::Part { .. }
            | ErrandKind::Release => return false,
        };
        self.owner.shard.must_wait_for_snapshot(*db, key)
            || changes_in_place && self.owner.shard.must_wait_for_readers(*db, key)
    }

    /// Whether a blocking command that may be served has to wait for what it would change on this shard: the first of its keys
    /// that holds something, and where the element is to go.
    #[inline]
    pub(crate) fn must_wait_to_serve(&mut self, request: &WaitRequest) -> bool {
        self.must_writes_ask() && self.must_service_wait(request)
    }

    #[cold]
    fn must_service_wait(&mut self, request: &WaitRequest) -> bool {
        let Run::Blocking(steps) = request.command.run else { return false };
        let view = self.owner.shard.view(request.db, false);
        let first = request.keys.iter().find_map(|key| Some((key, view.peek(key)?.value().value_type())));
        let Some((source, _)) = first.filter(|(_, value_type)| *value_type == steps.waits_for) else {
            // It is told of the wrong type, or finds nothing.
            return false;
        };
        let target = (steps.wait)(request.words.as_args()).ok().and_then(|wait| wait.target);
        let target = target.map(|target| target.key);
        let target =
            target.filter(|key| usize::from(self.server.shared.slots.owner_of(key)) == self.server.me);
        [Some(&**source), target].into_iter().flatten().any(|key| {
            self.owner.shard.must_wait_for_snapshot(request.db, key)
                || self.owner.shard.must_wait_for_readers(request.db, key)
        })
    }

    /// Has all of them try again, because something was saved or kept.
    pub(crate) fn let_unkept_go(&mut self) {
        if self.owner.unkept.is_empty() {
            return;
        }
        for (home, errand) in std::mem::take(&mut self.owner.unkept.errands) {
            if self.must_wait_with_errand(&errand) {
                self.owner.unkept.put_off_errand(home, errand);
                continue;
            }
            let ticket = errand.ticket;
            let answer = self.run_errand(errand);
            self.answer_errand(home, ticket, answer);
        }
        for (db, key) in std::mem::take(&mut self.owner.unkept.unserved) {
            self.owner.shard.waited_keys().note(db, &key);
        }
        self.serve_waiters();
        for request in std::mem::take(&mut self.owner.unkept.requests) {
            self.take_wait(request);
        }
    }
}
