//! What is done from time to time: expiry, timeouts, limits, sums.

use crate::clock::Clock;
use crate::core::Core;
use crate::doorbell::Doorbell;
use crate::home::holds::{Gate, Hold};
use crate::network::ConnectionId;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use tessera_config::Config;
use tessera_keyspace::Shard;

const NS_PER_MS: u64 = 1_000_000;
const NS_PER_S: u64 = 1_000_000_000;
/// The longest that one search for expired keys takes at effort 1, in nanoseconds; each step of effort adds as much.
pub const EXPIRE_CYCLE_NS: u64 = NS_PER_MS / 2;
/// How soon a search that was cut short goes on, in nanoseconds: a quarter of the time goes to it.
pub const EXPIRE_AGAIN_NS: u64 = 2 * NS_PER_MS;
/// Segments of flushed tables freed per turn.
pub const RECLAIM_SEGMENTS: usize = 1;
/// Memory is given back to the system when clients use so much less than they did, in bytes.
const PURGE_LEN_BYTES: u64 = 16 * 1024 * 1024;
/// What may wait for a client that monitors, in bytes, where `client-output-buffer-limit` says nothing.
const MONITOR_MAX_LEN_BYTES: usize = 256 * 1024 * 1024;
/// How often it is looked at how much memory is used, at most, in nanoseconds.
const PEAK_PERIOD_NS: u64 = NS_PER_MS;
/// Every how many rounds the slower sums are made.
const SUMS_EVERY_ROUNDS: u64 = 10;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// When the next round is due, in nanoseconds from now.
    pub(crate) fn until_housekeeping_ns(&self) -> u64 {
        let mut due_ns = self.server.next_housekeeping_ns;
        if self.home.holds.waiting(Gate::Paused) > 0
            && let Some(until_ms) = self.home.pause.until_ms()
        {
            let left_ms = (until_ms - self.now_ms()).max(0) as u64;
            due_ns = due_ns.min(self.time.now_ns + left_ms * NS_PER_MS);
        }
        if let Some((deadline_ns, _)) = self.home.wait_deadlines.first() {
            due_ns = due_ns.min(*deadline_ns);
        }
        if let Some(look_ns) = self.next_look_at_snapshot_ns() {
            due_ns = due_ns.min(look_ns);
        }
        if let Some(slice_ns) = self.owner.defragmentation.next_slice_ns() {
            due_ns = due_ns.min(slice_ns);
        }
        due_ns.saturating_sub(self.time.now_ns)
    }

    /// The small things of every turn, and the others when it is time. `driver`: asks the driver for its counters.
    pub(crate) fn keep_house(&mut self, driver: impl FnOnce() -> Vec<(&'static str, u64)>) {
        if !self.is_paused() {
            self.owner.expire_with(Shard::remove_met_expired);
        }
        if self.owner.shard.has_garbage() {
            self.owner.shard.reclaim(RECLAIM_SEGMENTS);
        }
        self.keep_memory();
        if self.time.now_ns >= self.server.next_peak_ns {
            self.server.next_peak_ns = self.time.now_ns + PEAK_PERIOD_NS;
            self.server.shared.system.note_memory_peak();
        }
        self.look_what_is_settled();
        self.end_pauses();
        self.end_waits();
        self.defragment();
        if self.time.now_ns < self.server.next_housekeeping_ns {
            return;
        }
        let period_ns = NS_PER_S / u64::from(self.server.config.hz.clamp(1, 500));
        if self.owner.active_expire && !self.is_paused() {
            self.expire();
        }
        self.server.next_housekeeping_ns =
            self.time.now_ns + if self.owner.expire_more { EXPIRE_AGAIN_NS } else { period_ns };
        if self.time.now_ns < self.server.next_sums_ns {
            return;
        }
        self.server.next_sums_ns = self.time.now_ns + NS_PER_S / SUMS_EVERY_ROUNDS;
        self.sample_rates();
        *self.stats().driver.lock().unwrap_or_else(PoisonError::into_inner) = driver();
        // Limits in seconds need no finer look, and ten thousand idle clients should cost next to nothing.
        if self.time.now_ns >= self.home.next_look_at_clients_ns {
            self.home.next_look_at_clients_ns = self.time.now_ns + NS_PER_S;
            self.look_at_clients();
        }
        // The mean time to live changes by itself.
        self.publish_databases();
        for (db, counters) in self.stats().databases.iter().enumerate() {
            let table_bytes = self.owner.shard.database(db as u16).table().allocated_bytes() as u64;
            counters.table_bytes.store(table_bytes, Ordering::Relaxed);
        }
    }

    fn expire(&mut self) {
        let before_ns = self.time.clock.monotonic_ns();
        let budget_ns = EXPIRE_CYCLE_NS * u64::from(self.server.config.active_expire_effort.max(1));
        let clock = &self.time.clock;
        let mut cut_short = false;
        self.owner.expire_with(|shard| {
            shard.expire_cycle(|| {
                cut_short = clock.monotonic_ns() - before_ns > budget_ns;
                !cut_short
            })
        });
        self.owner.expire_more = cut_short;
        self.server.counters.expire_time_cap_reached += u64::from(cut_short);
        self.time.now_ns = self.time.clock.monotonic_ns();
        self.server.counters.expire_cycle_ns += self.time.now_ns - before_ns;
    }

    fn sample_rates(&mut self) {
        let now_us = self.time.now_ns / 1000;
        let (rates, counters) = (&mut self.server.rates, &mut self.server.counters);
        for (rate, value, shown) in [
            (&mut rates.commands, counters.commands, &mut counters.commands_per_s),
            (&mut rates.input_bytes, counters.input_bytes, &mut counters.input_bytes_per_s),
            (&mut rates.output_bytes, counters.output_bytes, &mut counters.output_bytes_per_s),
            (&mut rates.turns, counters.turns, &mut counters.turns_per_s),
            (&mut rates.busy_us, counters.busy_ns / 1000, &mut counters.busy_us_per_s),
        ] {
            rate.sample(value, now_us, 1_000_000);
            *shown = rate.get();
        }
    }

    /// Closes clients that are idle for too long or leave too much unread, and sums what all of them use.
    fn look_at_clients(&mut self) {
        let now_ms = self.now_ms();
        let idle_max_ms = i64::from(self.server.config.timeout_s) * 1000;
        let limit = self.server.config.client_output_buffer_limit.normal;
        let (mut bytes, mut input_max, mut output_max, mut paused) = (0, 0, 0, 0);
        let (mut idle, mut unread): (Vec<ConnectionId>, Vec<ConnectionId>) = (Vec::new(), Vec::new());
        if idle_max_ms > 0 {
            self.note_direct_replies(now_ms);
        }
        for connection in self.home.connections.iter_mut().flatten().filter(|connection| !connection.gone) {
            let output_bytes = connection.counted_output_bytes();
            let output = output_bytes as u64;
            bytes += connection.allocated_bytes() as u64;
            paused += u64::from(connection.hold == Some(Hold::SlowReader));
            // What is held of an unfinished command counts as long as it is held, places of its words included.
            let input = connection.input.as_ref().map_or(0, |input| input.allocated_bytes());
            input_max = input_max.max(std::mem::take(&mut connection.input_peak_bytes)).max(input);
            output_max = output_max.max(output);
            let idle_ms = now_ms - connection.client.last_interaction_at_ms;
            if idle_max_ms > 0 && idle_ms > idle_max_ms && connection.may_time_out() {
                idle.push(connection.id);
            }
            // The limit may have been lowered since the last reply was made.
            if over_hard_limit(&self.server.config, output_bytes) {
                unread.push(connection.id);
            }
            if limit.soft_bytes == 0 || output <= limit.soft_bytes {
                connection.over_soft_limit_since_ms = None;
            } else {
                let since_ms = *connection.over_soft_limit_since_ms.get_or_insert(now_ms);
                if now_ms - since_ms > i64::from(limit.soft_seconds) * 1000 {
                    unread.push(connection.id);
                }
            }
        }
        bytes += self.owner.shard.kept_bytes() as u64;
        self.server.counters.clients_bytes = bytes;
        self.server.counters.output_paused_clients = paused;
        self.purge_after_peak(bytes);
        self.server.counters.input_buffer_max_bytes = input_max as u64;
        self.server.counters.output_buffer_max_bytes = output_max;
        for id in idle {
            if let Some(connection) = self.take(id) {
                self.close(connection);
            }
        }
        unread.into_iter().for_each(|id| self.close_for_output(id));
    }

    /// Of a reply that another node wrote the home knows only once it asks.
    fn note_direct_replies(&mut self, now_ms: i64) {
        let lent = self.home.connections.iter().flatten().filter(|connection| connection.direct.is_some());
        for id in lent.map(|connection| connection.id).collect::<Vec<_>>() {
            let Some(mut connection) = self.take(id) else { continue };
            if self.reclaim_socket(&mut connection) {
                connection.client.last_interaction_at_ms = now_ms;
            }
            self.put(connection);
        }
    }

    /// Has all nodes give free memory back to the system when this one's clients have freed much. Some of it came from
    /// the nodes that made their replies.
    fn purge_after_peak(&mut self, clients_bytes: u64) {
        if clients_bytes + PURGE_LEN_BYTES <= self.home.clients_peak_bytes {
            self.home.clients_peak_bytes = clients_bytes;
            self.server.shared.ask_for_purge();
        }
        self.home.clients_peak_bytes = self.home.clients_peak_bytes.max(clients_bytes);
        let purges = self.server.shared.purges();
        if purges != self.server.purges_seen {
            self.server.purges_seen = purges;
            self.server.shared.system.purge_memory();
        }
    }

    /// Whether more waits for a client that monitors than it may leave unread. No held command slows it down, so where
    /// its class has no limit it has one nevertheless.
    pub(crate) fn is_monitor_behind(&self, output_bytes: usize) -> bool {
        self.is_over_hard_limit(output_bytes)
            || output_bytes > MONITOR_MAX_LEN_BYTES
                && self.server.config.client_output_buffer_limit.normal.hard_bytes == 0
    }

    /// Follows `client-output-buffer-pause`: who waits because of it may have to no more.
    pub(crate) fn take_over_output_pause(&mut self) {
        let pause_bytes = match self.server.config.client_output_buffer_pause.0 {
            0 => usize::MAX,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        if std::mem::replace(&mut self.home.output_pause_bytes, pause_bytes) == pause_bytes {
            return;
        }
        let connections = self.home.connections.iter().flatten();
        let paused = connections.filter(|connection| connection.hold == Some(Hold::SlowReader));
        self.home.holds.runnable.extend(paused.map(|connection| connection.id));
    }

    /// Closes a client that leaves too much unread.
    pub(crate) fn close_for_output(&mut self, id: ConnectionId) {
        if let Some(connection) = self.take(id) {
            if connection.gone {
                return self.put(connection);
            }
            let line =
                format!("Closing client {} that left too many replies unread", connection.endpoints.peer);
            self.server.shared.system.log(line.as_bytes());
            self.close(connection);
        }
    }

    /// Has all nodes stand still from now on, for so long: this one at once, the others when they hear of it, until the
    /// same moment.
    pub(crate) fn stop_all_nodes(&self, duration_us: u64) {
        let until_ns = self.time.clock.monotonic_ns().saturating_add(duration_us.saturating_mul(1000));
        self.server.shared.stopped_until_ns.fetch_max(until_ns, Ordering::Relaxed);
        Doorbell::published();
        for (node, bell) in self.server.shared.bells.iter().enumerate() {
            if node != self.server.me && bell.doorbell().must_ring() {
                bell.wake();
            }
        }
        self.server.shared.system.sleep(duration_us);
    }

    /// Stands still if another node was told to have all do so.
    #[inline]
    pub(crate) fn stop_if_told(&self) {
        let until_ns = self.server.shared.stopped_until_ns.load(Ordering::Relaxed);
        if until_ns > self.time.now_ns {
            self.server.shared.system.sleep((until_ns - self.time.now_ns) / 1000);
        }
    }

    /// Whether more waits for a client than it may leave unread.
    pub(crate) fn is_over_hard_limit(&self, output_bytes: usize) -> bool {
        over_hard_limit(&self.server.config, output_bytes)
    }

    /// Lets clients go on that CLIENT PAUSE held, when it is over or has changed.
    fn end_pauses(&mut self) {
        if self.home.holds.waiting(Gate::Paused) == 0 {
            return;
        }
        let now_ms = self.now_ms();
        self.home.pause.mode(now_ms);
        if self.home.pause == self.home.pause_seen && self.home.pause.until_ms().is_some() {
            return;
        }
        self.home.pause_seen = self.home.pause;
        self.home.release(Gate::Paused);
    }
}

/// Whether more waits for a client than it may leave unread.
#[inline]
pub(crate) fn over_hard_limit(config: &Config, output_bytes: usize) -> bool {
    let hard_bytes = config.client_output_buffer_limit.normal.hard_bytes;
    hard_bytes > 0 && output_bytes as u64 > hard_bytes
}
