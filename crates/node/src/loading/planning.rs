//! What there is to load: node 0 looks for it, and every node takes its share.

use super::finding::find_plan;
use super::plan::LoadPlan;
use super::state::{IfPresent, Loading};
use crate::clock::Clock;
use crate::core::Core;
use crate::disk_job::DiskJob;
use crate::home::holds::Gate;
use crate::notes::loading::LoadNote;
use crate::snapshot::names::Place;
use std::sync::Arc;
use tessera_command::host::Reload;
use tessera_storage::rdb::DecodeOptions;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Begins to load, if the server was told to.
    pub(crate) fn begin_loading(&mut self) {
        if !self.server.shared.loading.is_loading() {
            return;
        }
        let mut loading = Loading::new(self.mesh.nodes(), self.time.now_ns);
        if self.server.me == 0 {
            match self.begin_finding() {
                Ok(finding) => loading.finding = Some(finding),
                Err(problem) => self.fail_loading(problem),
            }
        }
        self.loading = Some(Box::new(loading));
    }

    /// Node 0 looks for what there is, to load it once more.
    ///
    /// # Errors
    /// It cannot know where to look.
    pub(crate) fn begin_loading_again(&mut self, reload: Reload) -> Result<(), String> {
        let mut loading =
            Loading { again: Some(reload), ..Loading::new(self.mesh.nodes(), self.time.now_ns) };
        loading.finding = Some(self.begin_finding()?);
        self.server.shared.loading.begin(self.time.unix_us);
        // There is something to be asked of the disk.
        loading.has_work = true;
        self.loading = Some(Box::new(loading));
        Ok(())
    }

    /// This node loads its share once more.
    pub(crate) fn load_again(&mut self, reload: Reload, plan: &LoadPlan) {
        // Node 0 has found the plan with it, and works on it just now.
        let mut loading = self.loading.take().unwrap_or_else(|| {
            let loading = Loading::new(self.mesh.nodes(), self.time.now_ns);
            Box::new(Loading { again: Some(reload), ..loading })
        });
        loading.if_present = match (reload.flushes, reload.merges) {
            (_, true) => IfPresent::Replace,
            (true, false) => IfPresent::Fail,
            (false, false) => IfPresent::Keep,
        };
        self.take_plan(&mut loading, plan);
        loading.has_work = true;
        self.loading = Some(loading);
    }

    /// What is being loaded is loaded once more.
    pub(crate) fn is_loading_again(&self) -> bool {
        self.loading.as_ref().is_some_and(|loading| loading.again.is_some())
    }

    pub(super) fn begin_finding(&self) -> Result<DiskJob<Result<LoadPlan, String>>, String> {
        let place = Place::new(&self.server.config.dir, &self.server.config.db_filename.0)?;
        Ok(DiskJob::new(find_plan(self.disk.clone(), place, self.decode_options())))
    }

    pub(super) fn decode_options(&self) -> DecodeOptions {
        DecodeOptions {
            thresholds: self.owner.shard.settings().thresholds,
            verify_checksum: self.server.config.rdb_checksum,
            skip_unsupported: false,
            prefetch: tessera_keyspace::prefetch,
        }
    }

    /// Looks on for what there is. What is to be loaded again, if that is known now.
    pub(super) fn find_some(&mut self, loading: &mut Loading) -> Result<Option<(Reload, LoadPlan)>, String> {
        let Some(found) = loading.finding.as_mut().and_then(DiskJob::go_on) else { return Ok(None) };
        loading.finding = None;
        let plan = found?;
        if loading.again.is_some() && plan.files.is_empty() {
            return Err("there is no file to load".to_owned());
        }
        if !plan.files.is_empty() {
            self.server.shared.system.notice(format!("Loading {}", plan.description).as_bytes());
        }
        for remark in &plan.remarks {
            self.server.shared.system.log(remark.as_bytes());
        }
        if let Some(cut_ms) = plan.cut_ms {
            self.server.shared.persistence.change(|facts| facts.last_cut_ms = cut_ms);
        }
        self.server.shared.loading.set_total(plan.total_bytes(), plan.used_memory_bytes);
        if let Some(reload) = loading.again {
            return Ok(Some((reload, plan)));
        }
        let plan = Arc::new(plan);
        for peer in 1..self.mesh.nodes() {
            self.mesh.note(peer, LoadNote::Plan(plan.clone()));
        }
        self.take_plan(loading, &plan);
        Ok(None)
    }

    /// Node 0 knows what there is to load.
    pub(crate) fn take_load_plan(&mut self, plan: &LoadPlan) {
        if let Some(mut loading) = self.loading.take() {
            self.take_plan(&mut loading, plan);
            self.loading = Some(loading);
        }
    }

    /// The plan is known: this node takes its share of the files.
    pub(super) fn take_plan(&mut self, loading: &mut Loading, plan: &LoadPlan) {
        loading.is_planned = true;
        loading.finding = None;
        loading.is_refusing = !plan.files.is_empty() && loading.again.is_none();
        if loading.is_refusing {
            self.home.release(Gate::Loading);
        }
        let nodes = self.mesh.nodes();
        loading.files = plan.files.iter().skip(self.server.me).step_by(nodes).cloned().collect();
    }
}
