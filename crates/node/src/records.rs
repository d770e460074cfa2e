//! What a node writes down of the commands it runs: numbers and durations, errors, the slow log, the latency monitor.

use crate::accounts::Sender;
use crate::server::Server;
use std::sync::PoisonError;
use tessera_command::host::command_stats::Outcome;
use tessera_command::{Command, Flags};
use tessera_resp::Args;

impl Server {
    /// Counts a command that has run for so long.
    #[inline]
    pub(crate) fn note_run(&self, command: &'static Command, duration_ns: u64, outcome: Outcome) {
        let number = self.shared.registry.number(command);
        self.stats().commands.note_call(number, duration_ns, outcome, self.config.latency_tracking);
    }

    /// Counts a command that did not run whole on one shard, at its end; `failed` is the error's text, if it was one.
    pub(crate) fn note_end(&mut self, command: &'static Command, duration_ns: u64, failed: Option<&[u8]>) {
        self.counters.commands += 1;
        if let Some(text) = failed {
            self.note_error(text);
        }
        self.note_run(
            command,
            duration_ns,
            if failed.is_some() { Outcome::Failure } else { Outcome::Success },
        );
    }

    /// Counts an error reply.
    #[cold]
    pub(crate) fn note_error(&mut self, text: &[u8]) {
        self.counters.error_replies += 1;
        self.stats().errors.lock().unwrap_or_else(PoisonError::into_inner).note(text);
    }

    /// Tells the latency monitor of something that took so long, if that is long enough.
    #[inline]
    pub(crate) fn note_latency(&self, event: &'static str, unix_us: i64, duration_ns: u64) {
        let threshold_ms = self.config.latency_monitor_threshold_ms;
        if threshold_ms > 0 && duration_ns / 1_000_000 >= threshold_ms {
            self.shared.latency().add(event, unix_us.div_euclid(1_000_000), duration_ns / 1_000_000);
        }
    }

    /// Whether a command that took so long belongs into the slow log or the latency monitor.
    #[inline]
    pub(crate) fn is_slow(&self, command: &Command, duration_ns: u64) -> bool {
        self.is_for_slow_log(command, duration_ns)
            || (self.config.latency_monitor_threshold_ms > 0
                && duration_ns / 1_000_000 >= self.config.latency_monitor_threshold_ms)
    }

    #[inline]
    fn is_for_slow_log(&self, command: &Command, duration_ns: u64) -> bool {
        let slower_than_us = self.config.slowlog_log_slower_than_us;
        slower_than_us >= 0
            && duration_ns / 1000 >= slower_than_us.unsigned_abs()
            && !command.flags.has(Flags::SKIP_SLOWLOG)
    }

    /// Writes down a command that [is slow](Server::is_slow).
    #[cold]
    pub(crate) fn note_slow(
        &self,
        sender: &Sender<'_>,
        command: &'static Command,
        args: Args<'_>,
        unix_us: i64,
        duration_ns: u64,
    ) {
        let event = if command.flags.has(Flags::FAST) { "fast-command" } else { "command" };
        self.note_latency(event, unix_us, duration_ns);
        if self.is_for_slow_log(command, duration_ns) {
            self.shared.slowlog().add(
                unix_us.div_euclid(1_000_000),
                duration_ns / 1000,
                args,
                &command.spec.secrets.positions(args),
                sender.peer,
                sender.name,
                self.config.slowlog_max_len,
            );
        }
    }
}
