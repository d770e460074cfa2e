//! Received bytes to commands, and commands to [`Core::dispatch`].

use crate::clock::Clock;
use crate::core::Core;
use crate::home::NetworkOrder;
use crate::home::ahead::{Ahead, Last};
use crate::home::connection::{Connection, Input, Running};
use crate::home::holds::{Flow, Hold};
use crate::network::{Closed, ConnectionId};
use crate::turns::Budget;
use tessera_command::client::ReplyMode;
use tessera_command::registry::Unknown;
use tessera_command::{Command, Flags, Spread};
use tessera_resp::{Args, Decoder, Limits, ProtocolError, Reply};

/// While a connection is held and this much of its input waits, the driver stops receiving from it, in bytes.
const HELD_INPUT_MAX_LEN_BYTES: usize = 64 * 1024;
/// How much is at least taken to complete an unfinished command, in bytes: more than a few length lines.
const TOP_UP_LEN_BYTES: usize = 256;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes in bytes of a connection.
    pub(crate) fn receive(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.server.counters.reads += 1;
        self.server.counters.input_bytes += bytes.len() as u64;
        let Some(mut connection) = self.take(id) else { return };
        if connection.gone || connection.close_after_reply {
            self.put(connection);
            return;
        }
        if connection.direct.is_some() {
            self.reclaim_socket(&mut connection);
        }
        connection.client.last_interaction_at_ms = self.now_ms();
        self.time.now_ns = self.time.clock.monotonic_ns();
        self.feed(&mut connection, bytes);
        self.after_input(connection);
    }

    /// The driver says that bytes have left for a client.
    pub(crate) fn note_activity(&mut self, id: ConnectionId) {
        let now_ms = self.now_ms();
        if let Some(connection) = self.connection(id) {
            connection.client.last_interaction_at_ms = now_ms;
        }
    }

    /// The driver says that a connection has ended.
    pub(crate) fn end_of_input(&mut self, id: ConnectionId, why: Closed) {
        if let Some(mut connection) = self.take(id) {
            connection.input_ended = true;
            self.let_go(connection, why);
        }
    }

    /// The driver says that the peer of a connection has gone from which it does not receive for now.
    pub(crate) fn hang_up(&mut self, id: ConnectionId, why: Closed) {
        if let Some(mut connection) = self.take(id) {
            connection.has_hung_up = true;
            self.let_go(connection, why);
        }
    }

    /// The client sends nothing any more. Like Redis, the node still executes what came before, and answers it if
    /// anybody may be reading, unless CLIENT PAUSE holds it or it waits for a key.
    fn let_go(&mut self, mut connection: Box<Connection>, why: Closed) {
        if connection.gone || why != Closed::ByPeer && connection.hold == Some(Hold::Transfer) {
            return self.close(connection);
        }
        if why != Closed::ByPeer {
            self.stop_sending(&mut connection);
        }
        self.reclaim_socket(&mut connection);
        self.end_vain_wait(&mut connection);
        connection.close_after_reply |= connection.hold == Some(Hold::Paused);
        if connection.hold.is_none() {
            // Its commands may have their turn still to come; otherwise there is nothing to wait for.
            self.home.holds.runnable.push_back(connection.id);
        }
        self.put(connection);
    }

    /// Who waits for a key and has gone will not read what it gets: nobody shall have anything for it.
    pub(crate) fn end_vain_wait(&mut self, connection: &mut Connection) {
        let is_vain = connection.peer_has_ended()
            && matches!(
                connection.awaited(),
                Some(Running::Blocked(blocked)) if blocked.is_waiting() && blocked.take_claim()
            );
        if is_vain {
            self.drop_wait(connection);
        }
    }

    /// The socket takes nothing any more.
    pub(crate) fn stop_sending(&mut self, connection: &mut Connection) {
        if std::mem::replace(&mut connection.send_failed, true) {
            return;
        }
        connection.client.reply_mode = ReplyMode::Off;
        connection.replies.throw_away();
        self.drop_streams(connection);
        if connection.hold == Some(Hold::SlowReader) {
            self.home.holds.runnable.push_back(connection.id);
        }
    }

    /// Goes on with a connection whose hold is over.
    pub(crate) fn resume(&mut self, id: ConnectionId) {
        let Some(mut connection) = self.take(id) else { return };
        if matches!(connection.hold, Some(Hold::Running | Hold::Saving | Hold::Transfer)) || connection.gone {
            self.put(connection);
            return;
        }
        connection.hold = None;
        self.time.now_ns = self.time.clock.monotonic_ns();
        if let Some(mut input) = connection.input.take() {
            let done = self.run(&mut connection, &input.bytes[input.start..], &mut input.decoder);
            input.start += done;
            self.keep(&mut connection, input);
        }
        self.after_input(connection);
    }

    /// What follows when a connection's commands have been run as far as possible.
    fn after_input(&mut self, mut connection: Box<Connection>) {
        if connection.peer_has_ended() {
            // Of who has gone nothing is executed after CLIENT PAUSE, as in Redis.
            connection.close_after_reply |=
                connection.hold == Some(Hold::Paused) || connection.input_ended && connection.hold.is_none();
        }
        let waiting = connection.input_bytes();
        connection.input_peak_bytes = connection.input_peak_bytes.max(waiting);
        // What is queued counts as well: nothing else would bound it.
        let kept = waiting + connection.transaction_bytes();
        if kept as u64 > self.server.config.client_query_buffer_limit.0 {
            let line =
                format!("Closing client {} that reached the query buffer limit", connection.endpoints.peer);
            self.server.shared.system.log(line.as_bytes());
            self.close(connection);
            return;
        }
        let is_held = connection.hold.is_some() && !connection.may_wait_long();
        if is_held && waiting >= HELD_INPUT_MAX_LEN_BYTES && !connection.receive_paused {
            connection.receive_paused = true;
            self.home.orders.push(NetworkOrder::PauseReceive(connection.id));
        } else if !is_held {
            self.receive_again(&mut connection);
        }
        self.lend_socket(&mut connection);
        self.put(connection);
        self.run_own_notes();
    }

    /// Has the driver receive from a connection, if it was told not to.
    pub(crate) fn receive_again(&mut self, connection: &mut Connection) {
        if std::mem::take(&mut connection.receive_paused) {
            self.home.orders.push(NetworkOrder::ResumeReceive(connection.id));
        }
    }

    /// Runs what `bytes` complete and keeps the rest.
    fn feed(&mut self, connection: &mut Connection, bytes: &[u8]) {
        let mut fed = 0;
        if let Some(mut input) = connection.input.take() {
            if connection.hold.is_some() {
                input.bytes.extend_from_slice(bytes);
                connection.input = Some(input);
                return;
            }
            // Top the unfinished command up until it is whole; then go on where the bytes lie.
            loop {
                let wants = input.decoder.needs_len_bytes().saturating_sub(input.rest().len());
                let more = &bytes[fed..][..wants.max(TOP_UP_LEN_BYTES).min(bytes.len() - fed)];
                fed += more.len();
                input.bytes.extend_from_slice(more);
                let done = self.run(connection, &input.bytes[input.start..], &mut input.decoder);
                input.start += done;
                if connection.hold.is_some() || connection.close_after_reply {
                    input.bytes.extend_from_slice(&bytes[fed..]);
                    self.keep(connection, input);
                    return;
                }
                let left = input.rest().len();
                if done > 0 && left <= fed {
                    fed -= left;
                    break;
                }
                if fed == bytes.len() {
                    self.keep(connection, input);
                    return;
                }
            }
        }
        let bytes = &bytes[fed..];
        let mut decoder = std::mem::take(&mut self.home.spare_decoder);
        decoder.reset();
        let done = if connection.hold.is_some() { 0 } else { self.run(connection, bytes, &mut decoder) };
        if done == bytes.len() {
            decoder.give_back_room();
            self.home.spare_decoder = decoder;
        } else {
            self.keep(connection, Box::new(Input { bytes: bytes[done..].to_vec(), start: 0, decoder }));
        }
    }

    /// Keeps what is not executed yet, without what is.
    fn keep(&mut self, connection: &mut Connection, mut input: Box<Input>) {
        if input.start == input.bytes.len() || connection.close_after_reply {
            input.decoder.give_back_room();
            self.home.spare_decoder = input.decoder;
            return;
        }
        // Moving the rest to the front costs as much as the rest: only when more than that is won.
        if input.start > input.rest().len() {
            input.bytes.drain(..input.start);
            input.start = 0;
        }
        connection.input = Some(input);
    }

    /// Runs the commands at the start of `bytes`, as many as are whole and may run, and returns their length.
    ///
    /// Commands are read a few ahead, so that their keys can be looked for together.
    fn run(&mut self, connection: &mut Connection, bytes: &[u8], decoder: &mut Decoder) -> usize {
        let mut at = 0;
        let mut ahead = std::mem::take(&mut self.home.ahead);
        let mut budget = Budget::of_connection();
        while connection.hold.is_none() && !connection.close_after_reply {
            let limits = Limits { unauthenticated: self.is_stranger(connection), ..self.home.limits };
            let registry = self.server.shared.registry;
            let last = ahead.read(registry, &bytes[at..], decoder, &limits, budget.commands_left());
            self.prefetch(connection.client.db, &ahead, &bytes[at..]);
            let start = at;
            let mut is_stopped = false;
            let mut next = 0;
            while let Some(planned) = ahead.commands.get(next) {
                let args = Args::new(&bytes[start..], ahead.spans_of(planned));
                is_stopped = connection.hold.is_some()
                    || connection.close_after_reply
                    || self.is_turn_over(connection, &mut budget)
                    || match self.take_command(connection, planned.resolved, args) {
                        Taken::Not => true,
                        Taken::It => false,
                        Taken::PerhapsMore(command) => {
                            let more = self.take_row(connection, command, (&ahead, next), &bytes[start..]);
                            next += more;
                            budget.take_more(more as u32);
                            more == 0 && self.dispatch(connection, command, args) == Flow::Again
                        }
                    };
                if is_stopped {
                    decoder.reset();
                    break;
                }
                at = start + ahead.commands[next].end;
                next += 1;
            }
            if is_stopped {
                break;
            }
            match last {
                Last::More => {}
                Last::Incomplete => break,
                Last::Apart(len) => {
                    let args = Args::new(decoder.words_in(&bytes[at..]), decoder.spans());
                    if connection.hold.is_some()
                        || connection.close_after_reply
                        || self.is_turn_over(connection, &mut budget)
                        || (!args.is_empty() && !self.take_alone(connection, args))
                    {
                        decoder.reset();
                        break;
                    }
                    at += len;
                }
                Last::Error(_) if connection.hold.is_some() || connection.close_after_reply => {
                    decoder.reset();
                    break;
                }
                Last::Error(error) => {
                    self.refuse_protocol(connection, &error);
                    at = bytes.len();
                }
            }
        }
        ahead.give_back_room();
        self.home.ahead = ahead;
        at
    }

    /// Has a command run, if it may.
    #[inline]
    fn take_command(
        &mut self,
        connection: &mut Connection,
        resolved: Result<&'static Command, Unknown>,
        args: Args<'_>,
    ) -> Taken {
        match self.admit(connection, resolved, args) {
            Ok(command) if connection.queue.is_some() && !command.flags.has(Flags::NOT_QUEUED) => {
                Taken::by(self.enqueue(connection, command, args))
            }
            Ok(command) if matches!(command.spread, Spread::ByKey(_)) && self.mesh.nodes() > 1 => {
                Taken::PerhapsMore(command)
            }
            Ok(command) => Taken::by(self.dispatch(connection, command, args)),
            Err(flow) => Taken::by(flow),
        }
    }

    /// The same of one that no others are known behind. False if it may not run yet.
    fn take_alone(&mut self, connection: &mut Connection, args: Args<'_>) -> bool {
        let resolved = self.server.shared.registry.resolve(args);
        match self.take_command(connection, resolved, args) {
            Taken::Not => false,
            Taken::It => true,
            Taken::PerhapsMore(command) => self.dispatch(connection, command, args) != Flow::Again,
        }
    }

    /// Whether a connection has had its share of the turn; then it goes on in the next one.
    #[inline]
    fn is_turn_over(&mut self, connection: &mut Connection, budget: &mut Budget) -> bool {
        let is_over = !budget.take_one(self.time.now_ns);
        if is_over {
            let _ = self.home.hold(connection, Hold::Turn);
        }
        is_over
    }

    fn refuse_protocol(&mut self, connection: &mut Connection, error: &ProtocolError) {
        let text = [b"ERR ", error.text().as_slice()].concat();
        self.server.note_error(&text);
        connection.replies.write_now(|out| {
            Reply::new(out, connection.client.protocol).error(text);
            true
        });
        connection.close_after_reply = true;
    }

    /// Looks for the keys and elements of the commands ahead that will run on this node's shard.
    #[inline]
    fn prefetch(&self, db: u16, ahead: &Ahead, bytes: &[u8]) {
        if ahead.commands.len() < 2 {
            return;
        }
        let lookups = ahead.commands.iter().filter_map(|planned| {
            let lookup = planned.resolved.ok()?.lookup(Args::new(bytes, ahead.spans_of(planned)))?;
            (usize::from(self.server.shared.slots.owner_of(lookup.key)) == self.server.me).then_some(lookup)
        });
        self.owner.prefetch(db, lookups);
    }

    /// The client has to authenticate and has not.
    #[inline]
    pub(crate) fn is_stranger(&self, connection: &Connection) -> bool {
        !connection.client.authenticated && self.server.config.require_pass.is_some()
    }
}

/// What has become of a command.
enum Taken {
    /// It may not run yet.
    Not,
    /// It runs, or was refused.
    It,
    /// It may run, perhaps together with those behind it.
    PerhapsMore(&'static Command),
}

impl Taken {
    #[inline]
    fn by(flow: Flow) -> Taken {
        if flow == Flow::Again { Taken::Not } else { Taken::It }
    }
}
