//! EXEC over several shards, or on one other than this node's own: as one transaction, see [`tessera_routing::exec`].

use super::connection::{Connection, Running};
use super::dispatch::take_reply_mode;
use super::exec::is_answered;
use super::execution::{Done, Execution, Todo, Trying};
use super::holds::Flow;
use super::queue::Queue;
use crate::accounts::error_text;
use crate::clock::Clock;
use crate::core::Core;
use crate::housekeeping::over_hard_limit;
use crate::task::Asker;
use std::sync::Arc;
use tessera_command::{Command, Error, Flags, Merge, Run, Spread};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::exec::{ExecAsker, ExecPlan, StepPart};
use tessera_routing::message::{ErrandKind, Part, TryKeys, WatchedKey};
use tessera_routing::parts::Mode;
use tessera_routing::{Answer, Assembly, Errand, Gathering, Parts, ShardId, Step, Ticket, TransactionId};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a transaction that this node's shard cannot run alone.
    pub(crate) fn execute_over_shards(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: Box<Queue>,
    ) -> Flow {
        // Any of them may have a share in it.
        if let Some(peer) = self.mesh.congested_of(0..self.mesh.nodes()) {
            connection.queue = Some(queue);
            return self.hold_for_peer(connection, peer);
        }
        let shared = Arc::clone(&self.server.shared);
        let asker = ExecAsker {
            context: self.owner.context(connection.client.db),
            protocol: connection.protocol(),
            me: self.server.me as ShardId,
            table: &shared.slots,
        };
        let planned: Vec<_> = self.queue_with_databases(connection, &queue).collect();
        let mut plan = ExecPlan::of(planned, asker, |db| self.shards_by_chance(db));
        let watched = connection
            .watches
            .all()
            .map(|(owner, db, key, stamp)| (owner as ShardId, WatchedKey { db, key: key.into(), stamp }));
        let shares = plan.shares(queue.commands().map(|(command, _)| command), watched, asker);
        connection.client.last_command = command.shown_name;
        let mut header = self.server.buffers.take();
        if is_answered(connection) {
            Reply::new(&mut header, connection.client.protocol).array(queue.len());
        }
        let sequence = connection.replies.reserve(true);
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        let (mode, needs_none) = (plan.mode(), shares.is_empty());
        let id = self.transaction_id(ticket);
        let (parts, errands) = Parts::start(id, asker.me, connection.parts_asker(mode), shares);
        let mut execution = Execution::new(parts, queue, plan, header);
        if needs_none {
            execution.begin_steps(self.time.clock.unix_us());
        }
        let running = Running::Exec(Box::new(execution));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.send_errands(connection, errands);
        self.go_on_with_exec(connection);
        Flow::Next
    }

    /// All shards hold what the transaction wants, or have done their shares.
    pub(crate) fn have_keys_of_exec(&mut self, connection: &mut Connection) {
        let is_shown = is_answered(connection);
        let Some(execution) = connection.execution() else { return };
        if execution.parts.is_changed() {
            let mut out = Vec::new();
            if is_shown {
                Reply::new(&mut out, connection.client.protocol).null_array();
            }
            return self.end_exec(connection, out);
        }
        match execution.parts.mode() {
            // Whatever others have seen of the keys was at an earlier moment.
            Mode::Hold => execution.begin_steps(self.time.clock.unix_us()),
            _ => execution.take_all(),
        }
    }

    /// A shard has run what it was to run, of a transaction that holds its keys there.
    pub(crate) fn take_exec_answer(&mut self, connection: &mut Connection, answer: Answer) {
        match connection.awaited() {
            Some(Running::Trying(_)) => self.take_tried(connection, answer),
            _ => {
                if let Some(execution) = connection.execution() {
                    execution.take_replies(answer.replies);
                }
            }
        }
    }

    /// Runs what can be run of a transaction whose keys are held, and answers it at the end.
    pub(crate) fn go_on_with_exec(&mut self, connection: &mut Connection) {
        loop {
            self.tell_of_exec(connection);
            let Some(execution) = connection.execution() else { return };
            match execution.next() {
                Todo::Parts(first, parts) => self.send_exec_parts(connection, first, parts),
                Todo::Alone => self.run_alone(connection),
                Todo::Nothing => return,
                Todo::End => {
                    let out = std::mem::take(&mut execution.out);
                    return self.end_exec(connection, out);
                }
            }
        }
    }

    /// Writes down what there is to write down of commands that have been answered, in their order.
    fn tell_of_exec(&mut self, connection: &mut Connection) {
        let id = connection.id;
        let protocol = connection.protocol();
        let is_shown = is_answered(connection) && !connection.gone;
        loop {
            let Some(execution) = connection.execution() else { return };
            let index = execution.told;
            let Some((reply, duration_ns)) = execution.next_told(protocol) else { return };
            let Some(queue) = execution.queue.take() else { return };
            if is_shown && !execution.is_ending {
                execution.out.extend_from_slice(&reply);
            }
            let held_bytes = execution.held_bytes();
            if is_shown && !execution.is_ending && over_hard_limit(&self.server.config, held_bytes) {
                // It is closed for that, and hears of nothing else.
                execution.out = Vec::new();
                execution.is_ending = true;
                self.home.to_close.push(id);
            }
            execution.is_ending |= execution.done.close_caller;
            if let Some((command, args)) = queue.get(index) {
                let is_removal =
                    command.flags.has(Flags::REMOVES_ALL) && self.must_save_removal(connection, &reply);
                self.end_queued(connection, command, args, duration_ns, error_text(&reply));
                if let Some(execution) = connection.execution() {
                    execution.done.has_removed_all |= is_removal;
                }
            }
            if let Some(execution) = connection.execution() {
                execution.queue = Some(queue);
            }
        }
    }

    /// The errand for a shard about keys that the connection's transaction holds.
    fn exec_errand(
        &self,
        connection: &Connection,
        (transaction, moment_ms): (TransactionId, i64),
        shard: ShardId,
        kind: ErrandKind,
    ) -> Errand {
        let Asker { db, touch, .. } = connection.asker();
        let TransactionId { connection, sequence, .. } = transaction;
        let ticket = Ticket { connection, sequence, part: u32::from(shard) };
        Errand { transaction, ticket, db, touch, moment_ms: Some(moment_ms), key: Box::default(), kind }
    }

    /// Has shards run parts of a command, whose keys are held there.
    fn send_exec_parts(&mut self, connection: &mut Connection, first: u32, parts: Vec<StepPart>) {
        let protocol = connection.protocol();
        let Some(execution) = connection.execution() else { return };
        let (held, index) = (execution.held(), execution.last_begun());
        let Some((command, _)) = execution.queue.as_ref().and_then(|queue| queue.get(index)) else { return };
        for (number, StepPart { shard, words }) in (first..).zip(parts) {
            let part = Part { number, command, words, protocol };
            let errand = self.exec_errand(connection, held, shard, ErrandKind::Run(part));
            if let Some((_, answer)) = self.send_errand(shard, errand) {
                self.take_exec_answer(connection, answer);
            }
        }
    }

    /// Runs the next command of a transaction, which takes steps of its own or none on any shard.
    fn run_alone(&mut self, connection: &mut Connection) {
        self.time.read();
        let began_ns = self.time.now_ns;
        let Some(execution) = connection.execution() else { return };
        execution.inner_began_ns = began_ns;
        let index = execution.last_begun();
        let Some(queue) = execution.queue.take() else { return };
        let Some((command, args)) = queue.get(index) else { return };
        let begun = self.begin_alone(connection, command, args, &queue).unwrap_or_else(|error| {
            let mut out = Vec::new();
            Reply::new(&mut out, connection.client.protocol).error(error.text(command.full_name));
            Begun::Ended(out)
        });
        let duration_ns = self.time.read();
        let Some(execution) = connection.execution() else { return };
        execution.queue = Some(queue);
        match begun {
            Begun::Step(step) => self.take_step(connection, step),
            Begun::Trying => self.try_next_keys(connection),
            Begun::Everywhere => {}
            Begun::Ended(reply) => {
                self.server.counters.commands_ns += duration_ns;
                execution.end_alone(reply, duration_ns);
            }
        }
    }

    fn begin_alone(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: &Queue,
    ) -> Result<Begun, Error> {
        let Some(execution) = connection.execution() else { return Ok(Begun::Everywhere) };
        let (held, moment_us) = (execution.held(), execution.moment_us);
        let held = (held.0, Some(held.1));
        let slots = &self.server.shared.slots;
        let begun = match command.run {
            Run::Session(_) | Run::Container => {
                self.time.stands_at_us = Some(moment_us);
                connection.client.in_transaction = true;
                let (mut out, mut done) = (Vec::new(), Done::default());
                self.run_queued_session(connection, command, args, queue, &mut out, &mut done);
                connection.client.in_transaction = false;
                self.time.stands_at_us = None;
                if let Some(execution) = connection.execution() {
                    execution.done.add(done);
                }
                Begun::Ended(out)
            }
            Run::Everywhere(_) => {
                (command.check)(args)?;
                let Spread::AllNodes(merge) = command.spread else { return Err(Error::Arity) };
                self.begin_everywhere(connection, command, args, merge)
            }
            Run::Gather(steps) => {
                let asker = self.gather_asker(connection);
                let (gathering, step) = Gathering::start(command, steps, args, asker, held, slots)?;
                begin_step(connection, gathering, step)
            }
            Run::Blocking(steps) => {
                let wait = (steps.wait)(args)?;
                wait.check(self.now_ms())?;
                if let (Some(target), Some(key)) = (wait.target, wait.keys.first()) {
                    let asker = self.gather_asker(connection);
                    let way = [*key, target.key];
                    let (transfer, value_type) = (target.transfer, steps.waits_for);
                    let (gathering, step) =
                        Gathering::start_moving(command, way, transfer, value_type, asker, held, slots);
                    return Ok(begin_step(connection, gathering, step));
                }
                let keys = wait.keys.iter().map(|key| (slots.owner_of(key), Box::from(*key)));
                let trying = Trying::new(command, steps, OwnedArgs::from_words(args.iter()), keys);
                set_inner(connection, Running::Trying(trying));
                Begun::Trying
            }
            // Nothing is watched any more, and all others are not queued.
            Run::Transaction(_) => {
                let mut out = Vec::new();
                Reply::new(&mut out, connection.client.protocol).ok();
                Begun::Ended(out)
            }
            // They consist of parts: none comes here.
            Run::Read(_) | Run::Write(_) => return Err(Error::Arity),
        };
        Ok(begun)
    }

    /// Has all nodes run a command of a transaction.
    fn begin_everywhere(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
    ) -> Begun {
        if let Some(sequence) = connection.running.as_ref().map(|under| under.sequence) {
            self.send_everywhere(connection, sequence, command, args, false);
            set_inner(connection, Running::Parts(Assembly::new(merge, self.mesh.nodes(), Vec::new())));
        }
        Begun::Everywhere
    }

    /// Tries the next keys of a blocking command within a transaction, if that is what it is at.
    fn try_next_keys(&mut self, connection: &mut Connection) {
        loop {
            let protocol = connection.protocol();
            let Some(held) = connection.execution().map(|execution| execution.held()) else { return };
            let Some(Running::Trying(trying)) = connection.awaited() else { return };
            let Some((shard, keys)) = trying.left.pop() else {
                let mut out = Vec::new();
                (trying.steps.refuse_to_wait)(&mut Reply::new(&mut out, protocol));
                return self.finish(connection, &out);
            };
            let tried = TryKeys { command: trying.command, words: trying.words.clone(), keys, protocol };
            let errand = self.exec_errand(connection, held, shard, ErrandKind::TryKeys(Box::new(tried)));
            match self.send_errand(shard, errand) {
                Some((_, Answer { reply: None, .. })) => {}
                Some((_, answer)) => return self.take_tried(connection, answer),
                None => return,
            }
        }
    }

    /// A shard has tried its keys.
    fn take_tried(&mut self, connection: &mut Connection, answer: Answer) {
        let protocol = connection.protocol();
        let Some(Running::Trying(trying)) = connection.awaited() else { return };
        match answer.reply {
            None => self.try_next_keys(connection),
            Some(Ok(out)) => self.finish(connection, &out),
            Some(Err(error)) => {
                let (mut out, name) = (Vec::new(), trying.command.full_name);
                Reply::new(&mut out, protocol).error(error.text(name));
                self.finish(connection, &out);
            }
        }
    }

    /// There was no element to move for a blocking command within a transaction, which does not wait for one.
    pub(crate) fn end_vain_move(&mut self, connection: &mut Connection) {
        let protocol = connection.protocol();
        let Some(execution) = connection.execution() else { return };
        let index = execution.last_begun();
        let queue = execution.queue.as_ref();
        let command = queue.and_then(|queue| queue.get(index)).map(|(command, _)| command.run);
        let mut out = Vec::new();
        if let Some(Run::Blocking(steps)) = command {
            (steps.refuse_to_wait)(&mut Reply::new(&mut out, protocol));
        }
        self.finish(connection, &out);
    }

    /// A command of a transaction that took steps of its own has been answered. False if there is none.
    pub(crate) fn end_step_of_exec(&mut self, connection: &mut Connection, reply: &[u8]) -> bool {
        let closes = connection.close_after_reply;
        let Some(execution) = connection.execution().filter(|execution| execution.inner.is_some()) else {
            return false;
        };
        self.time.read();
        execution.done.close_caller |= closes;
        let duration_ns = self.time.now_ns.saturating_sub(execution.inner_began_ns);
        execution.end_alone(reply.to_vec(), duration_ns);
        true
    }

    /// Lets go of everything, and answers the transaction.
    fn end_exec(&mut self, connection: &mut Connection, out: Vec<u8>) {
        let Some(execution) = connection.execution() else { return };
        let errands = execution.parts.release();
        let (done, queue) = (std::mem::take(&mut execution.done), execution.queue.take());
        self.send_errands(connection, errands);
        self.unwatch_all(connection);
        if let Some(queue) = queue {
            self.keep_queue(queue);
        }
        let Some(under) = connection.running.take() else { return };
        connection.hold = None;
        let (sequence, account) = (under.sequence, under.account);
        take_reply_mode(&mut connection.client);
        connection.close_after_reply |= done.close_caller;
        if !connection.gone {
            for action in done.actions {
                self.act(connection, action);
            }
        }
        if self.server.shared.monitors() > 0 {
            self.feed_monitors(connection, account.command, account.words.as_args());
        }
        if done.has_removed_all {
            return self.await_save_of_removal(connection, sequence, account, out);
        }
        self.close_account(&account, Some(connection), &out);
        connection.replies.provide_buffer(|| self.server.buffers.take());
        connection.replies.arrive_whole(sequence, out);
    }
}

/// How a command of a transaction began that takes steps of its own.
enum Begun {
    /// It brings keys together: its first step.
    Step(Step),
    /// It blocks elsewhere: here it tries its keys.
    Trying,
    /// All nodes have been asked to run it.
    Everywhere,
    /// It is done: the reply.
    Ended(Vec<u8>),
}

fn set_inner(connection: &mut Connection, running: Running) {
    if let Some(execution) = connection.execution() {
        execution.inner = Some(running);
    }
}

fn begin_step(connection: &mut Connection, gathering: Gathering, step: Step) -> Begun {
    set_inner(connection, Running::Gathering(Box::new(gathering)));
    Begun::Step(step)
}
