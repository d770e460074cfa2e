//! Commands of one kind in a row, as pipelines have them, whose keys are on several shards: MSET behind MSET, say. They
//! go as one transaction, or each would wait for the round trip of the one before it.

use super::ahead::{Ahead, Planned};
use super::connection::{Connection, Following, Running, Shares};
use crate::accounts::Account;
use crate::clock::Clock;
use crate::core::Core;
use tessera_command::client::ReplyMode;
use tessera_command::{Command, Merge, Spread};
use tessera_resp::{Args, Protocol};
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::Part;
use tessera_routing::parts::{Mode, Share};
use tessera_routing::slots::SlotTable;
use tessera_routing::{Assembly, Merging, ShardId, split};

/// Commands with more words than that in all do not go together, in bytes: what is copied of them is bounded.
const ROW_MAX_LEN_BYTES: usize = 64 * 1024;

/// What each shard does of the commands.
pub(super) struct Row {
    command: &'static Command,
    /// Where the keys begin, and how far one is from the next.
    first: usize,
    step: usize,
    protocol: Protocol,
    by_shard: Vec<(ShardId, Vec<Part>)>,
    parts: u32,
}

impl Row {
    /// Of such commands, whose keys begin at word `first` and are `step` words apart.
    pub(super) fn new(command: &'static Command, (first, step): (usize, usize), protocol: Protocol) -> Row {
        Row { command, first, step, protocol, by_shard: Vec::new(), parts: 0 }
    }

    /// Adds one. Returns what its reply is made by.
    pub(super) fn add(&mut self, args: Args<'_>, merge: Merge, table: &SlotTable) -> Merging {
        let split = split::split(args, self.first, self.step, table);
        let assembly = Assembly::new(merge, split.parts.len(), split.order);
        for split::Part { shard, words } in split.parts {
            let part = Part { number: self.parts, command: self.command, words, protocol: self.protocol };
            self.parts += 1;
            match self.by_shard.iter_mut().find(|(other, _)| *other == shard) {
                Some((_, parts)) => parts.push(part),
                None => self.by_shard.push((shard, vec![part])),
            }
        }
        Merging::Assembly(assembly)
    }

    /// The number of the next command's first part.
    pub(super) fn parts(&self) -> u32 {
        self.parts
    }

    /// Whose keys they are.
    pub(super) fn owners(&self) -> impl Iterator<Item = usize> {
        self.by_shard.iter().map(|(shard, _)| usize::from(*shard))
    }

    /// What each shard is told.
    pub(super) fn into_shares(self) -> Vec<Share> {
        let Row { command, first, step, .. } = self;
        let access = if command.is_write() { Access::Write } else { Access::Read };
        let share = |(shard, parts): (ShardId, Vec<Part>)| {
            let keys = parts.iter().flat_map(|part| part.words.as_args().iter().skip(first).step_by(step));
            let wants = Wants::keys(keys.map(|key| (key, access)));
            Share { shard, wants, watched: Vec::new(), parts }
        };
        self.by_shard.into_iter().map(share).collect()
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes a command that was admitted, and those behind it that are of its kind, if it has keys on several shards
    /// and nothing is in the way. Returns how many of those behind it were taken: none if it is to go alone.
    pub(super) fn take_row(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        (ahead, index): (&Ahead, usize),
        bytes: &[u8],
    ) -> usize {
        let Spread::ByKey(merge) = command.spread else { return 0 };
        let Some(layout) = split::key_run(command) else { return 0 };
        let args_of = |planned: &Planned| Args::new(bytes, ahead.spans_of(planned));
        let mut left_bytes = ROW_MAX_LEN_BYTES;
        let is_of_kind = |planned: &&Planned| {
            let args = args_of(planned);
            let is_like = planned.resolved.is_ok_and(|other| std::ptr::eq(other, command));
            let fits = left_bytes.checked_sub(args.total_len_bytes());
            left_bytes = fits.unwrap_or(0);
            is_like
                && fits.is_some()
                && args.len() > layout.0
                && command.takes(args.len())
                && (command.check)(args).is_ok()
        };
        let row: Vec<Args<'_>> = ahead.commands[index..].iter().take_while(is_of_kind).map(args_of).collect();
        let [args, others @ ..] = &row[..] else { return 0 };
        let table = &self.server.shared.slots;
        let is_split = |args: &Args<'_>| {
            split::single_owner(args.iter().skip(layout.0).step_by(layout.1), table).is_none()
        };
        let may_go = !others.is_empty()
            && connection.client.reply_mode == ReplyMode::On
            && connection.replies.is_settled()
            && is_split(args);
        if !may_go || self.is_out_of_memory_for(command) {
            return 0;
        }
        let mut taken = Row::new(command, layout, connection.protocol());
        let table = &self.server.shared.slots;
        let merging = taken.add(*args, merge, table);
        let others = others.iter().map(|args| (*args, taken.parts(), taken.add(*args, merge, table)));
        let others: Vec<(Args<'_>, u32, Merging)> = others.collect();
        if self.mesh.congested_of(taken.owners()).is_some() {
            return 0;
        }
        self.begin_row(connection, command, *args, merging, others, taken)
    }

    fn begin_row(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merging: Merging,
        others: Vec<(Args<'_>, u32, Merging)>,
        row: Row,
    ) -> usize {
        self.note_start(connection, command, args);
        let sequence = connection.replies.reserve(true);
        let now_ns = self.time.now_ns;
        let mut following = Vec::with_capacity(others.len());
        for (args, first_part, merging) in others {
            self.note_start(connection, command, args);
            let account = Account::open(command, args, now_ns);
            let sequence = connection.replies.reserve(true);
            following.push(Following { sequence, account, first_part, merging });
        }
        let taken = following.len();
        let asker = connection.parts_asker(Mode::of(command));
        let (parts, errands) = self.start_parts(connection, sequence, asker, row.into_shares());
        let running = Running::Transaction(Box::new(Shares { parts, merging, following }));
        connection.begin(sequence, command, args, now_ns, running);
        self.send_errands(connection, errands);
        taken
    }
}
