//! Whether a command may run: all gates, in the order in which Redis has them. A command that may not is refused, or
//! held until it may.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::dispatch::take_reply_mode;
use crate::home::holds::{Flow, Hold};
use crate::owner::memory::OUT_OF_MEMORY;
use tessera_command::host::guard::{Refused, admit_resolved, is_http};
use tessera_command::registry::Unknown;
use tessera_command::{Command, Flags, Run, TransactionStep};
use tessera_resp::{Args, Reply};
use tessera_routing::intents::Wants;

/// A node warns of clients that speak HTTP at most this often, in nanoseconds.
const HTTP_WARNING_PERIOD_NS: u64 = 60_000_000_000;
/// A client that has to authenticate and has not gets no further answer while this much waits for it, in bytes.
const STRANGER_MAX_LEN_BYTES: usize = 16 * 1024;
/// A node tells of paused clients at most this often, in nanoseconds.
const PAUSE_WARNING_PERIOD_NS: u64 = 60_000_000_000;

/// What Redis answers to writes when it cannot save.
const SNAPSHOTS_FAIL: &[u8] = b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
    persist to \
    disk. Commands that may modify the data set are disabled, because this instance is configured to report errors \
    during \
    writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details \
    about the \
    RDB error.";

const NOT_IN_TRANSACTION: &[u8] = b"ERR Command not allowed inside a transaction";

fn is_exec(command: &Command) -> bool {
    matches!(command.run, Run::Transaction(TransactionStep::Execute))
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The command, if the gates before all commands let it through; otherwise what has become of it.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        connection: &mut Connection,
        resolved: Result<&'static Command, Unknown>,
        args: Args<'_>,
    ) -> Result<&'static Command, Flow> {
        // Whatever it is answered counts: also that it is refused.
        if connection.output_bytes() > self.home.output_pause_bytes {
            return Err(self.pause_for_output(connection));
        }
        let admitted = admit_resolved(
            self.server.shared.registry,
            resolved,
            args,
            &connection.client,
            &self.server.config,
        );
        let command = match admitted {
            Ok(command) => command,
            Err(refused) => return Err(self.refuse_admission(connection, args, refused)),
        };
        let mut flags = command.flags;
        if connection.queue.is_some() {
            flags = self.admit_to_transaction(connection, command, args)?;
        }
        if self.snapshot.denies_writes && self.is_denied_by_disk(flags) {
            return Err(self.reject(connection, Some(command), args, SNAPSHOTS_FAIL));
        }
        if self.loading.is_some() && !flags.has(Flags::LOADING) {
            return Err(self.hold_or_refuse_while_loading(connection, command, args));
        }
        if !connection.client.monitor && self.home.pause.holds(flags, self.time.unix_us.div_euclid(1000)) {
            return Err(self.home.hold(connection, Hold::Paused));
        }
        if self.snapshot.drain.is_holding {
            return Err(self.home.hold(connection, Hold::Cut));
        }
        Ok(command)
    }

    #[cold]
    fn refuse_admission(&mut self, connection: &mut Connection, args: Args<'_>, refused: Refused) -> Flow {
        if connection.output_bytes() > STRANGER_MAX_LEN_BYTES && self.is_stranger(connection) {
            return self.home.hold(connection, Hold::SlowReader);
        }
        if refused.command.is_none() && is_http(args) {
            return self.drop_http(connection);
        }
        let name = refused.command.map_or("", |command| command.full_name);
        self.reject(connection, refused.command, args, &refused.error.text(name))
    }

    /// The gates of a client between MULTI and EXEC. Returns the flags that the gates behind them go by: EXEC passes
    /// those of all that it would run.
    #[cold]
    fn admit_to_transaction(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Result<Flags, Flow> {
        if command.flags.has(Flags::NO_MULTI) {
            return Err(self.reject(connection, Some(command), args, NOT_IN_TRANSACTION));
        }
        let flags = match &connection.queue {
            Some(queue) if is_exec(command) => queue.flags_of_exec(command.flags),
            _ => command.flags,
        };
        let needs_memory = flags.has(Flags::DENY_OOM) || !command.flags.has(Flags::ENDS_QUEUE);
        if needs_memory && self.is_out_of_memory() {
            return Err(self.reject(connection, Some(command), args, OUT_OF_MEMORY));
        }
        Ok(flags)
    }

    /// Answers that a command may not run, which aborts the transaction that it was to be a part of, or to run.
    #[cold]
    pub(crate) fn reject(
        &mut self,
        connection: &mut Connection,
        command: Option<&'static Command>,
        args: Args<'_>,
        text: &[u8],
    ) -> Flow {
        connection.client.last_command = command.map_or("NULL", |command| command.shown_name);
        if let Some(command) = command {
            self.stats().commands.note_rejected(self.server.shared.registry.number(command));
        }
        if let Some(command) = command.filter(|command| is_exec(command)) {
            self.drop_transaction(connection);
            let reason = text.strip_prefix(b"ERR ").unwrap_or(text);
            let text = [b"EXECABORT Transaction discarded because of: ", reason].concat();
            if self.server.shared.monitors() > 0 {
                self.feed_monitors(connection, command, args);
            }
            return self.refuse(connection, &text);
        }
        if let Some(queue) = &mut connection.queue {
            queue.abort();
        }
        self.refuse(connection, text)
    }

    #[cold]
    pub(crate) fn hold_for_holder(&mut self, connection: &mut Connection, wants: Wants) -> Flow {
        self.owner.held.queue_up(self.server.me, connection.id.pack(), wants);
        self.home.hold(connection, Hold::Held)
    }

    #[cold]
    pub(crate) fn hold_for_peer(&mut self, connection: &mut Connection, peer: usize) -> Flow {
        self.home.hold(connection, Hold::Peer(peer))
    }

    /// Has a client read before more of its commands are executed.
    #[cold]
    fn pause_for_output(&mut self, connection: &mut Connection) -> Flow {
        self.server.counters.output_pauses += 1;
        if self.time.now_ns >= self.home.next_pause_warning_ns {
            self.home.next_pause_warning_ns = self.time.now_ns + PAUSE_WARNING_PERIOD_NS;
            let line = format!(
                "Client {} has left {} bytes of replies unread: its commands wait until it has read half of what \
                 client-output-buffer-pause allows",
                connection.endpoints.peer,
                connection.output_bytes()
            );
            self.server.shared.system.log(line.as_bytes());
        }
        self.home.hold(connection, Hold::SlowReader)
    }

    #[cold]
    pub(crate) fn refuse_for_memory(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
    ) -> Flow {
        let text = self.note_out_of_memory(command);
        self.answer_error(connection, text)
    }

    /// Redis refuses for want of memory before it does because of the disk.
    #[cold]
    fn is_denied_by_disk(&mut self, flags: Flags) -> bool {
        (flags.has(Flags::WRITE) || flags.has(Flags::TELLS_OF_DISK))
            && !(flags.has(Flags::DENY_OOM) && self.is_out_of_memory())
    }

    #[cold]
    pub(crate) fn hold_for_snapshot(&mut self, connection: &mut Connection) -> Flow {
        self.server.counters.snapshot_writers_waited += 1;
        self.home.hold(connection, Hold::Unsaved)
    }

    /// Closes a connection that a browser was made to open.
    fn drop_http(&mut self, connection: &mut Connection) -> Flow {
        connection.close_after_reply = true;
        if self.time.now_ns >= self.home.next_http_warning_ns {
            self.home.next_http_warning_ns = self.time.now_ns + HTTP_WARNING_PERIOD_NS;
            let line = format!(
                "Closing client {} that speaks HTTP: a web page may be trying to reach this server through a browser",
                connection.endpoints.peer
            );
            self.server.shared.system.log(line.as_bytes());
        }
        Flow::Next
    }

    /// Answers an error without having run anything.
    #[cold]
    pub(crate) fn refuse(&mut self, connection: &mut Connection, text: &[u8]) -> Flow {
        self.server.note_error(text);
        self.answer_error(connection, text)
    }

    pub(crate) fn answer_error(&mut self, connection: &mut Connection, text: &[u8]) -> Flow {
        let is_sent = take_reply_mode(&mut connection.client);
        connection.replies.write_now(|out| {
            Reply::new(out, connection.client.protocol).error(text);
            is_sent
        });
        Flow::Next
    }
}
