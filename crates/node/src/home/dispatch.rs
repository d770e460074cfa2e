//! A command at its home: where it runs.

use crate::accounts::Account;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::OwnNote;
use crate::home::connection::{Connection, Running, pack};
use crate::home::feed::Flow;
use crate::home::holds::Hold;
use crate::notes::everywhere::{EverywhereCall, EverywhereNote};
use crate::owner::run::Outcome;
use crate::sessions::NodeHost;
use crate::snapshot::Awaited;
use crate::task::{Asker, Task};
use tessera_command::client::ReplyMode;
use tessera_command::host::{Action, Home, monitor_line};
use tessera_command::registry::Unknown;
use tessera_command::spec::CountOption;
use tessera_command::{Client, Command, Error, Flags, Merge, Run, Spread};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::cursor::Walk;
use tessera_routing::{Assembly, Gathering, ShardId, Ticket, split};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a command, or sends it on its way, or holds the connection.
    #[inline]
    pub(crate) fn dispatch(
        &mut self,
        connection: &mut Connection,
        resolved: Result<&'static Command, Unknown>,
        args: Args<'_>,
    ) -> Flow {
        let command = match self.admit(connection, resolved, args) {
            Ok(command) => command,
            Err(flow) => return flow,
        };
        match command.spread {
            Spread::Nowhere => self.at_home(connection, command, args),
            Spread::Blocking => self.block(connection, command, args),
            _ if self.mesh.nodes() == 1
                && !matches!(command.run, Run::Everywhere(_))
                && !command.flags.has(Flags::REMOVES_ALL) =>
            {
                self.on_own_shard(connection, command, args)
            }
            Spread::OneShard => {
                let owner = self.owner_of_first_key(command, args);
                self.on_shard(connection, command, args, owner)
            }
            Spread::ByKey(merge) => self.by_key(connection, command, args, merge),
            Spread::Gather => self.gather(connection, command, args),
            // What runs on several shards must not overtake, nor be overtaken by, what runs on one of them.
            _ if !connection.replies.is_settled() => self.home.hold(connection, Hold::UntilSettled),
            Spread::AllShards(merge) => self.on_all_shards(connection, command, args, merge),
            Spread::AllNodes(merge) => self.on_all_nodes(connection, command, args, merge),
            Spread::Cursor { cursor, count } => self.by_cursor(connection, command, args, cursor, count),
            Spread::AnyShard => self.on_any_shard(connection, command, args),
        }
    }

    #[inline]
    fn owner_of_first_key(&self, command: &Command, args: Args<'_>) -> ShardId {
        match command.first_key().and_then(|index| args.get(index)) {
            Some(key) => self.server.shared.slots.owner_of(key),
            None => self.server.me as ShardId,
        }
    }

    /// Notes that a command begins: what CLIENT LIST and MONITOR tell of it.
    #[inline]
    pub(crate) fn note_start(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) {
        connection.client.last_command = command.shown_name;
        // Session commands are shown when they are done, as Redis does it: SELECT with the new database.
        if self.server.shared.monitors() > 0 && !matches!(command.run, Run::Session(_)) {
            self.feed_monitors(connection, command, args);
        }
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
        if self.server.is_slow(command, duration_ns) {
            let unix_us = self.time.unix_us;
            self.server.note_slow(&connection.sender(), command, args, unix_us, duration_ns);
        }
    }

    #[cold]
    fn feed_monitors(&mut self, connection: &Connection, command: &Command, args: Args<'_>) {
        if command.flags.has(Flags::SKIP_MONITOR) || command.flags.has(Flags::ADMIN) {
            return;
        }
        let peer = if connection.endpoints.unix {
            format!("unix:{}", connection.endpoints.local.trim_end_matches(":0"))
        } else {
            connection.endpoints.peer.clone()
        };
        let hidden = command.spec.secrets.positions(args);
        let line = monitor_line(self.time.unix_us, connection.client.db, &peer, args, &hidden);
        for node in self.server.shared.nodes_with_monitors() {
            if node == self.server.me {
                self.home.own_lines.extend_from_slice(&line);
            } else {
                self.mesh.line(node, &line);
            }
        }
    }

    /// On this node's shard, at once.
    #[inline]
    fn on_own_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        if let Some(flow) = self.admit_to_own_shard(connection, command, args) {
            return flow;
        }
        self.note_start(connection, command, args);
        self.server.counters.commands += 1;
        let wanted = take_wanted(&mut connection.client);
        connection.replies.lend(|| self.server.buffers.take());
        let task = Task { command, asker: connection.asker(), is_whole: true };
        let mut outcome = Outcome::REFUSED;
        connection.replies.write_now(|out| {
            outcome = self.run_task_unserved(&task, args, out);
            wanted
        });
        if let Some(stream) = outcome.stream {
            if wanted {
                // Its beginning has been written.
                let sequence = connection.replies.owe(true);
                let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
                self.note_reader(stream, self.server.me, ticket);
                self.begin_streamed(connection, sequence, self.server.me, stream, Vec::new());
            } else {
                self.owner.close_stream(stream);
            }
        }
        self.note_duration(connection, command, args, outcome.duration_ns);
        self.serve_waiters();
        Flow::Next
    }

    /// On the shard of its keys.
    #[inline]
    fn on_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        owner: ShardId,
    ) -> Flow {
        let owner = usize::from(owner);
        if owner == self.server.me {
            return self.on_own_shard(connection, command, args);
        }
        if self.mesh.is_congested(owner) {
            return self.hold_for_peer(connection, owner);
        }
        if connection.replies.is_full() {
            return self.home.hold(connection, Hold::UntilSettled);
        }
        self.note_start(connection, command, args);
        self.server.counters.commands += 1;
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
        let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
        let call = self.send_call(owner, ticket, connection, command, args);
        connection.last_call = wanted.then_some((owner, call));
        Flow::Next
    }

    fn send_call(
        &mut self,
        owner: usize,
        ticket: Ticket,
        connection: &Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> usize {
        self.server.counters.forwarded += 1;
        let client = &connection.client;
        self.mesh.outgoing(owner).push_call(
            ticket,
            command,
            args,
            client.db,
            client.protocol,
            !client.no_touch,
        )
    }

    /// A command about the connection or the server.
    fn at_home(&mut self, connection: &mut Connection, command: &'static Command, args: Args<'_>) -> Flow {
        let Run::Session(run) = command.run else {
            // A container without a subcommand does not pass the check of the number of words.
            return self.refuse(connection, &Error::Arity.text(command.full_name));
        };
        self.note_start(connection, command, args);
        connection.replies.lend(|| self.server.buffers.take());
        let began_ns = self.time.now_ns;
        let (input_bytes, output_bytes, allocated_bytes) =
            (connection.input_bytes(), connection.counted_output_bytes(), connection.allocated_bytes());
        let Connection { client, replies, endpoints, .. } = connection;
        let (mut failed, mut wanted) = (None, true);
        let mut host = NodeHost::new(self, endpoints, args, [input_bytes, output_bytes, allocated_bytes]);
        replies.write_now(|out| {
            let start = out.len();
            let protocol = client.protocol;
            let mut reply = Reply::new(out, protocol);
            if let Err(error) = run(args, &mut Home { client, host: &mut host }, &mut reply) {
                reply.truncate(start);
                let text = error.text(command.full_name);
                reply.error(&text);
                failed = Some(text.into_owned());
            }
            // The command itself may have changed the mode: CLIENT REPLY ON is answered.
            wanted = take_wanted(client);
            wanted
        });
        let (actions, close_caller) = host.finish();
        let duration_ns = self.time.read();
        self.server.counters.commands_ns += duration_ns;
        // The account of what is answered later is closed then.
        if !actions.iter().any(Action::is_answered_later) {
            self.server.note_end(command, duration_ns, failed.as_deref());
            self.note_duration(connection, command, args, duration_ns);
        }
        if self.server.shared.monitors() > 0 {
            self.feed_monitors(connection, command, args);
        }
        connection.close_after_reply |= close_caller;
        for action in actions {
            if action.is_answered_later() {
                let account = Account::open(command, args, began_ns);
                self.answer_later(connection, action, wanted, account);
            } else {
                self.act(connection, action);
            }
        }
        Flow::Next
    }

    /// Does what is done behind the reply of a command.
    fn act(&mut self, connection: &mut Connection, action: Action) {
        match action {
            Action::CloseAfterReply => connection.close_after_reply = true,
            Action::Monitor => {
                if !self.home.monitors.contains(&connection.id) {
                    self.home.monitors.push(connection.id);
                    self.server.shared.note_monitor(self.server.me, true);
                }
            }
            Action::EndMonitor => {
                if self.home.monitors.contains(&connection.id) {
                    self.home.monitors.retain(|id| *id != connection.id);
                    self.server.shared.note_monitor(self.server.me, false);
                }
            }
            // The lines for a monitor would come in the middle of it. Redis answers nothing then.
            Action::SendSnapshot if connection.client.monitor => {}
            Action::SendSnapshot => self.await_transfer(connection),
            Action::AwaitSnapshot | Action::AwaitEnd | Action::Reload(_) => {}
        }
    }

    /// Has a command answered when that is done which it is about. `wanted`: the client wants its reply.
    fn answer_later(&mut self, connection: &mut Connection, action: Action, wanted: bool, account: Account) {
        match action {
            Action::AwaitSnapshot => self.await_snapshot(connection, wanted, Awaited::Save, account),
            Action::AwaitEnd => self.await_snapshot(connection, wanted, Awaited::End, account),
            Action::Reload(reload) => self.await_reload(connection, wanted, reload, account),
            _ => {}
        }
    }

    /// A command whose words say that it fails, wherever it would run.
    #[cold]
    pub(crate) fn fail(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        error: &Error,
    ) -> Flow {
        self.note_start(connection, command, args);
        let text = error.text(command.full_name);
        let duration_ns = self.time.read();
        self.server.counters.commands_ns += duration_ns;
        self.server.note_end(command, duration_ns, Some(&text));
        self.note_duration(connection, command, args, duration_ns);
        self.answer_error(connection, &text)
    }

    /// Split by the owners of its keys.
    fn by_key(
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

    fn on_all_shards(
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
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
        let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
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
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
        let asker = connection.asker();
        let mut is_whole = false;
        for (number, (shard, words)) in parts.enumerate() {
            let part = number as u32;
            if shard == self.server.me {
                let mut out = Vec::new();
                let _ = self.run_task(&Task { command, asker, is_whole: false }, words, &mut out);
                is_whole = assembly.take(part, &out);
            } else {
                let ticket = Ticket { connection: pack(connection.id), sequence, part };
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

    fn on_all_nodes(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        merge: Merge,
    ) -> Flow {
        if let Some(peer) = self.mesh.congested_of(0..self.mesh.nodes()) {
            return self.hold_for_peer(connection, peer);
        }
        if let Err(error) = (command.check)(args) {
            return self.fail(connection, command, args, &error);
        }
        self.note_start(connection, command, args);
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
        let nodes = self.mesh.nodes();
        for node in 0..nodes {
            let call = EverywhereCall {
                ticket: Ticket { connection: pack(connection.id), sequence, part: node as u32 },
                caller_id: connection.client.id,
                protocol: connection.client.protocol,
                command,
                words: OwnedArgs::from_words(args.iter()),
            };
            if node == self.server.me {
                self.home.own_notes.push_back(OwnNote::Everywhere(call));
            } else {
                self.mesh.note(node, EverywhereNote::Run(call));
            }
        }
        let running = Running::Parts(Assembly::new(merge, nodes, Vec::new()));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        Flow::Next
    }

    /// SCAN: from the shard that the cursor names on, with the position that it names there.
    fn by_cursor(
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

    fn on_any_shard(
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
        let wanted = take_wanted(&mut connection.client);
        let sequence = connection.replies.owe(wanted);
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.send_part(connection, part, shard, 0);
        Flow::Next
    }

    fn gather(&mut self, connection: &mut Connection, command: &'static Command, args: Args<'_>) -> Flow {
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
        let ticket = Ticket { connection: pack(connection.id), sequence, part: 0 };
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
        let wanted = take_wanted(&mut connection.client);
        connection.replies.owe(wanted);
        let running = Running::Gathering(Box::new(gathering));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        self.take_step(connection, step);
        Flow::Next
    }
}

/// Whether the reply of the command at hand is wanted; moves CLIENT REPLY SKIP on.
#[inline]
pub(crate) fn take_wanted(client: &mut Client) -> bool {
    match client.reply_mode {
        ReplyMode::On => true,
        ReplyMode::Off => false,
        ReplyMode::SkipNext => {
            // Only CLIENT REPLY SKIP itself leaves this behind, and it answers nothing anyway.
            client.reply_mode = ReplyMode::SkipThis;
            true
        }
        ReplyMode::SkipThis => {
            client.reply_mode = ReplyMode::On;
            false
        }
    }
}
