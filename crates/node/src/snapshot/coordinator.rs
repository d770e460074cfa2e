//! Node 0: has a snapshot made from its beginning to its end, and begins those that save points ask for.

use super::SnapshotStep;
use super::cut::{Rounds, Verdict};
use super::merge;
use super::names::Place;
use super::part::put_file_header;
use super::reload::ReloadRequest;
use super::set::{self, Body, Job, Merge, Outcome, Publish};
use super::status::{EndOrder, Purpose};
use super::tidy::{Keep, Prepare, Tidy};
use crate::clock::Clock;
use crate::core::Core;
use crate::disk::Output;
use crate::mesh::Traffic;
use crate::notes::snapshot::{CutOrder, Ended, Published, SnapshotNote, WrittenPart};
use crate::system::DirectoryGuard;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tessera_routing::ShardId;
use tessera_storage::manifest::{Manifest, ShardFile};

/// A cut that takes longer is given up, in nanoseconds.
pub const CUT_MAX_NS: u64 = 1_000_000_000;
/// How long clients are served before it is tried again, in nanoseconds.
const CUT_PAUSE_NS: u64 = 100_000_000;
/// How long after a failure a save point has to wait, in seconds: Redis's `CONFIG_BGSAVE_RETRY_DELAY`.
const RETRY_DELAY_S: i64 = 5;
/// How often save points are looked at, in nanoseconds.
const LOOK_PERIOD_NS: u64 = 100_000_000;

/// How far a snapshot is.
#[derive(Debug)]
enum Phase {
    /// It gets its number.
    Preparing,
    /// All nodes finish what is under way.
    Draining { attempt: u64, since_ns: u64, rounds: Rounds },
    /// That took too long: tried again at this time.
    Resting { until_ns: u64 },
    /// The shards write.
    Writing { written: Vec<Option<WrittenPart>>, left: usize },
    /// The set becomes the one that counts.
    Publishing,
    /// What is not needed any more is removed.
    Tidying,
}

/// A snapshot under way.
#[derive(Debug)]
struct Current {
    purpose: Purpose,
    place: Place,
    /// Other servers are kept out of the directory, also if `dir` is changed meanwhile.
    _guard: DirectoryGuard,
    is_merged: bool,
    /// See [`CutOrder`]: what it was when the snapshot was asked for, as in Redis.
    key_delay_ns: u64,
    epoch: u64,
    cut_at_unix_ms: i64,
    began_ns: u64,
    phase: Phase,
    /// What went wrong first.
    failure: Option<String>,
    /// It is given up.
    is_given_up: bool,
    order: Option<Arc<CutOrder>>,
    /// What there is to send to clients that want it.
    published: Option<Arc<Published>>,
    /// What its files come to.
    len_bytes: u64,
    keys: u64,
    changes: u64,
}

/// Node 0's part in snapshots.
#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    current: Option<Current>,
    job: Option<Job>,
    /// Requested and not begun.
    requested: Option<Purpose>,
    attempts: u64,
    next_look_ns: u64,
    /// Keys are being loaded again, or will be after the snapshot under way.
    pub(super) reload: Option<ReloadRequest>,
    /// Requested and not begun.
    pub(super) reloads: VecDeque<ReloadRequest>,
}

impl Coordinator {
    pub(super) fn complete(&mut self, asked: set::SetStep, result: io::Result<Output>) {
        if let Some(job) = &mut self.job {
            job.complete(asked, result);
        }
    }

    /// Nothing is under way.
    pub(super) fn is_resting(&self) -> bool {
        self.current.is_none() && self.job.is_none() && self.reload.is_none()
    }

    /// Nothing is under way, or to be.
    pub(super) fn is_idle(&self) -> bool {
        self.is_resting() && self.reloads.is_empty()
    }

    /// A snapshot is requested and not begun.
    pub(super) fn has_request(&self) -> bool {
        self.requested.is_some()
    }

    /// The job that has come to its end.
    fn take_outcome(&mut self) -> Option<Result<Outcome, String>> {
        let outcome = self.job.as_mut()?.outcome()?;
        self.job = None;
        Some(outcome)
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A turn's share of what node 0 does for all.
    pub(super) fn coordinate(&mut self) {
        if self.loading.is_some() {
            return self.end_while_loading();
        }
        let mut coordinator = self.snapshot.coordinator.take().unwrap_or_default();
        if self.server.shared.persistence.has_request() {
            self.take_orders(&mut coordinator);
        }
        if coordinator.is_resting() && self.time.now_ns >= coordinator.next_look_ns {
            coordinator.next_look_ns = self.time.now_ns + LOOK_PERIOD_NS;
            self.look_at_save_points();
        }
        if coordinator.is_resting()
            && let Some(purpose) = coordinator.requested.take()
        {
            self.begin_snapshot(&mut coordinator, purpose);
        }
        self.begin_reload(&mut coordinator);
        self.watch_cut(&mut coordinator);
        // A job that ends may have another follow.
        loop {
            while let Some((asked, operation)) = coordinator.job.as_mut().and_then(Job::next_operation) {
                self.ask_disk_for_snapshot(SnapshotStep::Set(asked), operation);
            }
            let Some(outcome) = coordinator.take_outcome() else { break };
            self.job_is_over(&mut coordinator, outcome);
        }
        self.note_peak();
        self.snapshot.coordinator = Some(coordinator);
    }

    /// Until all is loaded, nothing of what is there may be replaced or removed. The server may end.
    fn end_while_loading(&mut self) {
        // What is loaded again is all there soon: then the server may end as at any time.
        let is_start = !self.is_loading_again();
        if is_start
            && self.server.shared.persistence.has_request()
            && self.server.shared.persistence.take_end().is_some()
        {
            self.server.shared.shut_down();
        }
    }

    /// Tells the log of something that is as it should be.
    fn note_in_log(&self, line: &str) {
        self.server.shared.system.notice(line.as_bytes());
    }

    /// Tells the log of something that is not as it should be.
    pub(super) fn log_snapshot(&self, line: &str) {
        self.server.shared.system.log(line.as_bytes());
    }

    /// Takes in what clients and signals ask for.
    fn take_orders(&mut self, coordinator: &mut Coordinator) {
        let (requested, end) = self.server.shared.persistence.take_requests();
        if let Some(purpose) = requested {
            coordinator.requested = Some(purpose);
        }
        let Some(EndOrder { save, force }) = end else { return };
        if !save.unwrap_or(!self.server.config.save.points.is_empty()) {
            return self.server.shared.shut_down();
        }
        let purpose = Purpose::End { force };
        self.server.shared.persistence.set_busy(true);
        self.note_in_log("Saving the final snapshot before exiting");
        if matches!(&coordinator.current, Some(current) if matches!(current.purpose, Purpose::End { .. })) {
            return;
        }
        if let Some(instead) = coordinator.requested.replace(purpose) {
            self.tell_failed(instead);
        }
        if let Some(current) = &mut coordinator.current {
            // An earlier moment is not what is to be kept.
            self.give_up_snapshot(current);
        }
    }

    fn look_at_save_points(&mut self) {
        if self.server.config.save.points.is_empty() {
            return;
        }
        let facts = self.server.shared.persistence.facts();
        let changes = self.server.shared.counters().changes.saturating_sub(facts.saved_changes);
        let unix_s = self.time.unix_us.div_euclid(1_000_000);
        let may_try =
            !self.server.shared.persistence.has_failed() || unix_s - facts.last_try_unix_s > RETRY_DELAY_S;
        let is_due = |point: &&tessera_config::SavePoint| {
            i64::try_from(changes).unwrap_or(i64::MAX) >= point.changes
                && unix_s - facts.last_save_unix_s > point.seconds
        };
        let due = self.server.config.save.points.iter().find(is_due).filter(|_| may_try);
        if let Some(point) = due
            && self.server.shared.ask_for_snapshot(Purpose::Background, self.time.unix_us)
        {
            self.note_in_log(&format!("{} changes in {} seconds. Saving...", point.changes, point.seconds));
        }
    }

    pub(super) fn begin_snapshot(&mut self, coordinator: &mut Coordinator, purpose: Purpose) {
        let unix_s = self.time.unix_us.div_euclid(1_000_000);
        self.server.shared.persistence.change(|facts| {
            facts.saves += u64::from(purpose != Purpose::Reload { saves: false });
            facts.peak_ahead_bytes = 0;
            // One in the background may have been given up for another purpose.
            facts.background_since_unix_s = (purpose == Purpose::Background).then_some(unix_s);
            if purpose == Purpose::Background {
                facts.last_try_unix_s = unix_s;
            }
        });
        let place = Place::new(&self.server.config.dir, &self.server.config.db_filename.0);
        let held = place.and_then(|place| {
            Ok((place, self.server.shared.system.lock_directory(&self.server.config.dir)?))
        });
        let (place, guard) = match held {
            Ok(held) => held,
            Err(problem) => {
                return self.end_snapshot(coordinator, (purpose, u64::MAX), self.time.now_ns, Err(problem));
            }
        };
        let is_to_save = purpose != Purpose::Reload { saves: false };
        coordinator.job = is_to_save.then(|| Job::Prepare(Prepare::new(place.clone())));
        coordinator.current = Some(Current {
            purpose,
            place,
            _guard: guard,
            is_merged: self.server.config.snapshot_merged,
            key_delay_ns: super::key_delay_ns(self.server.config.rdb_key_save_delay_us),
            epoch: 0,
            cut_at_unix_ms: 0,
            began_ns: self.time.now_ns,
            phase: Phase::Preparing,
            failure: None,
            is_given_up: false,
            order: None,
            published: None,
            len_bytes: 0,
            keys: 0,
            changes: 0,
        });
        if !is_to_save {
            self.begin_drain(coordinator);
        }
    }

    /// Has all nodes drain, gives up when that takes too long, and tries again.
    fn watch_cut(&mut self, coordinator: &mut Coordinator) {
        let Some(current) = &mut coordinator.current else { return };
        match current.phase {
            Phase::Draining { attempt, since_ns, .. }
                if self.time.now_ns.saturating_sub(since_ns) > CUT_MAX_NS || current.is_given_up =>
            {
                self.tell_all(|| SnapshotNote::GiveUp { attempt });
                if current.is_given_up {
                    if current.purpose == (Purpose::Reload { saves: false }) {
                        return self.snapshot_is_over(coordinator);
                    }
                    return self.tidy_after_failure(coordinator, false);
                }
                self.server.shared.persistence.change(|facts| facts.cuts_given_up += 1);
                self.log_snapshot("Snapshot: commands under way do not end; trying again soon");
                current.phase = Phase::Resting { until_ns: self.time.now_ns + CUT_PAUSE_NS };
            }
            Phase::Resting { until_ns } if self.time.now_ns >= until_ns => self.begin_drain(coordinator),
            _ => {}
        }
    }

    fn begin_drain(&mut self, coordinator: &mut Coordinator) {
        let Some(current) = &mut coordinator.current else { return };
        coordinator.attempts += 1;
        let (attempt, nodes) = (coordinator.attempts, self.mesh.nodes());
        current.phase = Phase::Draining { attempt, since_ns: self.time.now_ns, rounds: Rounds::new(nodes) };
        self.tell_all(|| SnapshotNote::Drain { attempt, round: 1 });
    }

    /// A node has nothing under way.
    pub(super) fn take_report(&mut self, node: usize, attempt: u64, round: u32, traffic: Traffic) {
        let Some(mut coordinator) = self.snapshot.coordinator.take() else { return };
        let mut is_only_drained = false;
        if let Some(current) = &mut coordinator.current
            && let Phase::Draining { attempt: now, since_ns, rounds } = &mut current.phase
            && *now == attempt
        {
            match rounds.report(node, round, traffic) {
                Verdict::Wait => {}
                Verdict::Ask => {
                    let round = rounds.round;
                    self.tell_all(|| SnapshotNote::Drain { attempt, round });
                }
                Verdict::Quiet => {
                    let took_ns = self.time.clock.monotonic_ns().saturating_sub(*since_ns);
                    self.server.shared.persistence.change(|facts| facts.last_cut_ns = took_ns);
                    if current.purpose == (Purpose::Reload { saves: false }) {
                        is_only_drained = true;
                    } else {
                        self.cut(current, attempt);
                    }
                }
            }
        }
        if is_only_drained {
            coordinator.current = None;
            self.find_what_to_reload(&mut coordinator);
        }
        self.snapshot.coordinator = Some(coordinator);
    }

    /// Nothing is under way anywhere: this is the cut.
    fn cut(&mut self, current: &mut Current, attempt: u64) {
        const MB: u64 = 1024 * 1024;
        // Later than what it follows from, whatever the clock says: which of two counts is told by that.
        let last_cut_ms = self.server.shared.persistence.facts().last_cut_ms;
        current.cut_at_unix_ms =
            self.time.clock.unix_us().div_euclid(1000).max(last_cut_ms.saturating_add(1));
        let nodes = self.mesh.nodes();
        let path = |node| current.place.path(&current.place.part_name(current.epoch, node));
        let order = Arc::new(CutOrder {
            attempt,
            epoch: current.epoch,
            cut_at_unix_ms: current.cut_at_unix_ms,
            paths: (0..nodes).map(path).collect(),
            compress: self.server.config.rdb_compression,
            checksum: self.server.config.rdb_checksum,
            ahead_max_len_bytes: usize::try_from(self.server.config.snapshot_ahead_max.0)
                .unwrap_or(usize::MAX),
            rate_limit_bytes_per_s: self.server.config.snapshot_rate_limit_mb * MB,
            key_delay_ns: current.key_delay_ns,
            keeps_holding: matches!(current.purpose, Purpose::End { .. } | Purpose::Reload { .. }),
        });
        current.phase = Phase::Writing { written: vec![None; nodes], left: nodes };
        current.order = Some(order.clone());
        self.take_cut(&order);
    }

    /// A node's file is written, or not.
    pub(super) fn take_part(&mut self, node: usize, epoch: u64, outcome: Result<WrittenPart, String>) {
        let Some(mut coordinator) = self.snapshot.coordinator.take() else { return };
        let mut is_over = false;
        if let Some(current) = &mut coordinator.current
            && current.epoch == epoch
            && let Phase::Writing { written, left } = &mut current.phase
        {
            *left -= 1;
            is_over = *left == 0;
            match outcome {
                Ok(part) => written[node] = Some(part),
                Err(problem) => {
                    let is_first = current.failure.is_none();
                    current.failure.get_or_insert(problem);
                    if is_first && !is_over && !current.is_given_up {
                        self.tell_all(|| SnapshotNote::Abort { epoch });
                    }
                }
            }
        }
        if is_over {
            self.all_are_written(&mut coordinator);
        }
        self.snapshot.coordinator = Some(coordinator);
    }

    fn all_are_written(&mut self, coordinator: &mut Coordinator) {
        let Some(current) = &mut coordinator.current else { return };
        let Phase::Writing { written, .. } = &current.phase else { return };
        let parts: Option<Vec<WrittenPart>> = written.iter().cloned().collect();
        let (Some(parts), None, false) = (parts, &current.failure, current.is_given_up) else {
            return self.tidy_after_failure(coordinator, false);
        };
        current.changes = parts.iter().map(|part| part.changes).sum();
        current.len_bytes = parts.iter().map(|part| part.len_bytes).sum();
        current.keys = parts.iter().map(|part| part.keys).sum();
        let (place, epoch) = (current.place.clone(), current.epoch);
        let states_checksum = current.order.as_ref().is_some_and(|order| order.checksum);
        let rdb_version = parts.iter().map(|part| part.rdb_version).max().unwrap_or_default();
        let used_memory_bytes = self.server.shared.system.used_memory_bytes();
        let mut header = Vec::new();
        put_file_header(&mut header, rdb_version, current.cut_at_unix_ms, used_memory_bytes, None);
        let paths: Vec<Arc<str>> =
            (0..parts.len()).map(|node| place.path(&place.part_name(epoch, node))).collect();
        let bodies = merge::bodies(&parts, &paths);
        let mut published = Published { header, bodies, states_checksum, is_one_file: false };
        let job = if current.is_merged {
            let name = place.merged_name().to_owned();
            let mut publish = Publish::new(place.clone(), name.clone());
            publish.file.buffer().extend_from_slice(&published.header);
            publish.file.push();
            let bodies = std::mem::take(&mut published.bodies);
            let len_bytes = published.len_bytes(&bodies);
            published.bodies = vec![Body::whole(place.path(&name), len_bytes)];
            published.is_one_file = true;
            Job::Merge(Merge::new(publish, bodies, states_checksum))
        } else {
            let file = |(node, part): (usize, &WrittenPart)| ShardFile {
                name: place.part_name(epoch, node),
                len_bytes: part.len_bytes,
                crc64: part.checksum,
                body_offset_bytes: part.body_offset_bytes,
                body_len_bytes: part.body_len_bytes,
                keys: part.keys,
                rdb_version: part.rdb_version,
                slots: self.server.shared.slots.slots_of(node as ShardId),
            };
            let manifest = Manifest {
                epoch,
                cut_unix_ms: current.cut_at_unix_ms.max(0).unsigned_abs(),
                files: parts.iter().enumerate().map(file).collect(),
            };
            Job::Publish(Publish::manifest(place.clone(), &manifest))
        };
        current.published = Some(Arc::new(published));
        current.phase = Phase::Publishing;
        coordinator.job = Some(job);
    }

    fn tidy_after(&mut self, coordinator: &mut Coordinator, keep: Keep) {
        let Some(current) = &mut coordinator.current else { return };
        current.phase = Phase::Tidying;
        coordinator.job = Some(Job::Tidy(Tidy::new(current.place.clone(), keep)));
    }

    /// What the snapshot has written goes.
    fn tidy_after_failure(&mut self, coordinator: &mut Coordinator, had_temporary: bool) {
        let Some(current) = &coordinator.current else { return };
        let epoch = current.epoch;
        self.tidy_after(coordinator, Keep::AllBut { epoch, had_temporary });
    }

    fn job_is_over(&mut self, coordinator: &mut Coordinator, outcome: Result<Outcome, String>) {
        let Some(current) = &mut coordinator.current else { return };
        match (&current.phase, outcome) {
            (Phase::Preparing, Ok(Outcome::Prepared(epoch))) => {
                current.epoch = epoch;
                self.begin_drain(coordinator);
            }
            (Phase::Preparing, Err(problem)) => {
                let (purpose, began_ns) = (current.purpose, current.began_ns);
                coordinator.current = None;
                self.end_snapshot(coordinator, (purpose, u64::MAX), began_ns, Err(problem));
            }
            (Phase::Publishing, Ok(_)) => {
                let cut_ms = current.cut_at_unix_ms;
                self.server.shared.persistence.change(|facts| facts.last_cut_ms = cut_ms);
                let keep = if current.is_merged { Keep::OneFile } else { Keep::Epoch(current.epoch) };
                self.tidy_after(coordinator, keep);
            }
            (Phase::Publishing, Err(problem)) => {
                current.failure = Some(problem);
                self.tidy_after_failure(coordinator, true);
            }
            (Phase::Tidying, outcome) => {
                if let Ok(Outcome::Tidied(remarks)) = outcome {
                    for remark in remarks {
                        let line = format!("Snapshot files: {}", remark.text);
                        if remark.is_routine { self.note_in_log(&line) } else { self.log_snapshot(&line) }
                    }
                }
                self.snapshot_is_over(coordinator);
            }
            (
                Phase::Preparing | Phase::Draining { .. } | Phase::Resting { .. } | Phase::Writing { .. },
                _,
            ) => {}
        }
    }

    fn snapshot_is_over(&mut self, coordinator: &mut Coordinator) {
        let Some(mut current) = coordinator.current.take() else { return };
        if current.is_given_up {
            return self.begin_again(coordinator, current.purpose);
        }
        let outcome = match &current.failure {
            Some(problem) => Err(problem.clone()),
            None => Ok(current.published.take()),
        };
        if outcome.is_ok() {
            let unix_s = self.time.unix_us.div_euclid(1_000_000);
            self.server.shared.persistence.change(|facts| {
                facts.last_save_unix_s = unix_s;
                facts.saved_changes = current.changes;
                facts.last_len_bytes = current.len_bytes;
            });
            self.note_in_log(&format!(
                "Snapshot {} is whole: {} keys, {} bytes, written in {:.3} s",
                current.epoch,
                current.keys,
                current.len_bytes,
                self.time.now_ns.saturating_sub(current.began_ns) as f64 / 1e9,
            ));
        }
        let attempt = current.order.as_ref().map_or(u64::MAX, |order| order.attempt);
        self.end_snapshot(coordinator, (current.purpose, attempt), current.began_ns, outcome);
    }

    /// What was given up is begun anew if somebody waits for it, or if all keys were removed and that is to be saved.
    fn begin_again(&mut self, coordinator: &mut Coordinator, purpose: Purpose) {
        match (coordinator.requested, purpose) {
            (_, Purpose::Reload { .. }) => self.reload_has_failed(coordinator),
            // The server is to end, and saves something later than what this client has asked for.
            (Some(_), Purpose::Save | Purpose::Transfer) => self.tell_failed(purpose),
            (Some(_), _) => {}
            (None, Purpose::Background) if self.server.config.save.points.is_empty() => {
                self.server.shared.persistence.end(false, |facts| facts.background_since_unix_s = None);
                self.tell_failed(purpose);
            }
            (None, _) => coordinator.requested = Some(purpose),
        }
    }

    /// A snapshot that was asked for will not be made.
    fn tell_failed(&mut self, purpose: Purpose) {
        let ended = Ended { purpose, is_whole: false, attempt: u64::MAX };
        self.tell_all(|| SnapshotNote::Ended { ended, published: None });
    }

    /// Tells everybody how it went.
    fn end_snapshot(
        &mut self,
        coordinator: &mut Coordinator,
        (purpose, attempt): (Purpose, u64),
        began_ns: u64,
        outcome: Result<Option<Arc<Published>>, String>,
    ) {
        let is_whole = outcome.is_ok();
        let published = outcome.as_ref().ok().cloned().flatten();
        if let Err(problem) = outcome {
            self.log_snapshot(&format!("The snapshot failed, the previous one stays: {problem}"));
        }
        if is_whole {
            self.server.shared.persistence.set_failed(false);
        } else if purpose == Purpose::Background {
            self.server.shared.persistence.set_failed(true);
        }
        let duration_s = (self.time.now_ns.saturating_sub(began_ns) / 1_000_000_000) as i64;
        // The server may have been told to end meanwhile.
        self.server.shared.persistence.end(coordinator.requested.is_some(), |facts| {
            facts.last_peak_ahead_bytes = facts.peak_ahead_bytes;
            facts.peak_ahead_bytes = 0;
            if purpose == Purpose::Background {
                facts.background_since_unix_s = None;
                facts.last_duration_s = Some(duration_s);
            }
        });
        let ended = Ended { purpose, is_whole, attempt };
        match purpose {
            Purpose::Background | Purpose::Save | Purpose::Transfer => {
                self.tell_all(|| SnapshotNote::Ended { ended, published: published.clone() });
            }
            Purpose::Reload { saves } => {
                if saves {
                    // Others may have waited for it too.
                    self.tell_all(|| SnapshotNote::Ended { ended, published: None });
                }
                if is_whole {
                    self.find_what_to_reload(coordinator);
                } else {
                    self.reload_has_failed(coordinator);
                }
            }
            Purpose::End { force } if is_whole || force => {
                if !is_whole {
                    self.log_snapshot("Error trying to save the DB. Exit anyway.");
                }
                self.server.shared.shut_down();
            }
            Purpose::End { .. } => {
                self.log_snapshot("Error trying to save the DB, can't exit.");
                self.server.shared.persistence.note_failed_end();
                self.tell_all(|| SnapshotNote::Ended { ended, published: None });
            }
        }
    }

    /// Has all nodes stop what they write.
    fn give_up_snapshot(&mut self, current: &mut Current) {
        if current.is_given_up || matches!(current.phase, Phase::Publishing | Phase::Tidying) {
            // It is as good as over.
            return;
        }
        current.is_given_up = true;
        if matches!(current.phase, Phase::Writing { .. }) {
            let epoch = current.epoch;
            self.tell_all(|| SnapshotNote::Abort { epoch });
        }
    }

    /// A command has removed all keys of this node's shard, and does so on all others: what is being saved is of no use.
    #[cold]
    pub(crate) fn note_all_removed(&mut self) {
        let Some(mut coordinator) = self.snapshot.coordinator.take() else { return };
        match &mut coordinator.current {
            // It saves nothing, and comes after the command.
            Some(Current { purpose: Purpose::Reload { saves: false }, .. }) => {
                if !self.server.config.save.points.is_empty() {
                    coordinator.requested.get_or_insert(Purpose::Background);
                }
            }
            // Its cut is still to come, after the command.
            Some(Current {
                phase: Phase::Preparing | Phase::Draining { .. } | Phase::Resting { .. },
                ..
            }) => {}
            Some(current) => {
                let saves = !self.server.config.save.points.is_empty();
                self.give_up_snapshot(current);
                if !current.is_given_up && saves {
                    coordinator.requested.get_or_insert(Purpose::Background);
                }
            }
            None if self.server.config.save.points.is_empty() => {}
            None => {
                self.server.shared.ask_for_snapshot(Purpose::Background, self.time.unix_us);
            }
        }
        self.snapshot.coordinator = Some(coordinator);
    }

    /// A client waits for a snapshot without the keys that it has removed.
    pub(super) fn take_removed(&mut self) {
        let mut coordinator = self.snapshot.coordinator.take().unwrap_or_default();
        let saves = |current: &&Current| current.purpose != Purpose::Reload { saves: false };
        let is_under_way = coordinator.current.is_some();
        let phase = coordinator.current.as_ref().filter(saves).map(|current| &current.phase);
        match phase {
            // Its cut is still to come.
            Some(Phase::Preparing | Phase::Draining { .. } | Phase::Resting { .. }) => {}
            _ if is_under_way => {
                coordinator.requested.get_or_insert(Purpose::Background);
                self.server.shared.persistence.set_busy(true);
            }
            // One may be asked for already.
            _ => {
                self.server.shared.ask_for_snapshot(Purpose::Background, self.time.unix_us);
            }
        }
        self.snapshot.coordinator = Some(coordinator);
    }

    fn note_peak(&mut self) {
        if self.snapshot.part.is_some() {
            let ahead_bytes = self.server.shared.counters().snapshot_ahead_bytes;
            self.server.shared.persistence.change(|facts| {
                facts.peak_ahead_bytes = facts.peak_ahead_bytes.max(ahead_bytes);
            });
        }
    }
}
