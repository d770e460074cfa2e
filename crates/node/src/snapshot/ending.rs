//! Node 0: how a snapshot ends, and who is told.

use super::coordinator::Coordinator;
use super::status::Purpose;
use crate::clock::Clock;
use crate::core::Core;
use crate::notes::snapshot::{Ended, Published, SnapshotNote};
use std::sync::Arc;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    pub(super) fn snapshot_is_over(&mut self, coordinator: &mut Coordinator) {
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
    pub(super) fn tell_failed(&mut self, purpose: Purpose) {
        let ended = Ended { purpose, is_whole: false, attempt: u64::MAX };
        self.tell_all(|| SnapshotNote::Ended { ended, published: None });
    }

    /// Tells everybody how it went.
    pub(super) fn end_snapshot(
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
}
