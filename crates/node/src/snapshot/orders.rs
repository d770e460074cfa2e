//! Node 0: what clients, signals and save points ask for, of which it begins one after the other.

use super::coordinator::{Coordinator, Current, Outcome, Phase};
use super::delay::key_delay_ns;
use super::names::Place;
use super::status::{EndOrder, Purpose};
use super::tidy::prepare;
use crate::clock::Clock;
use crate::core::Core;
use crate::disk_job::DiskJob;

/// How long after a failure a save point has to wait, in seconds: Redis's `CONFIG_BGSAVE_RETRY_DELAY`.
const RETRY_DELAY_S: i64 = 5;
/// How often save points are looked at, in nanoseconds.
const LOOK_PERIOD_NS: u64 = 100_000_000;

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
        while let Some(outcome) = coordinator.go_on() {
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
        if is_to_save {
            let preparing = prepare(self.disk.clone(), place.clone());
            coordinator.job = Some(DiskJob::new(async { preparing.await.map(Outcome::Prepared) }));
        }
        coordinator.current = Some(Current {
            purpose,
            place,
            _guard: guard,
            is_merged: self.server.config.snapshot_merged,
            key_delay_ns: key_delay_ns(self.server.config.rdb_key_save_delay_us),
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

    /// Tells the log of something that is as it should be.
    pub(super) fn note_in_log(&self, line: &str) {
        self.server.shared.system.notice(line.as_bytes());
    }

    /// Tells the log of something that is not as it should be.
    pub(super) fn log_snapshot(&self, line: &str) {
        self.server.shared.system.log(line.as_bytes());
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
