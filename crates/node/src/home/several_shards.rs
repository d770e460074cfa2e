//! Commands that take parts or steps on several shards, as they set out. [`super::steps`] has how they go on.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::{Connection, Running};
use crate::home::dispatch::take_reply_mode;
use crate::home::holds::{Flow, Hold};
use crate::task::{Asker, Task};
use tessera_command::spec::CountOption;
use tessera_command::{Command, Merge, Run};
use tessera_resp::Args;
use tessera_resp::args::OwnedArgs;
use tessera_routing::cursor::Walk;
use tessera_routing::{Assembly, Gathering, ShardId, Ticket, split};

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
        if let Some(flow) = self.admit_to_own_shard(connection, command, args) {
            return flow;
        }
        let split = split::split(args, first, step, &self.server.shared.slots);
        if let Some(peer) = self.mesh.congested_of(split.parts.iter().map(|part| usize::from(part.shard))) {
            return self.hold_for_peer(connection, peer);
        }
        self.note_start(connection, command, args);
        let parts = split.parts.iter().map(|part| (usize::from(part.shard), part.words.as_args()));
        self.run_parts(
            connection,
            command,
            args,
            Assembly::new(merge, split.parts.len(), split.order.clone()),
            parts,
        )
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
        let (protocol, touch) = (connection.client.protocol, !connection.client.no_touch);
        let started = Gathering::start(
            command,
            steps,
            args,
            context,
            protocol,
            touch,
            ticket,
            &self.server.shared.slots,
        );
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
        self.note_start(connection, command, args);
        if command.is_write() && nodes > 1 {
            return self.change_all_shards(connection, command, args, merge);
        }
        let parts = (0..nodes).map(|node| (node, args));
        self.run_parts(connection, command, args, Assembly::new(merge, nodes, Vec::new()), parts)
    }

    /// A command that changes all shards holds them meanwhile: it comes between no steps of others over several shards.
    fn change_all_shards(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
    ) -> Flow {
        let context = self.owner.context(connection.client.db);
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        let (protocol, slots) = (connection.client.protocol, &self.server.shared.slots);
        let (gathering, step) =
            Gathering::start_on_all_shards(command, merge, args, context, protocol, ticket, slots);
        let running = Running::Gathering(Box::new(gathering));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.take_step(connection, step);
        Flow::Next
    }

    /// Sends every part to its shard, runs this shard's own, and merges if that was all.
    fn run_parts<'a>(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        mut assembly: Assembly,
        parts: impl Iterator<Item = (usize, Args<'a>)>,
    ) -> Flow {
        let began_ns = self.time.now_ns;
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let asker = connection.asker();
        let mut is_whole = false;
        for (number, (shard, words)) in parts.enumerate() {
            let part = number as u32;
            if shard == self.server.me {
                let mut out = Vec::new();
                let _ = self.run_task(&Task { command, asker, is_whole: false }, words, &mut out);
                is_whole = assembly.take(part, &out);
            } else {
                let ticket = Ticket { connection: connection.id.pack(), sequence, part };
                self.server.counters.forwarded += 1;
                let Asker { db, protocol, touch } = asker;
                self.mesh.outgoing(shard).push_part(ticket, command, words, db, protocol, touch);
            }
        }
        let running = Running::Parts(assembly);
        connection.begin(sequence, command, args, began_ns, running);
        if is_whole {
            self.finish_parts(connection);
        }
        Flow::Next
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
        let mut left = self.shards_by_chance(connection.client.db);
        let first = left.pop().unwrap_or(self.server.me as ShardId);
        self.run_one_part(connection, command, args, args, first, Running::Any { left })
    }

    /// All shards, the one to ask first at the end: drawn with a chance by its number of keys.
    fn shards_by_chance(&mut self, db: u16) -> Vec<ShardId> {
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
        others.chain([first]).map(|shard| shard as ShardId).collect()
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
