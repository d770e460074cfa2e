//! Running a command on this node's shard, for whomever.

use super::Owner;
use crate::clock::{Clock, Time};
use crate::core::Core;
use crate::server::Server;
use crate::task::{Asker, Task};
use tessera_command::host::command_stats;
use tessera_command::{Command, Error, Flags, Run};
use tessera_keyspace::Effect;
use tessera_resp::{Args, Protocol, Reply};

/// What became of a [`Task`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Outcome {
    /// What it changed.
    pub(crate) effect: Effect,
    /// The number of the stream that makes the rest of the reply, if only its beginning was written.
    pub(crate) stream: Option<u64>,
    /// How long it took, in nanoseconds.
    pub(crate) duration_ns: u64,
}

impl Outcome {
    /// It was not run.
    pub(crate) const REFUSED: Outcome = Outcome { effect: Effect::None, stream: None, duration_ns: 0 };
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a command on the shard, for whomever, and appends its reply to `out`; then serves who waited for keys that
    /// it has filled.
    #[inline]
    pub(crate) fn run_task(&mut self, task: &Task, args: Args<'_>, out: &mut Vec<u8>) -> Outcome {
        let outcome = self.run_task_unserved(task, args, out);
        self.serve_waiters();
        outcome
    }

    /// The same, but those who waited are the caller's to serve: once it has written down that the command ran.
    // Clients of this node come from one place only. There the outcome need not be moved.
    #[inline(always)]
    pub(crate) fn run_task_unserved(&mut self, task: &Task, args: Args<'_>, out: &mut Vec<u8>) -> Outcome {
        let outcome = self.owner.run(task, args, &mut self.server, &mut self.time, out);
        if outcome.effect != Effect::None && task.command.flags.has(Flags::REMOVES_ALL) && self.server.me == 0
        {
            self.note_all_removed();
        }
        outcome
    }
}

impl Owner {
    /// Runs a command on the shard and appends its reply to `out`. Who waits for keys that it has filled is not served
    /// yet: that comes after its effect.
    #[inline]
    pub(crate) fn run<C: Clock>(
        &mut self,
        task: &Task,
        args: Args<'_>,
        server: &mut Server,
        time: &mut Time<C>,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let Task { command, asker: Asker { db, protocol, .. }, is_whole } = *task;
        let start = out.len();
        let mut reply = if is_whole { Reply::streamable(out, protocol) } else { Reply::new(out, protocol) };
        let (result, mut stream) = self.execute(task, args, &mut reply);
        let (mut effect, mut failed) = (Effect::None, false);
        match result {
            Ok(Effect::None) => {}
            Ok(changed) => {
                effect = changed;
                self.shard.effects_mut().note(db, changed, args);
                self.shard.note_dirty();
            }
            Err(Error::LongReply) => stream = self.open_stream(command, args, db, protocol, out),
            Err(error) => {
                if let Some(stream) = stream.take() {
                    self.shard.close_stream(stream);
                }
                failed = true;
                effect = error.effect();
                if effect != Effect::None {
                    self.shard.note_dirty();
                }
                reply.truncate(start);
                let text = error.text(command.full_name);
                reply.error(&text);
                if is_whole {
                    server.note_error(&text);
                }
            }
        }
        let duration_ns = time.read();
        server.counters.commands_ns += duration_ns;
        if is_whole {
            let outcome =
                if failed { command_stats::Outcome::Failure } else { command_stats::Outcome::Success };
            server.note_run(command, duration_ns, outcome);
        }
        Outcome { effect, stream, duration_ns }
    }

    /// Does what the command does. Also returns the stream that it has begun, if any.
    #[inline]
    fn execute(
        &mut self,
        task: &Task,
        args: Args<'_>,
        reply: &mut Reply<'_>,
    ) -> (Result<Effect, Error>, Option<u64>) {
        let Asker { db, touch, .. } = task.asker;
        let result = match task.command.run {
            Run::Read(run) => run(args, self.shard.view(db, touch), reply).map(|()| Effect::None),
            Run::Write(run) => {
                let before_bytes = self.shard.database(db).entry_bytes();
                let result = run(args, &mut self.shard.view_mut(db, touch), reply);
                let grown_bytes = self.shard.database(db).entry_bytes().saturating_sub(before_bytes);
                self.memory.note_growth(grown_bytes);
                return (result, self.shard.take_begun_stream());
            }
            Run::Gather(steps) => {
                let before_bytes = self.shard.entry_bytes();
                let result = steps.run_on_one_shard(args, &mut self.shard, db, touch, reply);
                self.memory.note_growth(self.shard.entry_bytes().saturating_sub(before_bytes));
                result
            }
            Run::Blocking(steps) => {
                self.memory.note_unknown_growth();
                steps.run_without_waiting(args, &mut self.shard.view_mut(db, touch), reply)
            }
            Run::Session(_) | Run::Transaction(_) | Run::Everywhere(_) | Run::Container => {
                Err(Error::Text("ERR this command does not run on a shard"))
            }
        };
        (result, None)
    }

    /// Begins the reply of a command that found it to be long.
    #[cold]
    fn open_stream(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        protocol: Protocol,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let begin = command.stream?;
        let (key, stream) = begin(args, self.shard.view(db, false), &mut Reply::new(out, protocol))?;
        Some(self.shard.open_stream(db, key, stream))
    }
}
