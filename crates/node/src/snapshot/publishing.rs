//! Node 0: has the files that the shards have written become the snapshot that counts, and others removed.

use super::body::Body;
use super::coordinator::{Coordinator, Outcome, Phase};
use super::frame::put_file_header;
use super::merge::bodies;
use super::set::{merge, publish_manifest};
use super::tidy::{Keep, tidy};
use crate::clock::Clock;
use crate::core::Core;
use crate::disk_job::DiskJob;
use crate::notes::snapshot::{Published, SnapshotNote, WrittenPart};
use std::sync::Arc;
use tessera_routing::ShardId;
use tessera_storage::manifest::{Manifest, ShardFile};

impl<S: Send + 'static, C: Clock> Core<S, C> {
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
        let bodies = bodies(&parts, &paths);
        let mut published = Published { header, bodies, states_checksum, is_one_file: false };
        let job = if current.is_merged {
            let path = place.path(place.merged_name());
            let bodies = std::mem::take(&mut published.bodies);
            let len_bytes = published.len_bytes(&bodies);
            published.bodies = vec![Body::whole(path, len_bytes)];
            published.is_one_file = true;
            let header = published.header.clone();
            let merging = merge(self.disk.clone(), place, header, bodies, states_checksum);
            DiskJob::new(async { merging.await.map(|()| Outcome::Published) })
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
            let publishing = publish_manifest(self.disk.clone(), place, manifest);
            DiskJob::new(async { publishing.await.map(|()| Outcome::Published) })
        };
        current.published = Some(Arc::new(published));
        current.phase = Phase::Publishing;
        coordinator.job = Some(job);
    }

    fn tidy_after(&mut self, coordinator: &mut Coordinator, keep: Keep) {
        let Some(current) = &mut coordinator.current else { return };
        current.phase = Phase::Tidying;
        let tidying = tidy(self.disk.clone(), current.place.clone(), keep);
        coordinator.job = Some(DiskJob::new(async { Ok(Outcome::Tidied(tidying.await)) }));
    }

    /// What the snapshot has written goes.
    pub(super) fn tidy_after_failure(&mut self, coordinator: &mut Coordinator, had_temporary: bool) {
        let Some(current) = &coordinator.current else { return };
        let epoch = current.epoch;
        self.tidy_after(coordinator, Keep::AllBut { epoch, had_temporary });
    }

    pub(super) fn job_is_over(&mut self, coordinator: &mut Coordinator, outcome: Result<Outcome, String>) {
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
}
