//! What a node does for loading in each turn, until all is loaded or loading has failed.

use super::state::{Loading, REPORT_PERIOD_NS};
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::{Flow, Gate, Hold};
use crate::notes::loading::LoadNote;
use tessera_command::Command;
use tessera_resp::Args;

/// What clients are told meanwhile.
const LOADING: &[u8] = b"LOADING Redis is loading the dataset in memory";

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Loads on, if the server is loading: a turn's share.
    pub(crate) fn load(&mut self) {
        let Some(mut loading) = self.loading.take() else { return };
        if self.server.shared.loading.has_failed() {
            self.stop_loading(&mut loading);
        } else if !self.server.shared.loading.is_loading() {
            return self.end_loading(*loading);
        } else {
            let outcome = match self.find_some(&mut loading) {
                Ok(None) => self.load_some(&mut loading),
                // Only what is to be loaded again begins with what was found.
                Ok(Some((reload, plan))) => {
                    self.loading = Some(loading);
                    return self.order_reload(reload, plan);
                }
                Err(problem) => Err(problem),
            };
            if let Err(problem) = outcome {
                if loading.again.is_some() && !loading.is_planned {
                    self.home.release(Gate::Loading);
                    return self.give_up_loading_again(&problem);
                }
                self.fail_loading(problem);
                self.stop_loading(&mut loading);
            }
        }
        // A node whose loading has failed is loading until it ends: it serves nobody, and saves nothing.
        self.loading = Some(loading);
    }

    fn load_some(&mut self, loading: &mut Loading) -> Result<(), String> {
        self.read_files(loading)?;
        self.send_parcels(loading);
        if loading.is_planned && !loading.has_sent && loading.current.is_none() && loading.files.is_empty() {
            loading.has_sent = true;
            loading.senders_done += 1;
            for peer in (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me) {
                self.mesh.note(peer, LoadNote::Sent);
            }
        }
        if loading.senders_done == self.mesh.nodes() && !loading.has_reported {
            loading.has_reported = true;
            if self.server.me == 0 {
                loading.nodes_done += 1;
            } else {
                self.mesh.note(0, LoadNote::Arrived);
            }
        }
        if self.server.me == 0 && loading.nodes_done == self.mesh.nodes() {
            self.server.shared.end_loading();
        }
        if self.server.me == 0 && self.time.now_ns >= loading.next_report_ns {
            loading.next_report_ns = self.time.now_ns + REPORT_PERIOD_NS;
            let facts = self.server.shared.loading.facts(self.time.unix_us);
            let line = format!(
                "Loading: {} of {} bytes, {} keys",
                facts.loaded_bytes, facts.total_bytes, facts.keys_loaded
            );
            self.server.shared.system.notice(line.as_bytes());
        }
        Ok(())
    }

    /// The node must not sleep: there is something to decode.
    pub(crate) fn has_loading_work(&self) -> bool {
        self.loading.as_ref().is_some_and(|loading| loading.has_work)
    }

    /// Takes in what another node says of loading.
    pub(crate) fn take_load_note(&mut self, note: LoadNote) {
        match note {
            LoadNote::Plan(plan) => self.take_load_plan(&plan),
            LoadNote::Entries(entries, _) => self.take_loaded(entries),
            LoadNote::Sent => self.take_load_sent(),
            LoadNote::Arrived => self.take_load_arrived(),
        }
    }

    /// A peer has sent everything.
    pub(crate) fn take_load_sent(&mut self) {
        if let Some(loading) = &mut self.loading {
            loading.senders_done += 1;
        }
    }

    /// A peer has everything.
    pub(crate) fn take_load_arrived(&mut self) {
        if let Some(loading) = &mut self.loading {
            loading.nodes_done += 1;
        }
    }

    /// What becomes of a command while the server is loading. Usually there is nothing to load, and clients that come
    /// before that is known need not hear of it: they wait.
    #[cold]
    pub(crate) fn hold_or_refuse_while_loading(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        match &mut self.loading {
            Some(loading) if !loading.is_refusing => self.home.hold(connection, Hold::Loading),
            _ => self.reject(connection, Some(command), args, LOADING),
        }
    }

    fn end_loading(&mut self, loading: Loading) {
        self.home.release(Gate::Loading);
        if self.server.me == 0 && (loading.is_refusing || loading.again.is_some()) {
            let facts = self.server.shared.loading.facts(self.time.unix_us);
            let line = format!(
                "Loaded {} keys in {:.3} seconds; {} had expired",
                facts.keys_loaded,
                (self.time.now_ns - loading.began_ns) as f64 / 1e9,
                facts.keys_expired
            );
            self.server.shared.system.notice(line.as_bytes());
        }
        if self.server.me == 0 && loading.again.is_some() {
            self.tell_how_it_was_reloaded();
        }
    }

    #[cold]
    fn tell_how_it_was_reloaded(&mut self) {
        let keys_kept = self.server.shared.loading.keys_kept();
        if keys_kept == 0 {
            self.server.shared.system.notice(b"DB reloaded by DEBUG RELOAD");
        } else {
            let line = format!(
                "DEBUG RELOAD NOFLUSH without MERGE: {keys_kept} keys were there already, and stay as they were"
            );
            self.server.shared.system.log(line.as_bytes());
        }
        self.note_reloaded(keys_kept == 0);
    }

    /// Node 0 has found nothing to load, and nothing was removed.
    #[cold]
    fn give_up_loading_again(&mut self, problem: &str) {
        self.server.shared.system.log(format!("Loading failed, all keys stay: {problem}").as_bytes());
        self.server.shared.end_loading();
        self.note_reloaded(false);
    }

    /// The server cannot start. It ends, and nothing is written or removed.
    pub(super) fn fail_loading(&mut self, problem: String) {
        self.server.shared.system.log(format!("Loading failed: {problem}").as_bytes());
        self.server.shared.loading.fail(problem);
        self.server.shared.shut_down();
    }

    /// Something has failed, here or on another node. Clients are refused until the server has ended.
    #[cold]
    fn stop_loading(&mut self, loading: &mut Loading) {
        loading.is_refusing = true;
        loading.has_work = false;
        loading.finding = None;
        loading.current = None;
        loading.files.clear();
        loading.parcels.iter_mut().for_each(|(parcel, _)| *parcel = Vec::new());
        self.home.release(Gate::Loading);
    }
}
