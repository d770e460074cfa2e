//! DEBUG RELOAD: all keys are saved, removed, and loaded again, or some of that, while all clients wait.
//!
//! Node 0 does one after the other. What is asked for first is a snapshot, or only its cut, after which clients stay
//! held. Then it looks for what there is to load, while all keys are still there. When it knows, it tells all nodes,
//! and each tells all others before it removes its keys and loads its share: so what a peer loads for it comes after
//! that. At the end clients go on.

use super::commands::FAILED;
use super::coordinator::Coordinator;
use super::reloader::{ReloadRequest, Reloader};
use super::status::Purpose;
use crate::accounts::Account;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::Hold;
use crate::loading::plan::LoadPlan;
use crate::notes::snapshot::{ReloadOrder, SnapshotNote};
use std::sync::Arc;
use tessera_command::host::Reload;

/// What Redis answers when it could not load.
const NOT_LOADED: &[u8] = b"-ERR Error trying to load the RDB dump, check server logs.\r\n";

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The client's command is answered when all is loaded again.
    pub(crate) fn await_reload(
        &mut self,
        connection: &mut Connection,
        is_sent: bool,
        reload: Reload,
        account: Account,
    ) {
        let sequence = connection.replies.reserve(is_sent);
        connection.hold = Some(Hold::Saving);
        self.snapshot.reloads_requested += 1;
        let number = self.snapshot.reloads_requested;
        self.snapshot.reloaders.push(Reloader { connection: connection.id, sequence, number, account });
        self.tell_coordinator(SnapshotNote::Reload { number, reload });
    }

    /// A client of that node wants all keys to be loaded again.
    pub(super) fn take_reload_request(&mut self, home: usize, number: u64, reload: Reload) {
        let coordinator = self.snapshot.coordinator.get_or_insert_default();
        coordinator.reloads.push_back(ReloadRequest { home, number, reload });
    }

    /// Begins the next one, if one is requested and nothing else is under way.
    pub(super) fn begin_reload(&mut self, coordinator: &mut Coordinator) {
        if !coordinator.is_resting() || coordinator.has_request() || self.server.shared.is_shutting_down() {
            return;
        }
        // A snapshot that was just asked for comes first.
        if coordinator.reloads.is_empty() || !self.server.shared.persistence.become_busy() {
            return;
        }
        let Some(asked) = coordinator.reloads.pop_front() else { return };
        coordinator.reload = Some(asked);
        self.begin_snapshot(coordinator, Purpose::Reload { saves: asked.reload.saves });
    }

    /// All is saved, or need not be, and nothing is under way anywhere: what is there to load?
    pub(super) fn find_what_to_reload(&mut self, coordinator: &mut Coordinator) {
        let Some(ReloadRequest { reload, .. }) = coordinator.reload else { return };
        if let Err(problem) = self.begin_loading_again(reload) {
            self.log_snapshot(&format!("Loading failed, all keys stay: {problem}"));
            self.reload_is_over(coordinator, NOT_LOADED);
        }
    }

    /// Node 0 knows what there is to load, and has all nodes begin.
    pub(crate) fn order_reload(&mut self, reload: Reload, plan: LoadPlan) {
        let number = self.snapshot.reloads_begun + 1;
        self.take_reload_order(&Arc::new(ReloadOrder { number, reload, plan }));
    }

    /// Node 0, or a peer that has heard from it, says what there is to load again.
    pub(super) fn take_reload_order(&mut self, order: &Arc<ReloadOrder>) {
        if order.number <= self.snapshot.reloads_begun {
            return;
        }
        self.snapshot.reloads_begun = order.number;
        for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
            self.mesh.note(peer, SnapshotNote::LoadAgain(order.clone()));
        }
        if order.reload.flushes {
            for db in 0..self.owner.shard.databases_len() {
                // Everybody waits: so what is loaded need not find room beside it.
                self.owner.shard.flush(db as u16, false);
            }
        }
        self.load_again(order.reload, &order.plan);
    }

    /// It has been loaded again, or never will be.
    pub(crate) fn note_reloaded(&mut self, is_loaded: bool) {
        let mut coordinator = self.snapshot.coordinator.take().unwrap_or_default();
        let reply: &'static [u8] = if is_loaded { b"+OK\r\n" } else { NOT_LOADED };
        self.reload_is_over(&mut coordinator, reply);
        self.snapshot.coordinator = Some(coordinator);
    }

    /// The snapshot that was to come before it has failed, or is not to be.
    pub(super) fn reload_has_failed(&mut self, coordinator: &mut Coordinator) {
        let saves = coordinator.reload.is_some_and(|asked| asked.reload.saves);
        self.reload_is_over(coordinator, if saves { FAILED } else { NOT_LOADED });
    }

    fn reload_is_over(&mut self, coordinator: &mut Coordinator, reply: &'static [u8]) {
        let is_busy = coordinator.has_request();
        self.server.shared.persistence.end(is_busy, |_| ());
        let Some(ReloadRequest { home, number, .. }) = coordinator.reload.take() else { return };
        self.tell_all(|| SnapshotNote::Reloaded { home, number, reply });
    }

    /// Clients go on; one of this node may have waited for it.
    pub(super) fn take_reloaded(&mut self, home: usize, number: u64, reply: &'static [u8]) {
        self.snapshot.drain.forget_attempt();
        self.let_clients_go();
        if home != self.server.me {
            return;
        }
        let reloaders = &mut self.snapshot.reloaders;
        let Some(at) = reloaders.iter().position(|reloader| reloader.number == number) else { return };
        let Reloader { connection, sequence, account, .. } = reloaders.remove(at);
        self.answer_at_last(connection, sequence, &account, reply);
    }
}
