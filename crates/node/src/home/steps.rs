//! What comes back of commands that were sent to owners: replies, answers, parts; and the next step of commands that
//! take several.

use crate::accounts::{Account, error_text};
use crate::clock::Clock;
use crate::core::Core;
use crate::home::OwnNote;
use crate::home::connection::{Connection, Following, Running, UnderWay};
use crate::home::holds::Hold;
use crate::housekeeping::over_hard_limit;
use crate::network::ConnectionId;
use crate::notes::everywhere::{EverywhereCall, EverywhereNote};
use crate::sessions::NodeHost;
use crate::task::{Asker, Task};
use tessera_command::host::NodePart;
use tessera_command::{Flags, Run};
use tessera_resp::{Args, Reply};
use tessera_routing::cursor::Onward;
use tessera_routing::merge::is_null;
use tessera_routing::message::Slow;
use tessera_routing::{Answer, Assembly, Errand, Merging, ShardId, Step, Ticket};

/// The room for lines of this node's own clients that is kept for the next ones, in bytes.
const KEEP_LINES_MAX_LEN_BYTES: usize = 64 * 1024;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    #[inline]
    pub(crate) fn take_reply(&mut self, ticket: Ticket, reply: &[u8]) {
        let id = ConnectionId::unpack(ticket.connection);
        let Some(place) = self.home.connections.get_mut(id.index as usize) else { return };
        let Some(connection) = place.as_deref_mut().filter(|connection| connection.id == id) else { return };
        if connection.running.is_some() {
            return self
                .with_connection(ticket, |core, connection| core.step(connection, ticket.part, reply));
        }
        if connection.direct == Some(ticket.sequence) {
            // The owner was to write it and did not: the socket comes back with it.
            return self.take_socket_back(ticket, reply.to_vec());
        }
        let buffers = &mut self.server.buffers;
        connection.replies.provide_buffer(|| buffers.take());
        connection.replies.arrive(ticket.sequence, reply);
        // Also what waits behind a reply that is still missing counts. As room for more is made by taking replies in,
        // the end of the turn would be too late to look.
        let output_bytes = connection.output_bytes();
        if !connection.gone && over_hard_limit(&self.server.config, output_bytes) {
            return self.close_for_output(id);
        }
        if connection.hold == Some(Hold::UntilSettled) && connection.replies.is_settled() {
            self.home.holds.runnable.push_back(id);
        }
        if !connection.streams.is_empty() {
            return self.pump_by_id(id);
        }
        // Of a reply that is switched off nothing is to be sent, but the connection may have waited for it to close.
        let is_ready = connection.replies.ready_len_bytes() > 0 || connection.close_after_reply;
        if !connection.is_listed && is_ready {
            connection.is_listed = true;
            self.home.listed.push(id);
        }
    }

    pub(crate) fn take_answer(&mut self, ticket: Ticket, answer: Answer) {
        self.with_connection(ticket, |core, connection| {
            if let Some(gathering) = connection.gathering() {
                let slots = &core.server.shared.slots;
                let step = core.owner.go_on_with(gathering, ticket.part, answer, slots);
                core.take_step(connection, step);
            } else if let Some(Running::Watching { .. }) = connection.awaited() {
                core.take_watched(connection, ticket.part as usize, answer.stamps);
            } else if connection.execution().is_some() && answer.progress.is_none() {
                core.take_exec_answer(connection, answer);
            } else {
                core.take_parts(connection, ticket.part as ShardId, answer);
            }
        });
    }

    /// The same of this node's own shard, and whoever says so is in the middle of something.
    pub(crate) fn wound_later(&mut self, ticket: Ticket) {
        self.home.own_notes.push_back(OwnNote::Wound(ticket));
    }

    /// What a shard holds for a transaction of this node's client, an older one wants.
    pub(crate) fn take_wound(&mut self, ticket: Ticket) {
        let shard = ticket.part as ShardId;
        self.with_connection(ticket, |core, connection| {
            if let Some(gathering) = connection.gathering() {
                let step = gathering.yield_at(shard);
                core.take_step(connection, step);
            } else if let Some(parts) = connection.parts() {
                let errands = parts.yield_at(shard);
                core.send_errands(connection, errands);
            }
        });
    }

    /// Takes in what a shard answered to its share of a transaction.
    fn take_parts(&mut self, connection: &mut Connection, shard: ShardId, answer: Answer) {
        let Some(parts) = connection.parts() else { return };
        let (errands, is_done) = parts.answer(shard, answer);
        self.send_errands(connection, errands);
        match is_done {
            true if connection.execution().is_some() => self.have_keys_of_exec(connection),
            true => self.finish_transaction(connection),
            false => {}
        }
    }

    /// Sends errands of a transaction to their shards, and takes in at once what this node's own answers.
    pub(crate) fn send_errands(&mut self, connection: &mut Connection, errands: Vec<(ShardId, Errand)>) {
        for (shard, errand) in errands {
            if let Some((_, answer)) = self.send_errand(shard, errand) {
                self.take_parts(connection, shard, answer);
            }
        }
    }

    /// All shares of a transaction have been answered.
    fn finish_transaction(&mut self, connection: &mut Connection) {
        let protocol = connection.protocol();
        if let Some(Running::Transaction(transaction)) = connection.awaited()
            && over_hard_limit(&self.server.config, transaction.parts.held_bytes())
        {
            // Shards have left out what is beyond the limit: nothing of it is to be sent.
            self.home.to_close.push(connection.id);
            self.stop_sending(connection);
        }
        if let Some(Running::Transaction(transaction)) = connection.awaited() {
            let (out, following) = transaction.reply(protocol);
            if following.is_empty() {
                return self.finish(connection, &out);
            }
            self.finish_row(connection, &out, following);
        }
    }

    pub(crate) fn take_slow(&mut self, slow: &Slow) {
        if let Some(connection) = self.take(ConnectionId::unpack(slow.connection)) {
            let unix_us = self.time.unix_us;
            self.server.note_slow(
                &connection.sender(),
                slow.command,
                slow.words.as_args(),
                unix_us,
                slow.duration_ns,
            );
            self.put(connection);
        }
    }

    /// Works on the connection of a ticket, if the ticket is for what it runs.
    pub(crate) fn with_connection(&mut self, ticket: Ticket, work: impl FnOnce(&mut Self, &mut Connection)) {
        let Some(mut connection) = self.take(ConnectionId::unpack(ticket.connection)) else { return };
        if connection.running.as_ref().is_some_and(|under| under.sequence == ticket.sequence) {
            work(self, &mut connection);
            self.go_on_with_exec(&mut connection);
            if connection.hold.is_none() {
                self.home.holds.runnable.push_back(connection.id);
            }
        }
        if connection.gone && connection.running.is_none() {
            return self.close(connection);
        }
        self.put(connection);
    }

    /// A part's reply has come for what the connection runs.
    pub(crate) fn step(&mut self, connection: &mut Connection, part: u32, reply: &[u8]) {
        match connection.awaited() {
            Some(Running::Parts(assembly)) => {
                if assembly.take(part, reply) {
                    self.finish_parts(connection);
                }
            }
            Some(Running::Cursor(walk)) => match walk.take(reply) {
                Onward::Done(reply) => self.finish(connection, &reply),
                Onward::Ask(_) => {
                    // What is found on several shards is what was there at one moment.
                    let parts = walk.restart();
                    let merging = Merging::Walk(walk.clone());
                    self.read_whole_shards(connection, merging, parts);
                }
            },
            Some(Running::Any { order }) if is_null(reply) && order.len() > 1 => {
                let order = std::mem::take(order);
                self.ask_all_shards(connection, order);
            }
            Some(Running::Any { .. }) => self.finish(connection, reply),
            Some(
                Running::Transaction(_)
                | Running::Gathering(_)
                | Running::Blocked(_)
                | Running::Trying(_)
                | Running::Exec(_)
                | Running::Watching { .. },
            )
            | None => {}
        }
    }

    /// The shard that was asked for anything has nothing. That there is nothing at all is said only if all shards have
    /// nothing at one moment; otherwise it is the first's that has something, in this order.
    fn ask_all_shards(&mut self, connection: &mut Connection, order: Vec<ShardId>) {
        let words = connection.running.as_ref().map(|under| under.account.words.clone()).unwrap_or_default();
        let assembly = Assembly::of_first_present(order.len());
        let parts = order.into_iter().map(|shard| (shard, words.clone())).collect();
        self.read_whole_shards(connection, Merging::Assembly(assembly), parts);
    }

    /// All parts of what the connection runs have been answered.
    pub(crate) fn finish_parts(&mut self, connection: &mut Connection) {
        let protocol = connection.protocol();
        if let Some(Running::Parts(assembly)) = connection.awaited() {
            let mut out = Vec::new();
            assembly.finish(&mut out, protocol);
            self.finish(connection, &out);
        }
    }

    /// The command that took several steps is answered.
    pub(crate) fn finish(&mut self, connection: &mut Connection, reply: &[u8]) {
        if self.end_step_of_exec(connection, reply) {
            return;
        }
        let Some(under) = connection.running.take() else { return };
        connection.hold = None;
        connection.replies.provide_buffer(|| self.server.buffers.take());
        let UnderWay { sequence, account, .. } = *under;
        if account.command.flags.has(Flags::REMOVES_ALL) && self.must_save_removal(connection, reply) {
            return self.await_save_of_removal(connection, sequence, account, reply.to_vec());
        }
        connection.replies.arrive(sequence, reply);
        self.close_account(&account, Some(connection), reply);
    }

    /// Commands that went together are answered. Each counts as having taken its part of the time.
    fn finish_row(
        &mut self,
        connection: &mut Connection,
        reply: &[u8],
        following: Vec<(Following, Vec<u8>)>,
    ) {
        let Some(under) = connection.running.take() else { return };
        connection.hold = None;
        connection.replies.provide_buffer(|| self.server.buffers.take());
        let UnderWay { sequence, account, .. } = *under;
        self.time.read();
        let duration_ns = account.duration_ns(self.time.now_ns) / (following.len() as u64 + 1);
        connection.replies.arrive(sequence, reply);
        self.close_account_after(&account, Some(connection), reply, duration_ns);
        for (Following { sequence, account, .. }, reply) in following {
            connection.replies.arrive(sequence, &reply);
            self.close_account_after(&account, Some(connection), &reply, duration_ns);
        }
    }

    /// Writes down what there is to write down of a command that has been answered. Its connection may be gone.
    pub(crate) fn close_account(&mut self, account: &Account, asker: Option<&Connection>, reply: &[u8]) {
        self.time.read();
        self.close_account_after(account, asker, reply, account.duration_ns(self.time.now_ns));
    }

    fn close_account_after(
        &mut self,
        account: &Account,
        asker: Option<&Connection>,
        reply: &[u8],
        duration_ns: u64,
    ) {
        self.server.note_end(account.command, duration_ns, error_text(reply));
        if let Some(connection) = asker {
            self.note_duration(connection, account.command, account.words.as_args(), duration_ns);
        }
    }

    /// Runs a part of what the connection runs on one shard; its reply goes to [`Core::step`].
    pub(crate) fn send_part(
        &mut self,
        connection: &mut Connection,
        args: Args<'_>,
        shard: ShardId,
        part: u32,
    ) {
        let Some((sequence, command)) =
            connection.running.as_ref().map(|under| (under.sequence, under.account.command))
        else {
            return;
        };
        let asker = connection.asker();
        if usize::from(shard) == self.server.me {
            let mut out = Vec::new();
            let task = Task { command, asker, is_whole: false };
            let _ = self.run_task(&task, args, &mut out);
            self.step(connection, part, &out);
        } else {
            self.server.counters.forwarded += 1;
            let ticket = Ticket { connection: connection.id.pack(), sequence, part };
            let Asker { db, protocol, touch } = asker;
            self.mesh.outgoing(usize::from(shard)).push_part(ticket, command, args, db, protocol, touch);
        }
    }

    /// Does what a gathering command wants next.
    pub(crate) fn take_step(&mut self, connection: &mut Connection, step: Step) {
        let mut steps = vec![step];
        while let Some(mut step) = steps.pop() {
            let (Step::Send(errands) | Step::Done(_, errands) | Step::Absent(errands)) = &mut step;
            for (shard, errand) in std::mem::take(errands) {
                if let Some((part, answer)) = self.send_errand(shard, errand)
                    && let Some(gathering) = connection.gathering()
                {
                    steps.push(self.owner.go_on_with(gathering, part, answer, &self.server.shared.slots));
                }
            }
            match step {
                Step::Send(_) => {}
                Step::Done(reply, _) if connection.is_moving() => self.end_move(connection, &reply),
                Step::Done(reply, _) => self.finish(connection, &reply),
                Step::Absent(_) if connection.execution().is_some() => self.end_vain_move(connection),
                Step::Absent(_) => self.wait_again(connection),
            }
        }
    }

    /// Sends an errand to its shard; of this node's own shard it returns the answer, if there is one already.
    pub(crate) fn send_errand(&mut self, shard: ShardId, errand: Errand) -> Option<(u32, Answer)> {
        if usize::from(shard) == self.server.me {
            let part = errand.ticket.part;
            return self.take_errand(self.server.me, errand).map(|answer| (part, answer));
        }
        self.mesh.outgoing(usize::from(shard)).errands.push(errand);
        None
    }

    /// Does this node's part of the commands for all nodes that its own clients sent, and shows its own monitors what
    /// they did.
    pub(crate) fn run_own_notes(&mut self) {
        if !self.home.own_lines.is_empty() {
            let mut lines = std::mem::take(&mut self.home.own_lines);
            self.show_monitors(&lines, false);
            lines.clear();
            lines.shrink_to(KEEP_LINES_MAX_LEN_BYTES);
            self.home.own_lines = lines;
        }
        while let Some(note) = self.home.own_notes.pop_front() {
            match note {
                OwnNote::Everywhere(call) => self.run_everywhere(self.server.me, &call),
                OwnNote::Move(ticket) => self.take_move(ticket),
                OwnNote::Wound(ticket) => self.take_wound(ticket),
            }
        }
    }

    /// Does this node's part of a command for all nodes, and answers it: at once, or when what came before is done.
    pub(crate) fn run_everywhere(&mut self, home: usize, call: &EverywhereCall) {
        let EverywhereCall { command, caller_id, protocol, ticket, settles, .. } = *call;
        let args = call.words.as_args();
        let Run::Everywhere(run) = command.run else { return };
        self.time.read();
        let mut out = Vec::new();
        let mut host = NodeHost::for_all_nodes(self);
        let result =
            run(args, &mut NodePart { caller_id, host: &mut host }, &mut Reply::new(&mut out, protocol));
        let begins_pause = host.begins_pause();
        let closed = host.into_closed();
        if let Err(error) = result {
            out.clear();
            Reply::new(&mut out, protocol).error(error.text(command.full_name));
        }
        for id in closed {
            self.close_client(id, caller_id);
        }
        self.server.counters.commands_ns += self.time.read();
        if settles && begins_pause {
            return self.settle_before_answer(home, ticket, out);
        }
        self.answer_everywhere(home, ticket, out);
    }

    /// Answers a part of a command for all nodes.
    pub(crate) fn answer_everywhere(&mut self, home: usize, ticket: Ticket, reply: Vec<u8>) {
        if home == self.server.me {
            self.with_connection(ticket, |core, connection| core.step(connection, ticket.part, &reply));
        } else {
            self.mesh.note(home, EverywhereNote::Part(ticket, reply));
        }
    }

    /// CLIENT KILL: at once, or after the reply if it is the caller.
    pub(crate) fn close_client(&mut self, client_id: u64, caller_id: u64) {
        let found =
            self.home.connections.iter().flatten().find(|connection| connection.client.id == client_id);
        let Some(mut connection) = found.map(|connection| connection.id).and_then(|id| self.take(id)) else {
            return;
        };
        if client_id == caller_id {
            connection.close_after_reply = true;
            self.put(connection);
        } else {
            self.close(connection);
        }
    }

    /// Shows the monitors of this node some lines. Those that leave too much unread are closed, and all of them if
    /// lines are lost, since nobody could tell where.
    #[cold]
    pub(crate) fn show_monitors(&mut self, lines: &[u8], has_lost_lines: bool) {
        for id in self.home.monitors.clone() {
            let Some(mut connection) = self.take(id) else { continue };
            // The lines go behind a direct reply: whoever writes that must say when it is done.
            self.reclaim_socket(&mut connection);
            connection.replies.push(lines);
            let is_behind = self.is_monitor_behind(connection.output_bytes());
            self.put(connection);
            if is_behind || has_lost_lines {
                self.close_for_output(id);
            }
        }
    }
}
