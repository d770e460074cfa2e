//! Commands that take parts or steps on several shards, as they set out. [`super::steps`] has how they go on.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::{Connection, Running, Shares};
use crate::home::dispatch::take_reply_mode;
use crate::home::holds::{Flow, Hold};
use crate::home::row::Row;
use crate::task::Asker;
use tessera_command::spec::CountOption;
use tessera_command::{Command, Merge, Run};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;
use tessera_routing::cursor::Walk;
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::Part;
use tessera_routing::parts::{Mode, PartsAsker, Share};
use tessera_routing::{
    Assembly, Errand, GatherAsker, Gathering, Merging, Parts, ShardId, Ticket, TransactionId, split,
};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Split by the owners of its keys.
    pub(crate) fn by_key(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
    ) -> Flow {
        let Some((first, step)) = split::key_run(command) else {
            return self.on_own_shard(connection, command, args);
        };
        if let Err(error) = (command.check)(args) {
            if self.is_out_of_memory_for(command) {
                return self.refuse_for_memory(connection, command);
            }
            return self.fail(connection, command, args, &error);
        }
        if args.len() <= first {
            // No keys at all.
            return self.on_own_shard(connection, command, args);
        }
        let keys = args.iter().skip(first).step_by(step);
        if let Some(owner) = split::single_owner(keys, &self.server.shared.slots) {
            return self.on_shard(connection, command, args, owner);
        }
        if !connection.replies.is_settled() {
            return self.home.hold(connection, Hold::UntilSettled);
        }
        if self.is_out_of_memory_for(command) {
            return self.refuse_for_memory(connection, command);
        }
        let mut row = Row::new(command, (first, step), connection.protocol());
        let merging = row.add(args, merge, &self.server.shared.slots);
        if let Some(peer) = self.mesh.congested_of(row.owners()) {
            return self.hold_for_peer(connection, peer);
        }
        let asker = connection.parts_asker(Mode::of(command));
        self.begin_transaction(connection, command, args, asker, merging, row.into_shares())
    }

    /// Begins a transaction that several shards have a share in.
    fn begin_transaction(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        asker: PartsAsker,
        merging: Merging,
        shares: Vec<Share>,
    ) -> Flow {
        self.note_start(connection, command, args);
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let (running, errands) = self.start_transaction(connection, sequence, asker, merging, shares);
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.send_errands(connection, errands);
        Flow::Next
    }

    /// What is awaited of a transaction that several shards have a share in, and the first errands.
    fn start_transaction(
        &self,
        connection: &Connection,
        sequence: u32,
        asker: PartsAsker,
        merging: Merging,
        shares: Vec<Share>,
    ) -> (Running, Vec<(ShardId, Errand)>) {
        let (parts, errands) = self.start_parts(connection, sequence, asker, shares);
        (Running::Transaction(Box::new(Shares { parts, merging, following: Vec::new() })), errands)
    }

    /// A transaction that several shards have a share in, and the first errands.
    pub(super) fn start_parts(
        &self,
        connection: &Connection,
        sequence: u32,
        asker: PartsAsker,
        shares: Vec<Share>,
    ) -> (Parts, Vec<(ShardId, Errand)>) {
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        Parts::start(self.transaction_id(ticket), self.server.me as ShardId, asker, shares)
    }

    /// A command that one shard could have answered goes on as one that reads several shards whole, at one moment: it
    /// runs `parts` of itself there.
    pub(crate) fn read_whole_shards(
        &mut self,
        connection: &mut Connection,
        merging: Merging,
        parts: Vec<(ShardId, OwnedArgs)>,
    ) {
        let protocol = connection.protocol();
        let Some(under) = connection.running.as_deref() else { return };
        let (sequence, command) = (under.sequence, under.account.command);
        let shares = parts.into_iter().zip(0..).map(|((shard, words), number)| {
            let part = Part { number, command, words, protocol };
            Share { shard, wants: Wants::whole(Access::Read), watched: Vec::new(), parts: vec![part] }
        });
        let shares = shares.collect();
        let asker = connection.parts_asker(Mode::Read);
        let (running, errands) = self.start_transaction(connection, sequence, asker, merging, shares);
        if let Some(under) = connection.running.as_deref_mut() {
            under.running = running;
        }
        self.send_errands(connection, errands);
    }

    /// The name and age of a transaction that begins now for this command.
    pub(crate) fn transaction_id(&self, ticket: Ticket) -> TransactionId {
        let Ticket { connection, sequence, .. } = ticket;
        TransactionId { began_ns: self.time.now_ns, home: self.server.me as u16, connection, sequence }
    }

    /// For whom a command is that brings keys of several shards together.
    pub(crate) fn gather_asker(&self, connection: &Connection) -> GatherAsker {
        let Asker { db, protocol, touch } = connection.asker();
        GatherAsker { context: self.owner.context(db), protocol, touch, me: self.server.me as ShardId }
    }

    pub(crate) fn gather(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        let Run::Gather(steps) = command.run else { return self.on_own_shard(connection, command, args) };
        let context = self.owner.context(connection.client.db);
        let owners = match Gathering::owners(&steps, args, context, &self.server.shared.slots) {
            Ok(owners) => owners,
            Err(error) => {
                if self.is_out_of_memory_for(command) {
                    return self.refuse_for_memory(connection, command);
                }
                return self.fail(connection, command, args, &error);
            }
        };
        let first = owners.first().copied().unwrap_or(self.server.me as ShardId);
        if owners.iter().all(|owner| *owner == first) {
            return self.on_shard(connection, command, args, first);
        }
        if !connection.replies.is_settled() {
            return self.home.hold(connection, Hold::UntilSettled);
        }
        if self.is_out_of_memory_for(command) {
            return self.refuse_for_memory(connection, command);
        }
        if let Some(peer) = self.mesh.congested_of(owners.iter().map(|owner| usize::from(*owner))) {
            return self.hold_for_peer(connection, peer);
        }
        let sequence = connection.replies.next_sequence();
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        let (id, asker) = (self.transaction_id(ticket), self.gather_asker(connection));
        let started = Gathering::start(command, steps, args, asker, (id, None), &self.server.shared.slots);
        let (gathering, step) = match started {
            Ok(started) => started,
            Err(error) => return self.fail(connection, command, args, &error),
        };
        self.note_start(connection, command, args);
        let is_sent = take_reply_mode(&mut connection.client);
        connection.replies.reserve(is_sent);
        let running = Running::Gathering(Box::new(gathering));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.take_step(connection, step);
        Flow::Next
    }

    pub(crate) fn on_all_shards(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
    ) -> Flow {
        let nodes = self.mesh.nodes();
        if let Some(peer) = self.mesh.congested_of(0..nodes) {
            return self.hold_for_peer(connection, peer);
        }
        let access = if command.is_write() { Access::Write } else { Access::Read };
        let shares = (0..nodes as ShardId).map(|shard| {
            let words = OwnedArgs::from_words(args.iter());
            let part =
                Part { number: u32::from(shard), command, words, protocol: connection.client.protocol };
            Share { shard, wants: Wants::whole(access), watched: Vec::new(), parts: vec![part] }
        });
        let shares = shares.collect();
        let assembly = Assembly::new(merge, nodes, Vec::new());
        let asker = connection.parts_asker(Mode::of(command));
        self.begin_transaction(connection, command, args, asker, Merging::Assembly(assembly), shares)
    }

    /// SCAN: from the shard that the cursor names on, with the position that it names there.
    pub(crate) fn by_cursor(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        cursor_index: usize,
        count: CountOption,
    ) -> Flow {
        self.note_start(connection, command, args);
        let words = OwnedArgs::from_words(args.iter());
        let walk =
            Walk::new(words, cursor_index, count, connection.protocol(), self.server.shared.slots.shards());
        let (part, shard) = (walk.part(), walk.shard());
        self.run_one_part(connection, command, args, part.as_args(), shard, Running::Cursor(Box::new(walk)))
    }

    pub(crate) fn on_any_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        // Any of them may be asked.
        if let Some(peer) = self.mesh.congested_of(0..self.mesh.nodes()) {
            return self.hold_for_peer(connection, peer);
        }
        self.note_start(connection, command, args);
        let order = self.shards_by_chance(connection.client.db);
        let first = order.first().copied().unwrap_or(self.server.me as ShardId);
        self.run_one_part(connection, command, args, args, first, Running::Any { order })
    }

    /// All shards, first the one to ask first: drawn with a chance by its number of keys.
    pub(crate) fn shards_by_chance(&mut self, db: u16) -> Vec<ShardId> {
        let keys: Vec<u64> = self.server.shared.keys_by_shard(db).collect();
        let mut drawn = self.owner.random.u64(..keys.iter().sum::<u64>().max(1));
        let first = keys
            .iter()
            .position(|keys| {
                let here = drawn < *keys;
                drawn = drawn.saturating_sub(*keys);
                here
            })
            .unwrap_or(0);
        let others = (0..keys.len()).filter(|shard| *shard != first);
        [first].into_iter().chain(others).map(|shard| shard as ShardId).collect()
    }

    /// Runs `part`, made of a command's `args`, on one shard, whose reply then goes through [`Core::step`].
    fn run_one_part(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        part: Args<'_>,
        shard: ShardId,
        running: Running,
    ) -> Flow {
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.send_part(connection, part, shard, 0);
        Flow::Next
    }
}
