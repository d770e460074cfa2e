//! One shard's file: its walk, a piece at a time, into a [`FileWriter`].

use super::SnapshotStep;
use super::file::FileWriter;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::holds::Gate;
use crate::notes::snapshot::{CutOrder, SnapshotNote, WrittenPart};
use std::sync::Arc;
use tessera_command::REDIS_VERSION;
use tessera_keyspace::snapshot::{SnapshotOptions, SnapshotProgress};
use tessera_storage::rdb::{EncodeOptions, put_end, put_header};

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

/// A shard's file while it is made.
#[derive(Debug)]
pub(crate) struct Part {
    order: Arc<CutOrder>,
    pub(super) file: FileWriter,
    /// The file is not at its end.
    is_walking: bool,
    /// All keys are in it, and what they take has not passed.
    is_walked: bool,
    /// What the finished file is to be told as.
    written: WrittenPart,
    /// The rate limit allows no more before this, in monotonic nanoseconds.
    next_slice_at_ns: u64,
    /// What the node had done for clients and peers when it walked last.
    work_seen: u64,
}

impl Part {
    /// Something can be walked now.
    pub(super) fn has_work(&self, now_ns: u64) -> bool {
        self.is_walking && self.file.has_room() && now_ns >= self.next_slice_at_ns
    }

    /// When the rate limit allows more, if that is all that is waited for.
    pub(super) fn resumes_at_ns(&self) -> Option<u64> {
        (self.is_walking && self.file.has_room()).then_some(self.next_slice_at_ns)
    }

    /// The shard is being walked.
    pub(crate) fn is_walking(&self) -> bool {
        self.is_walking
    }
}

/// The beginning of a snapshot file: what Redis writes there, and what tells ours apart. `shard`: which of how many the file
/// is, if it is not for all.
pub(super) fn put_file_header(
    out: &mut Vec<u8>,
    rdb_version: u32,
    cut_at_unix_ms: i64,
    used_memory_bytes: u64,
    shard: Option<(usize, usize)>,
) {
    let (created_s, memory) = (cut_at_unix_ms.div_euclid(1000).to_string(), used_memory_bytes.to_string());
    let (bits, cut) = (usize::BITS.to_string(), cut_at_unix_ms.to_string());
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b"redis-ver", REDIS_VERSION.as_bytes()),
        (b"redis-bits", bits.as_bytes()),
        (b"ctime", created_s.as_bytes()),
        (b"used-mem", memory.as_bytes()),
        (b"aof-base", b"0"),
        (b"tessera-cut-ms", cut.as_bytes()),
    ];
    let shard = shard.map(|(shard, shards)| (shard.to_string(), shards.to_string()));
    if let Some((shard, shards)) = &shard {
        fields.push((b"tessera-shard", shard.as_bytes()));
        fields.push((b"tessera-shards", shards.as_bytes()));
    }
    put_header(out, rdb_version, &fields);
}

/// Ends a file whose body has been pushed, with its checksum, or 0 for none; and returns its checksum.
pub(super) fn put_file_end(file: &mut FileWriter, states_checksum: bool) -> u64 {
    put_end(file.buffer());
    file.push();
    let checksum = file.checksum();
    let stated = if states_checksum { checksum } else { 0 };
    file.buffer().extend_from_slice(&stated.to_le_bytes());
    file.push();
    file.finish();
    checksum
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// This is the cut: begins to walk the shard.
    pub(super) fn begin_part(&mut self, order: &Arc<CutOrder>) {
        let mut file = FileWriter::new(order.paths[self.server.me].clone());
        let used_memory_bytes = self.server.shared.system.used_memory_bytes();
        let rdb_version = self.owner.shard.rdb_version();
        let shard = Some((self.server.me, self.mesh.nodes()));
        put_file_header(file.buffer(), rdb_version, order.cut_at_unix_ms, used_memory_bytes, shard);
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

    /// The snapshot was given up, or has failed elsewhere.
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
        let walked = part.is_walking && self.walk_some(&mut part);
        while let Some((asked, operation)) = part.file.next_operation() {
            self.ask_disk_for_snapshot(SnapshotStep::Part(asked), operation);
        }
        self.server.counters.snapshot_written_bytes = part.file.written_bytes();
        self.server.counters.snapshot_ahead_bytes = self.owner.shard.snapshot_buffer_len_bytes() as u64;
        if let Some(keys) = self.owner.shard.snapshot() {
            self.server.counters.snapshot_keys_done = keys.done;
        }
        // What is left of a walk that was given up is tidied up before this is told: then another may begin.
        let is_over = !part.is_walking && self.owner.shard.can_begin_snapshot();
        match part.file.outcome() {
            Some(outcome) if is_over => {
                let outcome = outcome.map(|()| part.written.clone()).map_err(str::to_owned);
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

    /// Walks a slice. One of keys that are to take their time is a key or so, and the end comes when the last has had it.
    fn walk_slice(&mut self, part: &mut Part) -> SnapshotProgress {
        let delay_ns = part.order.key_delay_ns;
        if part.is_walked {
            return SnapshotProgress::Done;
        }
        let slice_len_bytes = if delay_ns == 0 { SLICE_LEN_BYTES } else { 1 };
        let keys_done = |core: &Self| core.owner.shard.snapshot().map_or(part.written.keys, |keys| keys.done);
        let before = keys_done(self);
        let progress = self.owner.shard.snapshot_some(slice_len_bytes, part.file.buffer());
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
