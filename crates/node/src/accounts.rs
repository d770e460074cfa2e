//! What a node writes down of the commands it runs: numbers and durations, errors, the slow log, the latency monitor.

use crate::server::Server;
use std::sync::PoisonError;
use tessera_command::host::command_stats::Outcome;
use tessera_command::{Command, Flags};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;

/// Who sent a command, as the slow log tells it.
pub(crate) struct Sender<'a> {
    /// The client's address.
    pub(crate) peer: &'a str,
    /// Its name, which may be empty.
    pub(crate) name: &'a [u8],
}

/// A command that is under way, and what will be written down of it, once, at its end: all commands but those that run whole on
/// one shard, and those that are done at once.
#[derive(Debug)]
pub struct Account {
    /// The command.
    pub command: &'static Command,
    /// Its words, as the client sent them.
    pub words: OwnedArgs,
    /// When it began, in monotonic nanoseconds.
    pub began_ns: u64,
    /// How long it was worked on until it was last paused, in nanoseconds.
    worked_ns: u64,
    /// Since when it has been worked on, in monotonic nanoseconds; `None` while it is paused.
    working_since_ns: Option<u64>,
}

impl Account {
    /// Of a command that begins now.
    pub(crate) fn open(command: &'static Command, args: Args<'_>, began_ns: u64) -> Account {
        let words = OwnedArgs::from_words(args.iter());
        Account { command, words, began_ns, worked_ns: 0, working_since_ns: Some(began_ns) }
    }

    /// It waits for other clients to do something, which is not work.
    pub(crate) fn pause(&mut self, now_ns: u64) {
        self.worked_ns = self.duration_ns(now_ns);
        self.working_since_ns = None;
    }

    /// It is worked on again.
    pub(crate) fn resume(&mut self, now_ns: u64) {
        self.working_since_ns.get_or_insert(now_ns);
    }

    /// While it waited, somebody else has worked on it for so long.
    pub(crate) fn add_work_of_other(&mut self, duration_ns: u64) {
        if self.working_since_ns.is_none() {
            self.worked_ns += duration_ns;
        }
    }

    /// How long it has been worked on, in nanoseconds.
    pub(crate) fn duration_ns(&self, now_ns: u64) -> u64 {
        self.worked_ns + self.working_since_ns.map_or(0, |since_ns| now_ns.saturating_sub(since_ns))
    }
}

/// The text of a reply that is an error.
pub(crate) fn error_text(reply: &[u8]) -> Option<&[u8]> {
    reply.strip_prefix(b"-").map(<[u8]>::trim_ascii_end)
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_command::Registry;

    #[test]
    fn waiting_is_not_work() {
        let registry = Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS)));
        let words = OwnedArgs::from_words(["BLPOP", "key", "0"]);
        let Ok(command) = registry.resolve(words.as_args()) else { panic!("it is a command") };
        let mut account = Account::open(command, words.as_args(), 1_000);
        // Work of others is part of its own, unless it waits.
        account.add_work_of_other(50);
        assert_eq!(account.duration_ns(1_100), 100);
        account.pause(1_100);
        account.pause(2_000);
        account.add_work_of_other(7);
        assert_eq!(account.duration_ns(9_000), 107);
        account.resume(9_000);
        account.resume(9_005);
        assert_eq!(account.duration_ns(9_010), 117);
        assert_eq!((account.began_ns, account.words), (1_000, words));
    }

    #[test]
    fn an_error_is_told_by_its_first_byte() {
        assert_eq!(error_text(b"-ERR\r\n"), Some(&b"ERR"[..]));
        assert_eq!(error_text(b"-WRONGTYPE Operation\r\n"), Some(&b"WRONGTYPE Operation"[..]));
        assert_eq!((error_text(b":-1\r\n"), error_text(b"")), (None, None));
    }
}
