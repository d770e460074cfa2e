//! Running commands on this node's shard: for its own clients, and for those of its peers.

use crate::clock::Clock;
use crate::connection::Connection;
use crate::core::{Core, NetworkOrder, RemoteSend};
use crate::direct;
use crate::memory::OUT_OF_MEMORY;
use crate::mesh::{Note, REPLIES_MAX_LEN_BYTES};
use crate::network::SocketHandle;
use crate::snapshot::Turn;
use crate::turns::Budget;
use std::sync::PoisonError;
use tessera_command::host::command_stats::Outcome;
use tessera_command::{Command, Error, Flags, Run};
use tessera_keyspace::Effect;
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Protocol, Reply};
use tessera_routing::message::{ErrandKind, Slow};
use tessera_routing::{Answer, Batch, Call, Errand, Ticket};

/// Longer replies do not leave directly, in bytes.
const DIRECT_MAX_LEN_BYTES: usize = 1024 * 1024;
/// How many calls' keys are looked for together.
const WARM_CALLS: usize = 16;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a command on the shard, appends its reply to `out`, and returns how long it took, in nanoseconds. Of
    /// a command's parts only one is `counted` in the statistics. A long reply may be begun
    /// only, see [`Core::open_stream`], where `may_stream`.
    #[expect(clippy::too_many_arguments, reason = "everything that a call consists of")]
    #[inline]
    pub(crate) fn run_on_shard(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        protocol: Protocol,
        touch: bool,
        counted: bool,
        may_stream: bool,
        out: &mut Vec<u8>,
    ) -> u64 {
        let (before_ns, start) = (self.now_ns, out.len());
        let mut reply = if may_stream { Reply::streamable(out, protocol) } else { Reply::new(out, protocol) };
        let result = match command.run {
            Run::Read(run) => run(args, self.shard.view(db, touch), &mut reply).map(|()| Effect::None),
            Run::Write(run) => {
                let before_bytes = self.shard.database(db).entry_bytes();
                let result = run(args, &mut self.shard.view_mut(db, touch), &mut reply);
                let grown_bytes = self.shard.database(db).entry_bytes().saturating_sub(before_bytes);
                self.memory.note_growth(grown_bytes);
                self.opened_stream = self.shard.take_begun_stream();
                result
            }
            Run::Gather(steps) => {
                let before_bytes = self.shard.entry_bytes();
                let result = steps.run_on_one_shard(args, &mut self.shard, db, touch, &mut reply);
                let grown_bytes = self.shard.entry_bytes().saturating_sub(before_bytes);
                self.memory.note_growth(grown_bytes);
                result
            }
            Run::Blocking(steps) => {
                self.memory.note_unknown_growth();
                steps.run_without_waiting(args, &mut self.shard.view_mut(db, touch), &mut reply)
            }
            Run::Session(_) | Run::Everywhere(_) | Run::Container => {
                Err(Error::Text("ERR this command does not run on a shard"))
            }
        };
        self.serve_waiters();
        let mut outcome = Outcome::Success;
        match result {
            Ok(Effect::None) => {}
            Err(Error::LongReply) => self.opened_stream = self.open_stream(command, args, db, protocol, out),
            Ok(Effect::Verbatim | Effect::Rewritten) => {
                self.shard.note_dirty();
                if command.flags.has(Flags::REMOVES_ALL) && self.me == 0 {
                    self.note_all_removed();
                }
            }
            Err(error) => {
                if let Some(stream) = self.opened_stream.take() {
                    self.shard.close_stream(stream);
                }
                outcome = Outcome::Failure;
                reply.truncate(start);
                let text = error.text(command.full_name);
                reply.error(&text);
                self.note_error(&text);
            }
        }
        self.now_ns = self.clock.monotonic_ns();
        let duration_ns = self.now_ns - before_ns;
        self.counters.commands_ns += duration_ns;
        if counted {
            let number = self.shared.registry.number(command);
            self.shared.stats[self.me].commands.note_call(
                number,
                duration_ns,
                outcome,
                self.config.latency_tracking,
            );
        }
        duration_ns
    }

    /// Counts a session command; `failed` is the error's text, if it was one.
    pub(crate) fn note_call(&mut self, command: &'static Command, duration_ns: u64, failed: Option<&[u8]>) {
        if let Some(text) = failed {
            self.note_error(text);
        }
        self.counters.commands_ns += duration_ns;
        let number = self.shared.registry.number(command);
        let outcome = if failed.is_some() { Outcome::Failure } else { Outcome::Success };
        self.stats().commands.note_call(number, duration_ns, outcome, self.config.latency_tracking);
    }

    /// Counts an error reply.
    #[cold]
    pub(crate) fn note_error(&mut self, text: &[u8]) {
        self.counters.error_replies += 1;
        self.stats().errors.lock().unwrap_or_else(PoisonError::into_inner).note(text);
    }

    /// Tells the latency monitor of something that took so long, if that is long enough.
    #[inline]
    pub(crate) fn note_latency(&self, event: &'static str, duration_ns: u64) {
        let threshold_ms = self.config.latency_monitor_threshold_ms;
        if threshold_ms > 0 && duration_ns / 1_000_000 >= threshold_ms {
            let unix_s = self.unix_us.div_euclid(1_000_000);
            self.shared.latency().add(event, unix_s, duration_ns / 1_000_000);
        }
    }

    /// Counts a command that is refused because memory is short, and returns what its client is told.
    #[cold]
    pub(crate) fn note_out_of_memory(&mut self, command: &'static Command) -> &'static [u8] {
        self.stats().commands.note_rejected(self.shared.registry.number(command));
        self.note_error(OUT_OF_MEMORY);
        OUT_OF_MEMORY
    }

    /// Runs a call of a peer on the shard, unless it is all of a command and there is no memory for it.
    fn run_call(&mut self, call: &Call, args: Args<'_>, out: &mut Vec<u8>) -> u64 {
        let Call { ticket, command, db, protocol, touch, whole, .. } = *call;
        // Of a command's parts others may be done already; its home has looked before it sent them.
        if self.is_out_of_memory_for(command) && whole {
            self.counters.refused_commands += 1;
            Reply::new(out, protocol).error(self.note_out_of_memory(command));
            return 0;
        }
        self.run_on_shard(command, args, db, protocol, touch, ticket.part == 0, whole, out)
    }

    /// Whether a command that took so long belongs into the slow log or the latency monitor.
    #[inline]
    fn is_slow(&self, command: &Command, duration_ns: u64) -> bool {
        let slower_than_us = self.config.slowlog_log_slower_than_us;
        (slower_than_us >= 0
            && duration_ns / 1000 >= slower_than_us.unsigned_abs()
            && !command.flags.has(Flags::SKIP_SLOWLOG))
            || (self.config.latency_monitor_threshold_ms > 0
                && duration_ns / 1_000_000 >= self.config.latency_monitor_threshold_ms)
    }

    /// Notes a command of this node's client if it was slow.
    #[inline]
    pub(crate) fn note_duration(
        &mut self,
        connection: &Connection,
        command: &'static Command,
        args: Args<'_>,
        duration_ns: u64,
    ) {
        if self.is_slow(command, duration_ns) {
            self.note_slow(connection, command, args, duration_ns);
        }
    }

    #[cold]
    pub(crate) fn note_slow(
        &mut self,
        connection: &Connection,
        command: &'static Command,
        args: Args<'_>,
        duration_ns: u64,
    ) {
        let unix_s = self.unix_us.div_euclid(1_000_000);
        self.note_latency(
            if command.flags.has(Flags::FAST) { "fast-command" } else { "command" },
            duration_ns,
        );
        let slower_than_us = self.config.slowlog_log_slower_than_us;
        if slower_than_us >= 0
            && duration_ns / 1000 >= slower_than_us.unsigned_abs()
            && !command.flags.has(Flags::SKIP_SLOWLOG)
        {
            self.shared.slowlog().add(
                unix_s,
                duration_ns / 1000,
                args,
                &command.spec.secrets.positions(args),
                &connection.endpoints.peer,
                &connection.client.name,
                self.config.slowlog_max_len,
            );
        }
    }

    /// Runs the calls and errands of a batch from `home` and queues the replies.
    ///
    /// False if it stopped half-way because its turn is over, or its replies are too long to run all of it now.
    pub(crate) fn run_batch(&mut self, home: usize, batch: &mut Batch, budget: &mut Budget) -> bool {
        let not_taken_in_bytes = self.mesh.replies_on_way_bytes(home);
        let mut out = self.mesh.take_outgoing(home);
        self.now_ns = self.clock.monotonic_ns();
        let first = batch.done_calls();
        let mut index = first;
        while let Some((call, args)) = batch.call(index) {
            if not_taken_in_bytes + out.replies_len_bytes() >= REPLIES_MAX_LEN_BYTES
                || !budget.take_one(self.now_ns)
            {
                batch.set_done_calls(index);
                self.mesh.restore_outgoing(home, out);
                return false;
            }
            if (index - first).is_multiple_of(WARM_CALLS) {
                let next = (index..index + WARM_CALLS).map_while(|index| batch.call(index));
                self.shard.warm(call.db, next.filter_map(|(call, args)| call.command.wanted(args)));
            }
            if self.must_writes_ask() || !self.snapshot.aside.is_empty() || !self.held.is_empty() {
                match self.turn_of_call(home, &call, args) {
                    Turn::Now => {}
                    Turn::Aside => {
                        index += 1;
                        continue;
                    }
                    Turn::Full => {
                        batch.set_done_calls(index);
                        self.mesh.stop_calls(home);
                        self.mesh.restore_outgoing(home, out);
                        return false;
                    }
                }
            }
            index += 1;
            self.answer_call(home, &call, args, &mut out);
        }
        self.mesh.restore_outgoing(home, out);
        true
    }

    /// Runs a peer's call and answers it, to the peer or to the client itself.
    #[inline]
    pub(crate) fn answer_call(&mut self, home: usize, call: &Call, args: Args<'_>, out: &mut Batch) {
        let Call { ticket, command, .. } = *call;
        if call.unread && call.direct.is_none() {
            return self.run_unread(call, args);
        }
        let Some(socket) = call.direct else {
            let duration_ns = out.push_reply(ticket, |replies| self.run_call(call, args, replies));
            if let Some(stream) = self.opened_stream.take() {
                self.note_streamed(home, ticket, stream, out.pop_reply());
            }
            if call.whole && self.is_slow(command, duration_ns) {
                out.slow.push(slow(call, args, duration_ns));
            }
            return;
        };
        let mut bytes = self.buffers.take();
        let duration_ns = self.run_call(call, args, &mut bytes);
        if let Some(stream) = self.opened_stream.take() {
            self.note_streamed(home, ticket, stream, bytes);
        } else if self.is_slow(command, duration_ns) || self.is_over_hard_limit(bytes.len()) {
            // The home closes the client if it is too long. If it was slow it goes into the log before its client knows that
            // it is done: the home must hear of it first.
            out.push_reply(ticket, |replies| replies.extend_from_slice(&bytes));
            out.slow.push(slow(call, args, duration_ns));
            self.buffers.give_back(bytes);
        } else if bytes.len() > DIRECT_MAX_LEN_BYTES {
            // A socket does not take all of it at once: the home has to write most of it anyway, and gets it as it is.
            self.mesh.note(home, Note::DirectDone { ticket, rest: bytes });
        } else {
            self.reply_directly(home, ticket, SocketHandle(socket), bytes);
        }
    }

    /// Runs a call whose client has gone: what it was sent takes effect, but nothing is read for nobody.
    #[cold]
    fn run_unread(&mut self, call: &Call, args: Args<'_>) {
        if matches!(call.command.run, Run::Read(_)) {
            return;
        }
        self.run_call(call, args, &mut Vec::new());
        if let Some(stream) = self.opened_stream.take() {
            self.shard.close_stream(stream);
        }
    }

    /// Does a step of a gathering command on the shard.
    pub(crate) fn run_errand(&mut self, errand: Errand) -> Answer {
        if let ErrandKind::Part { command, words, protocol, is_first } = &errand.kind {
            let mut out = Vec::new();
            let args = words.as_args();
            self.run_on_shard(command, args, errand.db, *protocol, true, *is_first, false, &mut out);
            return Answer { reply: Some(Ok(out)), ..Answer::default() };
        }
        if matches!(errand.kind, ErrandKind::Put(..) | ErrandKind::GiveElement(..)) {
            self.make_room_for_growth();
        }
        let before_bytes = self.shard.entry_bytes();
        let answer = errand.run(&mut self.shard);
        self.memory.note_growth(self.shard.entry_bytes().saturating_sub(before_bytes));
        self.serve_waiters();
        answer
    }

    /// Has this node's network write a reply to a connection of `home`.
    fn reply_directly(&mut self, home: usize, ticket: Ticket, socket: SocketHandle, bytes: Vec<u8>) {
        self.counters.direct_replies += 1;
        let send = Some(RemoteSend { home, ticket });
        let tag = match self.free_remote_sends.pop() {
            Some(free) => {
                self.remote_sends[free as usize] = send;
                free
            }
            None => {
                self.remote_sends.push(send);
                (self.remote_sends.len() - 1) as u32
            }
        };
        self.orders.push(NetworkOrder::SendRemote(socket, u64::from(tag), bytes));
    }

    /// A direct reply has been written, as far as it went.
    pub(crate) fn remote_reply_sent(&mut self, tag: u64, mut buffer: Vec<u8>, written: usize) {
        let place = self.remote_sends.get_mut(tag as usize).and_then(Option::take);
        let Some(RemoteSend { home, ticket }) = place else {
            debug_assert!(false, "a direct reply that was not begun");
            return;
        };
        self.free_remote_sends.push(tag as u32);
        self.counters.output_bytes += written as u64;
        self.counters.writes += 1;
        if written < buffer.len() {
            // The home sends the rest, and the socket is its own again.
            buffer.drain(..written);
            self.mesh.note(home, Note::DirectDone { ticket, rest: buffer });
            return;
        }
        let index = crate::connection::unpack(ticket.connection).index as usize;
        if direct::done(&self.shared.direct[home][index]) {
            self.mesh.note(home, Note::DirectDone { ticket, rest: Vec::new() });
        }
        self.buffers.give_back(buffer);
    }
}

fn slow(call: &Call, args: Args<'_>, duration_ns: u64) -> Slow {
    Slow {
        connection: call.ticket.connection,
        command: call.command,
        duration_ns,
        words: OwnedArgs::from_words(args.iter()),
    }
}
