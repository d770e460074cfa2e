//! What a home knows of an EXEC that runs on several shards: how far its commands are, and what they have answered.

use super::queue::Queue;
use tessera_command::Command;
use tessera_command::blocking::BlockingSteps;
use tessera_command::host::Action;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::exec::{ExecPlan, ExecStep, StepPart};
use tessera_routing::message::Replied;
use tessera_routing::{Merging, Parts, ShardId, TransactionId};

/// Parts of commands that are under way at once, unless one command has more: at first, and at most.
const OUT_FIRST_PARTS: usize = 8;
const OUT_MAX_PARTS: usize = 64;
/// Fewer are if their replies would be longer than that in all, in bytes, going by the last one.
const OUT_MAX_LEN_BYTES: usize = 1024 * 1024;

/// What has come of the commands of a transaction so far.
#[derive(Default)]
pub(super) struct Done {
    pub(super) actions: Vec<Action>,
    pub(super) close_caller: bool,
    /// One has removed all keys, which is to be saved before the client hears of it.
    pub(super) has_removed_all: bool,
}

impl Done {
    /// What one more command has come to.
    pub(super) fn add(&mut self, other: Done) {
        self.actions.extend(other.actions);
        self.close_caller |= other.close_caller;
        self.has_removed_all |= other.has_removed_all;
    }
}

/// What is to be done of a command.
pub(super) enum Todo {
    /// These parts, of which this is the number of the first.
    Parts(u32, Vec<StepPart>),
    /// It takes steps of its own.
    Alone,
    /// Nothing: it waits for those before it.
    Nothing,
    /// Nothing: all have been answered.
    End,
}

/// A command, and what has come of it.
struct Progress {
    step: ExecStep,
    /// The number of its first part.
    first: u32,
    /// What its parts have answered.
    replies: Vec<Option<Vec<u8>>>,
    missing: usize,
    duration_ns: u64,
}

/// See the module. `R`: what a command that takes steps of its own may wait for.
pub struct Execution<R> {
    /// The transaction that holds the keys.
    pub(super) parts: Parts,
    /// The commands; `None` while one of them begins.
    pub(super) queue: Option<Box<Queue>>,
    commands: Vec<Progress>,
    /// All keys are held, or have been.
    has_keys: bool,
    /// How many have begun.
    begun: usize,
    /// Parts that have been sent and not answered.
    out_len: usize,
    /// How many may be.
    out_max: usize,
    /// Bytes of replies that have not been written down.
    untold_len_bytes: usize,
    /// How many have been written down, and their replies here.
    pub(super) told: usize,
    pub(super) out: Vec<u8>,
    pub(super) done: Done,
    /// The client hears nothing of what follows: it has ended its own connection.
    pub(super) is_ending: bool,
    /// What the command that takes steps of its own waits for.
    pub(super) inner: Option<R>,
    /// When that began, in monotonic nanoseconds.
    pub(super) inner_began_ns: u64,
    /// The moment at which all of it happens, in Unix microseconds, once the keys are held.
    pub(super) moment_us: i64,
}

impl<R> Execution<R> {
    /// One that has begun to hold its keys. `header`: what the replies of the commands follow upon.
    pub(super) fn new(parts: Parts, queue: Box<Queue>, plan: ExecPlan, header: Vec<u8>) -> Execution<R> {
        let mut first = 0;
        let commands = plan.steps.into_iter().map(|step| {
            let parts = match &step {
                ExecStep::Parts(parts, _) => parts.len(),
                ExecStep::Alone => 1,
            };
            let progress =
                Progress { step, first, replies: vec![None; parts], missing: parts, duration_ns: 0 };
            first += parts as u32;
            progress
        });
        Execution {
            parts,
            queue: Some(queue),
            commands: commands.collect(),
            has_keys: false,
            begun: 0,
            out_len: 0,
            out_max: OUT_FIRST_PARTS,
            untold_len_bytes: 0,
            told: 0,
            out: header,
            done: Done::default(),
            is_ending: false,
            inner: None,
            inner_began_ns: 0,
            moment_us: 0,
        }
    }

    /// Its name at the owners, and the moment at which all of it happens, in Unix milliseconds.
    pub(super) fn held(&self) -> (TransactionId, i64) {
        (self.parts.id(), self.moment_us.div_euclid(1000))
    }

    /// All keys are held: commands are to be run, all of them at this moment, in Unix microseconds.
    pub(super) fn begin_steps(&mut self, moment_us: i64) {
        self.moment_us = moment_us;
        self.has_keys = true;
    }

    /// All shards have done their shares: that is what they answered.
    pub(super) fn take_all(&mut self) {
        let replies = self.parts.take_replies();
        self.take_replies(replies);
        self.begun = self.commands.len();
        self.has_keys = true;
    }

    /// What is to be done next.
    pub(super) fn next(&mut self) -> Todo {
        if !self.has_keys || self.inner.is_some() {
            return Todo::Nothing;
        }
        if self.told == self.commands.len() {
            return Todo::End;
        }
        let Some(command) = self.commands.get_mut(self.begun) else { return Todo::Nothing };
        match &mut command.step {
            // All their replies together might be too much.
            ExecStep::Parts(..) if self.out_len >= self.out_max => Todo::Nothing,
            ExecStep::Parts(parts, _) => {
                self.begun += 1;
                self.out_len += parts.len();
                Todo::Parts(command.first, std::mem::take(parts))
            }
            // It may tell of what those before it have done.
            ExecStep::Alone if self.out_len > 0 => Todo::Nothing,
            ExecStep::Alone => {
                self.begun += 1;
                Todo::Alone
            }
        }
    }

    /// Which command has begun last.
    pub(super) fn last_begun(&self) -> usize {
        self.begun.saturating_sub(1)
    }

    /// Takes in what parts have answered.
    pub(super) fn take_replies(&mut self, replies: Vec<Replied>) {
        for Replied { number, reply, duration_ns } in replies {
            let index = self.commands.partition_point(|command| command.first <= number).saturating_sub(1);
            let Some(command) = self.commands.get_mut(index) else { continue };
            if let Some(place @ None) = command.replies.get_mut((number - command.first) as usize) {
                self.untold_len_bytes += reply.len();
                self.out_max = (OUT_MAX_LEN_BYTES / reply.len().max(1)).clamp(1, OUT_MAX_PARTS);
                *place = Some(reply);
                command.missing -= 1;
                command.duration_ns += duration_ns;
                self.out_len = self.out_len.saturating_sub(1);
            }
        }
    }

    /// The command that took steps of its own has been answered.
    pub(super) fn end_alone(&mut self, reply: Vec<u8>, duration_ns: u64) {
        self.inner = None;
        let index = self.last_begun();
        if let Some(command) = self.commands.get_mut(index) {
            self.untold_len_bytes += reply.len();
            command.replies = vec![Some(reply)];
            command.missing = 0;
            command.duration_ns = duration_ns;
        }
    }

    /// The reply of the next command that is to be written down, and how long it ran, if it has been answered.
    pub(super) fn next_told(&mut self, protocol: Protocol) -> Option<(Vec<u8>, u64)> {
        let command = self.commands.get_mut(self.told).filter(|command| command.missing == 0)?;
        self.told += 1;
        let replies: Vec<Vec<u8>> = std::mem::take(&mut command.replies).into_iter().flatten().collect();
        self.untold_len_bytes -= replies.iter().map(Vec::len).sum::<usize>();
        let mut only = Merging::Only;
        let merging = match &mut command.step {
            ExecStep::Parts(_, merging) => merging,
            ExecStep::Alone => &mut only,
        };
        Some((merging.merge(replies, protocol), command.duration_ns))
    }

    /// Bytes of replies kept here.
    pub(super) fn held_bytes(&self) -> usize {
        self.out.len() + self.parts.held_bytes() + self.untold_len_bytes
    }
}

/// A blocking command that tries its keys, those of one owner after the other.
pub struct Trying {
    pub(super) command: &'static Command,
    pub(super) steps: BlockingSteps,
    pub(super) words: OwnedArgs,
    /// Keys that are still to be tried, of one owner each, the next ones last.
    pub(super) left: Vec<(ShardId, Vec<Box<[u8]>>)>,
}

impl Trying {
    /// `keys`: with their owners, in their order.
    pub(super) fn new(
        command: &'static Command,
        steps: BlockingSteps,
        words: OwnedArgs,
        keys: impl IntoIterator<Item = (ShardId, Box<[u8]>)>,
    ) -> Trying {
        let mut left: Vec<(ShardId, Vec<Box<[u8]>>)> = Vec::new();
        for (owner, key) in keys {
            match left.last_mut() {
                Some((last, keys)) if *last == owner => keys.push(key),
                _ => left.push((owner, vec![key])),
            }
        }
        left.reverse();
        Trying { command, steps, words, left }
    }
}
