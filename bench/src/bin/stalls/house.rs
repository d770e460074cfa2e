//! A shard and the loop around it: commands in turns, housekeeping between the turns as the node does it.

use std::hint::black_box;
use std::time::Instant;

use fastrand::Rng;
use tessera_bench::client::write_name;
use tessera_keyspace::{Event, Expire, Shard};
use tessera_node::housekeeping::{EXPIRE_AGAIN_NS, EXPIRE_CYCLE_NS, RECLAIM_SEGMENTS};

use crate::clocks::Clocks;
use crate::record::Record;

const NS_PER_MS: u64 = 1_000_000;
/// How soon a search for expired keys goes on that was not cut short, in nanoseconds: `hz` is 10.
const EXPIRE_PERIOD_NS: u64 = 100 * NS_PER_MS;

/// Length of each key in bytes.
const KEY_LEN_BYTES: usize = 16;

/// Longest value in bytes.
pub const VALUE_MAX_LEN_BYTES: usize = 4096;

/// The name of a slice of active expiry in the record.
pub const EXPIRE_SLICE: &str = "slice: expire";

/// The name of a slice of freeing in the record.
pub const RECLAIM_SLICE: &str = "slice: reclaim";

/// A shard under measurement.
pub struct House {
    /// What was measured.
    pub record: Record,
    /// Where the choice of keys comes from.
    pub random: Rng,
    shard: Shard,
    clocks: Clocks,
    started: Instant,
    /// Unix time in milliseconds of the start; moved to let time jump.
    started_at_ms: i64,
    next_expire_ns: u64,
    /// Random bytes that values are cut from.
    bytes: Vec<u8>,
    value_len_bytes: usize,
    /// Keys that active expiry has removed.
    expired: u64,
}

impl House {
    /// An empty shard of two databases.
    pub fn new(seed: u64, value_len_bytes: usize) -> House {
        let mut random = Rng::with_seed(seed);
        let mut bytes = vec![0; 4 * VALUE_MAX_LEN_BYTES];
        random.fill(&mut bytes);
        House {
            record: Record::default(),
            shard: Shard::new(2, random.u64(..)),
            random,
            clocks: Clocks::default(),
            started: Instant::now(),
            started_at_ms: 1_700_000_000_000,
            next_expire_ns: 0,
            bytes,
            value_len_bytes: value_len_bytes.clamp(1, VALUE_MAX_LEN_BYTES),
            expired: 0,
        }
    }

    /// Reads the clocks `count` times with no work in between: what they cost, and what this machine does to a thread
    /// that does nothing. Their cost is taken off from then on.
    pub fn measure_clocks(&mut self, count: u64) {
        for _ in 0..count / 10 {
            let ((), took) = self.clocks.measure(|| ());
            self.record.begin("warm-up");
            self.record.add("clocks", took);
        }
        let reading_ns =
            self.record.row("warm-up", "clocks").map_or(0, |row| row.cpu.value_at_quantile(0.01));
        self.record = Record::default();
        self.clocks.set_reading_ns(reading_ns);
        self.record.begin("no work");
        for _ in 0..count {
            let ((), took) = self.clocks.measure(|| ());
            self.record.add("clocks", took);
        }
    }

    /// Unix time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.started_at_ms + (self.now_ns() / NS_PER_MS) as i64
    }

    /// Lets time jump forward.
    pub fn jump_ms(&mut self, by_ms: i64) {
        self.started_at_ms += by_ms;
        self.next_expire_ns = 0;
    }

    /// Keys that active expiry has removed so far.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Whether flushed tables are still to be freed.
    pub fn has_garbage(&self) -> bool {
        self.shard.has_garbage()
    }

    /// Sets key number `number` to random bytes.
    #[inline]
    pub fn set(&mut self, db: u16, number: u64, expire: Expire) {
        let (key, start) = (name(number), self.value_start());
        let value = &self.bytes[start..start + self.value_len_bytes];
        let ((), took) =
            self.clocks.measure(|| self.shard.view_mut(db, true).put_string(&key, value, expire, Event::Set));
        self.record.add("SET", took);
    }

    /// Sets key number `number` to random bytes, unmeasured.
    pub fn bring(&mut self, db: u16, number: u64) {
        let (key, start) = (name(number), self.value_start());
        let value = &self.bytes[start..start + self.value_len_bytes];
        self.shard.view_mut(db, true).put_string(&key, value, Expire::Clear, Event::Set);
    }

    /// Looks key number `number` up; it must be there.
    #[inline]
    pub fn get(&mut self, db: u16, number: u64) {
        let key = name(number);
        let (is_there, took) =
            self.clocks.measure(|| self.shard.view(db, true).find(black_box(&key)).is_some());
        assert!(is_there, "key {number} of database {db} is gone");
        self.record.add("GET", took);
    }

    /// Removes key number `number`; it must be there. Its value is freed within the measurement.
    #[inline]
    pub fn unlink(&mut self, db: u16, number: u64) {
        let key = name(number);
        let (was_there, took) =
            self.clocks.measure(|| self.shard.view_mut(db, true).remove(&key, Event::Del).is_some());
        assert!(was_there, "key {number} of database {db} is gone");
        self.record.add("UNLINK", took);
    }

    /// Empties a database; what it held is freed in slices.
    pub fn flush(&mut self, db: u16) {
        let ((), took) = self.clocks.measure(|| self.shard.flush(db, true));
        self.record.add("FLUSHDB ASYNC", took);
    }

    /// What the node does between two turns.
    pub fn end_turn(&mut self) {
        self.shard.set_now_ms(self.now_ms());
        if self.shard.has_garbage() {
            let (_, took) = self.clocks.measure(|| self.shard.reclaim(RECLAIM_SEGMENTS));
            self.record.add(RECLAIM_SLICE, took);
        }
        if self.now_ns() < self.next_expire_ns {
            return;
        }
        let before = Instant::now();
        let mut is_cut_short = false;
        let (removed, took) = self.clocks.measure(|| {
            self.shard.expire_cycle(|| {
                is_cut_short = before.elapsed().as_nanos() as u64 > EXPIRE_CYCLE_NS;
                !is_cut_short
            })
        });
        self.expired += removed as u64;
        self.record.add(EXPIRE_SLICE, took);
        self.next_expire_ns = self.now_ns() + if is_cut_short { EXPIRE_AGAIN_NS } else { EXPIRE_PERIOD_NS };
    }

    fn now_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn value_start(&mut self) -> usize {
        self.random.usize(..self.bytes.len() - self.value_len_bytes)
    }
}

fn name(number: u64) -> [u8; KEY_LEN_BYTES] {
    let mut key = [0; KEY_LEN_BYTES];
    write_name(b"key:", number, &mut key);
    key
}
