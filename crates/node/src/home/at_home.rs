//! Commands about the connection or the server: they run at the client's home, or on all nodes.

use crate::accounts::Account;
use crate::clock::Clock;
use crate::core::Core;
use crate::home::OwnNote;
use crate::home::connection::{Connection, Running};
use crate::home::dispatch::take_reply_mode;
use crate::home::holds::Flow;
use crate::notes::everywhere::{EverywhereCall, EverywhereNote};
use crate::sessions::{Caller, NodeHost};
use crate::snapshot::Awaited;
use tessera_command::host::{Action, SessionContext};
use tessera_command::{Client, Command, Error, Merge, Run};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::{Assembly, Ticket};

/// What became of a command about the connection or the server.
#[derive(Default)]
pub(crate) struct SessionDone {
    /// The error's text, if it failed.
    pub(crate) failed: Option<Vec<u8>>,
    /// What is to be done behind its reply.
    pub(crate) actions: Vec<Action>,
    /// It has ended its own client.
    pub(crate) close_caller: bool,
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A command about the connection or the server.
    pub(crate) fn at_home(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        self.note_start(connection, command, args);
        connection.replies.provide_buffer(|| self.server.buffers.take());
        let began_ns = self.time.now_ns;
        let (input_bytes, output_bytes, allocated_bytes) =
            (connection.input_bytes(), connection.counted_output_bytes(), connection.allocated_bytes());
        let watch_failed = self.has_own_watch_failed(connection);
        let Connection { client, replies, endpoints, .. } = connection;
        let (mut done, mut is_sent) = (SessionDone::default(), true);
        let caller =
            Caller { endpoints, args, input_bytes, output_bytes, allocated_bytes, queue: None, watch_failed };
        replies.write_now(|out| {
            done = self.run_session(client, caller, command, out);
            // The command itself may have changed the mode: CLIENT REPLY ON is answered.
            is_sent = take_reply_mode(client);
            is_sent
        });
        let SessionDone { failed, actions, close_caller } = done;
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
                self.answer_later(connection, action, is_sent, account);
            } else {
                self.act(connection, action);
            }
        }
        Flow::Next
    }

    /// Runs a command about the connection or the server and appends its reply.
    pub(crate) fn run_session(
        &mut self,
        client: &mut Client,
        caller: Caller<'_>,
        command: &'static Command,
        out: &mut Vec<u8>,
    ) -> SessionDone {
        let (start, args) = (out.len(), caller.args);
        let mut reply = Reply::new(out, client.protocol);
        let mut host = NodeHost::new(self, caller);
        let result = match command.run {
            Run::Session(run) => run(args, &mut SessionContext { client, host: &mut host }, &mut reply),
            // A container without a subcommand does not pass the check of the number of words.
            _ => Err(Error::Arity),
        };
        let (actions, close_caller) = host.finish();
        let failed = result.err().map(|error| {
            reply.truncate(start);
            let text = error.text(command.full_name).into_owned();
            reply.error(&text);
            text
        });
        SessionDone { failed, actions, close_caller }
    }

    /// Does what is done behind the reply of a command.
    pub(crate) fn act(&mut self, connection: &mut Connection, action: Action) {
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
            Action::DropTransaction => self.drop_transaction(connection),
            Action::AwaitSnapshot | Action::AwaitEnd | Action::Reload(_) => {}
        }
    }

    /// Has a command answered when that is done which it is about. `is_sent`: the client has not switched replies off.
    fn answer_later(&mut self, connection: &mut Connection, action: Action, is_sent: bool, account: Account) {
        match action {
            Action::AwaitSnapshot => self.await_snapshot(connection, is_sent, Awaited::Save, account),
            Action::AwaitEnd => self.await_snapshot(connection, is_sent, Awaited::End, account),
            Action::Reload(reload) => self.await_reload(connection, is_sent, reload, account),
            _ => {}
        }
    }

    pub(crate) fn on_all_nodes(
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
        let is_sent = take_reply_mode(&mut connection.client);
        let sequence = connection.replies.reserve(is_sent);
        self.send_everywhere(connection, sequence, command, args, true);
        let running = Running::Parts(Assembly::new(merge, self.mesh.nodes(), Vec::new()));
        connection.begin(sequence, command, args, self.time.now_ns, running);
        Flow::Next
    }

    /// Has all nodes run a command; each answers a part of what has this sequence number. `settles`: see
    /// [`EverywhereCall::settles`].
    pub(crate) fn send_everywhere(
        &mut self,
        connection: &Connection,
        sequence: u32,
        command: &'static Command,
        args: Args<'_>,
        settles: bool,
    ) {
        for node in 0..self.mesh.nodes() {
            let call = EverywhereCall {
                ticket: Ticket { connection: connection.id.pack(), sequence, part: node as u32 },
                caller_id: connection.client.id,
                protocol: connection.client.protocol,
                command,
                words: OwnedArgs::from_words(args.iter()),
                settles,
            };
            if node == self.server.me {
                self.home.own_notes.push_back(OwnNote::Everywhere(call));
            } else {
                self.mesh.note(node, EverywhereNote::Run(call));
            }
        }
    }
}
