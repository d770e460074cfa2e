//! EXEC on this node's shard alone: all at once, so that nothing comes between.

use super::at_home::SessionDone;
use super::connection::Connection;
use super::dispatch::take_reply_mode;
use super::execution::Done;
use super::holds::{Flow, Hold};
use super::queue::Queue;
use crate::accounts::{Account, error_text};
use crate::clock::Clock;
use crate::core::Core;
use crate::housekeeping::over_hard_limit;
use crate::sessions::{Caller, NodeHost};
use crate::task::Task;
use tessera_command::client::ReplyMode;
use tessera_command::host::{Action, NodePart};
use tessera_command::{Command, Error, Flags, Run, Spread};
use tessera_resp::{Args, Reply};
use tessera_routing::exec::{Planned, is_only_on};
use tessera_routing::{Assembly, ShardId};

const WITHOUT_MULTI: Error = Error::Text("ERR EXEC without MULTI");
const ABORTED: Error = Error::Text("EXECABORT Transaction discarded because of previous errors.");
/// What is answered later than it is done cannot be one reply of many.
const ANSWERED_LATER: &[u8] = b"ERR Command not allowed inside a transaction";
/// Longer replies are not copied to where replies leave from, in bytes.
const COPIED_MAX_LEN_BYTES: usize = 64 * 1024;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// EXEC.
    pub(crate) fn execute(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        match &connection.queue {
            None => return self.answer_step(connection, command, args, Err(WITHOUT_MULTI)),
            Some(queue) if queue.is_aborted() => {
                self.drop_transaction(connection);
                return self.answer_step(connection, command, args, Err(ABORTED));
            }
            Some(_) => {}
        }
        // What runs on several shards must not overtake, nor be overtaken by, what runs on one of them.
        if !connection.replies.is_settled() {
            return self.home.hold(connection, Hold::UntilSettled);
        }
        let Some(queue) = connection.queue.take() else { return Flow::Next };
        if !self.is_on_own_shard(connection, &queue) {
            return self.execute_over_shards(connection, command, args, queue);
        }
        // Perhaps what changes it has been answered already, and is still to be done here.
        if self.is_own_watch_held(connection) {
            connection.queue = Some(queue);
            let wants = connection.watches.wants_of(self.server.me);
            return self.hold_for_holder(connection, wants);
        }
        if self.has_own_watch_failed(connection) {
            self.keep_queue(queue);
            self.drop_transaction(connection);
            let mut out = Vec::new();
            Reply::new(&mut out, connection.client.protocol).null_array();
            self.end_step(connection, command, args, &out, None);
            return Flow::Next;
        }
        if let Some(flow) = self.admit_queue_to_own_shard(connection, &queue) {
            connection.queue = Some(queue);
            return flow;
        }
        self.unwatch_all(connection);
        self.run_queue(connection, command, args, &queue);
        self.keep_queue(queue);
        // Not before: all of it is one change to them.
        self.serve_waiters();
        Flow::Next
    }

    /// This node's own shard has all that a transaction wants.
    fn is_on_own_shard(&self, connection: &Connection, queue: &Queue) -> bool {
        if self.mesh.nodes() == 1 {
            return true;
        }
        let me = self.server.me;
        let context = self.owner.context(connection.client.db);
        let commands = self.queue_with_databases(connection, queue);
        connection.watches.are_of(me)
            && is_only_on(me as ShardId, commands, context, &self.server.shared.slots)
    }

    /// The commands of a transaction, each with the database that it will work on.
    pub(crate) fn queue_with_databases<'a>(
        &self,
        connection: &Connection,
        queue: &'a Queue,
    ) -> impl Iterator<Item = Planned<'a>> + use<'a, S, C> {
        let databases = self.server.config.databases;
        let mut db = connection.client.db;
        queue.commands().map(move |(command, args)| {
            let planned = Planned { command, args, db };
            if let Some(selected) = command.spec.selects.and_then(|selects| selects(args)) {
                db = if selected < databases { selected } else { db };
            }
            planned
        })
    }

    /// The gates before the commands of a transaction on this node's shard: all of them, before the first runs. Memory
    /// is looked at before, as in Redis.
    fn admit_queue_to_own_shard(&mut self, connection: &mut Connection, queue: &Queue) -> Option<Flow> {
        if !self.must_writes_ask() && !self.owner.held.holds_any() {
            return None;
        }
        for Planned { command, args, db } in self.queue_with_databases(connection, queue) {
            if self.must_wait_to_write(command, args, db) {
                return Some(self.hold_for_snapshot(connection));
            }
            if self.owner.must_wait_for_holder(command, args) {
                let wants = self.owner.wants_of(command, args);
                return Some(self.hold_for_holder(connection, wants));
            }
        }
        None
    }

    /// Runs all commands of a transaction and answers it.
    fn run_queue(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: &Queue,
    ) {
        let began_ns = self.time.now_ns;
        connection.client.last_command = command.shown_name;
        connection.client.in_transaction = true;
        self.time.stands_at_us = Some(self.time.clock.unix_us());
        let mut out = self.server.buffers.take();
        if is_answered(connection) {
            Reply::new(&mut out, connection.client.protocol).array(queue.len());
        }
        let mut done = Done::default();
        let mut is_too_long = false;
        for (queued, words) in queue.commands() {
            // Who has ended its own connection is told nothing more.
            let (start, is_ending) = (out.len(), done.close_caller);
            self.run_queued(connection, queued, words, queue, &mut out, &mut done);
            if is_ending || is_too_long || !is_answered(connection) {
                out.truncate(start);
            }
            if !is_too_long && over_hard_limit(&self.server.config, connection.output_bytes() + out.len()) {
                is_too_long = true;
                out = Vec::new();
                self.home.to_close.push(connection.id);
            }
        }
        self.time.stands_at_us = None;
        connection.client.in_transaction = false;
        take_reply_mode(&mut connection.client);
        connection.close_after_reply |= done.close_caller;
        for action in done.actions {
            self.act(connection, action);
        }
        if self.server.shared.monitors() > 0 {
            self.feed_monitors(connection, command, args);
        }
        if done.has_removed_all {
            let sequence = connection.replies.reserve(true);
            let account = Account::open(command, args, began_ns);
            return self.await_save_of_removal(connection, sequence, account, out);
        }
        self.time.read();
        let duration_ns = self.time.now_ns.saturating_sub(began_ns);
        self.server.note_end(command, duration_ns, None);
        self.note_duration(connection, command, args, duration_ns);
        if out.len() >= COPIED_MAX_LEN_BYTES {
            let sequence = connection.replies.reserve(true);
            return connection.replies.arrive_whole(sequence, out);
        }
        connection.replies.provide_buffer(|| self.server.buffers.take());
        connection.replies.write_now(|ready| {
            ready.extend_from_slice(&out);
            true
        });
        self.server.buffers.give_back(out);
    }

    /// Runs one command of a transaction, and writes down what there is to write down of it.
    fn run_queued(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: &Queue,
        out: &mut Vec<u8>,
        done: &mut Done,
    ) {
        let start = out.len();
        match command.run {
            Run::Session(_) | Run::Container => {
                self.run_queued_session(connection, command, args, queue, out, done);
            }
            Run::Everywhere(_) => self.run_queued_everywhere(connection, command, args, queue, out, done),
            // Nothing is watched any more, and all others are not queued.
            Run::Transaction(_) => {
                Reply::new(out, connection.client.protocol).ok();
            }
            Run::Read(_) | Run::Write(_) | Run::Gather(_) | Run::Blocking(_) => {
                // A long reply is made whole, as that of a part is.
                let task = Task { command, asker: connection.asker(), is_whole: false };
                let outcome = self.run_task_unserved(&task, args, out);
                debug_assert!(outcome.stream.is_none());
                let is_removal = command.flags.has(Flags::REMOVES_ALL);
                done.has_removed_all |= is_removal && self.must_save_removal(connection, &out[start..]);
                self.end_queued(connection, command, args, outcome.duration_ns, error_text(&out[start..]));
                return;
            }
        }
        let duration_ns = self.time.read();
        self.server.counters.commands_ns += duration_ns;
        self.end_queued(connection, command, args, duration_ns, error_text(&out[start..]));
    }

    pub(super) fn end_queued(
        &mut self,
        connection: &Connection,
        command: &'static Command,
        args: Args<'_>,
        duration_ns: u64,
        failed: Option<&[u8]>,
    ) {
        self.server.note_end(command, duration_ns, failed);
        self.note_duration(connection, command, args, duration_ns);
        if self.server.shared.monitors() > 0 {
            self.feed_monitors(connection, command, args);
        }
    }

    pub(super) fn run_queued_session(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: &Queue,
        out: &mut Vec<u8>,
        done: &mut Done,
    ) {
        let (input_bytes, output_bytes, allocated_bytes) =
            (connection.input_bytes(), connection.counted_output_bytes(), connection.allocated_bytes());
        let Connection { client, endpoints, .. } = connection;
        let queue = Some(queue);
        let caller = Caller {
            endpoints,
            args,
            input_bytes,
            output_bytes,
            allocated_bytes,
            queue,
            watch_failed: false,
        };
        let SessionDone { actions, close_caller, .. } = self.run_session(client, caller, command, out);
        done.close_caller |= close_caller;
        if actions.iter().any(Action::is_answered_later) {
            return Reply::new(out, connection.client.protocol).error(ANSWERED_LATER);
        }
        done.actions.extend(actions);
    }

    /// A command for all nodes where this one is all of them.
    fn run_queued_everywhere(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: &Queue,
        out: &mut Vec<u8>,
        done: &mut Done,
    ) {
        let (Run::Everywhere(run), Spread::AllNodes(merge)) = (command.run, command.spread) else { return };
        let (caller_id, protocol) = (connection.client.id, connection.client.protocol);
        let mut part = Vec::new();
        let mut host = NodeHost::for_all_nodes_within(self, connection, queue);
        let result =
            run(args, &mut NodePart { caller_id, host: &mut host }, &mut Reply::new(&mut part, protocol));
        let closed = host.into_closed();
        if let Err(error) = result {
            part.clear();
            Reply::new(&mut part, protocol).error(error.text(command.full_name));
        }
        for id in closed {
            if id == caller_id {
                done.close_caller = true;
            } else {
                self.close_client(id, caller_id);
            }
        }
        let mut assembly = Assembly::new(merge, 1, Vec::new());
        assembly.take(0, &part);
        assembly.finish(out, protocol);
    }
}

/// What a command of a transaction answers is sent, as things are.
pub(super) fn is_answered(connection: &Connection) -> bool {
    matches!(connection.client.reply_mode, ReplyMode::On | ReplyMode::SkipNext)
}
