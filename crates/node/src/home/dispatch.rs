//! Where a command runs.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::{Flow, Hold};
use tessera_command::client::ReplyMode;
use tessera_command::{Client, Command, Error, Flags, Run, Spread};
use tessera_resp::Args;
use tessera_routing::{ShardId, Ticket};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a command, or sends it on its way, or holds the connection.
    #[inline]
    pub(crate) fn dispatch(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        match command.spread {
            Spread::Nowhere => match command.run {
                Run::Transaction(step) => self.transact(connection, command, args, step),
                _ => self.at_home(connection, command, args),
            },
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

    /// On the shard of its keys.
    #[inline]
    pub(crate) fn on_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        owner: ShardId,
    ) -> Flow {
        let owner = usize::from(owner);
        if self.server.config.ordered_pipelines && connection.is_behind_other(owner) {
            return self.home.hold(connection, Hold::UntilSettled);
        }
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
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
        let call = self.send_call(owner, ticket, connection, command, args);
        connection.last_owner = owner;
        connection.last_call = is_sent.then_some((owner, call));
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
}

/// Whether the reply of the command at hand is sent to the client; moves CLIENT REPLY SKIP on.
#[inline]
pub(crate) fn take_reply_mode(client: &mut Client) -> bool {
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
