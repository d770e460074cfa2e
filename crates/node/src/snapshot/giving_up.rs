//! Node 0: a snapshot under way that is of no use any more, as when all keys were removed.

use super::coordinator::{Current, Phase};
use super::status::Purpose;
use crate::clock::Clock;
use crate::core::Core;
use crate::notes::snapshot::SnapshotNote;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Has all nodes stop what they write.
    pub(super) fn give_up_snapshot(&mut self, current: &mut Current) {
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

    /// A command has removed all keys of this node's shard, and does so on all others: what is being saved is of no
    /// use.
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
}
