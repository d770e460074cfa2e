//! A shard is walked, a piece at a time, and what is found written to its file.

use super::file::FileWriter;
use super::frame::{put_file_end, put_file_header};
use super::part::Part;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use crate::notes::snapshot::{CutOrder, SnapshotNote, WrittenPart};
use std::sync::Arc;
use tessera_keyspace::snapshot::{SnapshotOptions, SnapshotProgress};
use tessera_storage::rdb::EncodeOptions;

/// Walked between two looks at the clock, in bytes of the file.
const SLICE_LEN_BYTES: usize = 16 * 1024;
/// How long a turn walks when there is nothing else to do, and when clients are served, in nanoseconds.
const IDLE_TURN_NS: u64 = 500_000;
const BUSY_TURN_NS: u64 = 60_000;
/// After such a turn clients have the node for themselves for so many times as long as it has walked.
const BUSY_REST: u64 = 9;
/// A turn walks so many slices at most.
const TURN_MAX_SLICES: usize = 32;
/// Larger values are written in pieces of about this length.
const PIECE_LEN_BYTES: usize = 64 * 1024;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// This is the cut: begins to walk the shard.
    pub(super) fn begin_part(&mut self, order: &Arc<CutOrder>) {
        let mut file = FileWriter::new(self.disk.clone(), order.paths[self.server.me].clone());
        let used_memory_bytes = self.server.shared.system.used_memory_bytes();
        let rdb_version = self.owner.shard.rdb_version();
        let shard = Some((self.server.me, self.mesh.nodes()));
        put_file_header(&mut file.buffer(), rdb_version, order.cut_at_unix_ms, used_memory_bytes, shard);
        file.push();
        self.owner.shard.begin_snapshot(SnapshotOptions {
            encode: EncodeOptions { compress: order.compress },
            ahead_max_len_bytes: order.ahead_max_len_bytes,
            piece_len_bytes: PIECE_LEN_BYTES,
        });
        let written = WrittenPart {
            body_offset_bytes: file.len_bytes(),
            keys: self.owner.shard.snapshot().map_or(0, |keys| keys.total),
            changes: self.owner.shard.stats().dirty,
            rdb_version,
            ..WrittenPart::default()
        };
        self.server.counters.snapshot_keys_total = written.keys;
        self.snapshot.part = Some(Box::new(Part {
            order: order.clone(),
            file,
            is_walking: true,
            is_walked: false,
            written,
            next_slice_at_ns: 0,
            work_seen: 0,
        }));
    }

    /// The snapshot is not wanted any more, or has failed elsewhere.
    pub(super) fn abort_part(&mut self, epoch: u64) {
        if let Some(part) = &mut self.snapshot.part
            && part.order.epoch == epoch
        {
            part.file.abandon("it was given up");
        }
    }

    /// Walks on, and tells node 0 when the file is written.
    pub(super) fn write_part(&mut self) {
        let Some(mut part) = self.snapshot.part.take() else { return };
        part.file.work();
        let walked = part.is_walking && self.walk_some(&mut part);
        self.server.counters.snapshot_written_bytes = part.file.written_bytes();
        self.server.counters.snapshot_ahead_bytes = self.owner.shard.snapshot_buffer_len_bytes() as u64;
        if let Some(keys) = self.owner.shard.snapshot() {
            self.server.counters.snapshot_keys_done = keys.done;
        }
        // What is left of a walk that was given up is tidied up before this is told: then another may begin.
        let is_over = !part.is_walking && self.owner.shard.can_begin_snapshot();
        match part.file.outcome() {
            Some(outcome) if is_over => {
                let outcome = outcome.map(|()| part.written.clone());
                let epoch = part.order.epoch;
                drop(part);
                self.server.counters.snapshot_keys_done = 0;
                self.server.counters.snapshot_keys_total = 0;
                self.server.counters.snapshot_written_bytes = 0;
                self.server.counters.snapshot_ahead_bytes = 0;
                self.let_writers_go();
                self.tell_coordinator(SnapshotNote::Part { epoch, outcome });
            }
            _ => {
                self.snapshot.part = Some(part);
                if walked {
                    self.let_writers_go();
                }
            }
        }
    }

    /// Walks a slice. One of keys that are to take their time is a key or so, and the end comes when the last has had
    /// it.
    fn walk_slice(&mut self, part: &mut Part) -> SnapshotProgress {
        let delay_ns = part.order.key_delay_ns;
        if part.is_walked {
            return SnapshotProgress::Done;
        }
        let slice_len_bytes = if delay_ns == 0 { SLICE_LEN_BYTES } else { 1 };
        let keys_done = |core: &Self| core.owner.shard.snapshot().map_or(part.written.keys, |keys| keys.done);
        let before = keys_done(self);
        let progress = self.owner.shard.snapshot_some(slice_len_bytes, &mut part.file.buffer());
        let keys = keys_done(self).saturating_sub(before);
        part.file.push();
        if delay_ns == 0 || keys == 0 || progress == SnapshotProgress::Lost {
            return progress;
        }
        part.next_slice_at_ns = self.time.clock.monotonic_ns().saturating_add(keys.saturating_mul(delay_ns));
        part.is_walked = progress == SnapshotProgress::Done;
        SnapshotProgress::More
    }

    /// A turn's share of the walk. True if it got on.
    fn walk_some(&mut self, part: &mut Part) -> bool {
        if part.file.has_failed() {
            self.owner.shard.abort_snapshot();
            part.is_walking = false;
            return true;
        }
        let work = self.server.counters.reads + self.mesh.traffic().done;
        let is_busy = work != part.work_seen;
        part.work_seen = work;
        let began_ns = self.time.clock.monotonic_ns();
        let until_ns = began_ns + if is_busy { BUSY_TURN_NS } else { IDLE_TURN_NS };
        let mut now_ns = began_ns;
        let mut walked = false;
        for _ in 0..TURN_MAX_SLICES {
            if !part.has_work(now_ns) {
                break;
            }
            let before_bytes = part.file.len_bytes();
            let progress = self.walk_slice(part);
            walked = true;
            now_ns = self.time.clock.monotonic_ns();
            let slice_bytes = part.file.len_bytes() - before_bytes;
            let rate = part.order.rate_limit_bytes_per_s / self.mesh.nodes() as u64;
            if part.order.rate_limit_bytes_per_s > 0 {
                let slice_ns = u128::from(slice_bytes) * 1_000_000_000 / u128::from(rate.max(1));
                part.next_slice_at_ns = part.next_slice_at_ns.max(now_ns) + slice_ns as u64;
            }
            if progress == SnapshotProgress::Lost {
                part.is_walking = false;
                part.file.abandon("a value went while it was being written, which is a fault in the server");
                break;
            }
            if progress == SnapshotProgress::Done {
                part.is_walking = false;
                part.written.body_len_bytes = part.file.len_bytes() - part.written.body_offset_bytes;
                let layout = self.owner.shard.take_snapshot_layout();
                part.written.keys = layout.entries;
                part.written.layout = Arc::new(layout);
                part.written.checksum = put_file_end(&mut part.file, part.order.checksum);
                part.written.len_bytes = part.file.len_bytes();
                break;
            }
            if now_ns >= until_ns {
                break;
            }
        }
        // Writes that wait for the walk are served best by walking on.
        let is_waited_for = self.home.holds.waiting(Gate::Unsaved) > 0
            || !self.owner.aside.is_empty()
            || !self.owner.unkept.is_empty();
        if walked && is_busy && !is_waited_for {
            part.next_slice_at_ns = part.next_slice_at_ns.max(now_ns + BUSY_REST * (now_ns - began_ns));
        }
        self.time.now_ns = now_ns;
        walked
    }
}
