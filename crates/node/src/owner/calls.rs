//! What peers ask of this node's shard: calls of their clients.

use super::memory::OUT_OF_MEMORY;
use super::run::Outcome;
use crate::clock::Clock;
use crate::core::Core;
use crate::mesh::REPLIES_MAX_LEN_BYTES;
use crate::network::SocketHandle;
use crate::notes::ConnectionNote;
use crate::owner::aside::Turn;
use crate::task::{Asker, Task};
use crate::turns::Budget;
use tessera_command::{Command, Run};
use tessera_resp::args::OwnedArgs;
use tessera_resp::{Args, Reply};
use tessera_routing::message::Slow;
use tessera_routing::{Batch, Call};

/// Longer replies do not leave directly, in bytes.
const DIRECT_MAX_LEN_BYTES: usize = 1024 * 1024;
/// How many calls' keys are looked for together.
const PREFETCH_CALLS: usize = 16;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Counts a command that is refused because memory is short, and returns what its client is told.
    #[cold]
    pub(crate) fn note_out_of_memory(&mut self, command: &'static Command) -> &'static [u8] {
        self.stats().commands.note_rejected(self.server.shared.registry.number(command));
        self.server.note_error(OUT_OF_MEMORY);
        OUT_OF_MEMORY
    }

    /// Runs a call of a peer on the shard, unless it is all of a command and there is no memory for it.
    fn run_call(&mut self, call: &Call, args: Args<'_>, out: &mut Vec<u8>) -> Outcome {
        let Call { command, db, protocol, touch, whole, .. } = *call;
        // Of a command's parts others may be done already; its home has looked before it sent them.
        if self.is_out_of_memory_for(command) && whole {
            self.server.counters.refused_commands += 1;
            Reply::new(out, protocol).error(self.note_out_of_memory(command));
            return Outcome::REFUSED;
        }
        let asker = Asker { db, protocol, touch };
        self.run_task(&Task { command, asker, is_whole: whole }, args, out)
    }

    /// Runs the calls of a batch from `home` and queues the replies.
    ///
    /// False if it stopped half-way because its turn is over, or its replies are too long to run all of it now.
    pub(crate) fn run_batch(&mut self, home: usize, batch: &mut Batch, budget: &mut Budget) -> bool {
        let not_taken_in_bytes = self.mesh.replies_on_way_bytes(home);
        let mut out = self.mesh.take_outgoing(home);
        self.time.now_ns = self.time.clock.monotonic_ns();
        let first = batch.done_calls();
        let mut index = first;
        while let Some((call, args)) = batch.call(index) {
            if not_taken_in_bytes + out.replies_len_bytes() >= REPLIES_MAX_LEN_BYTES
                || !budget.take_one(self.time.now_ns)
            {
                batch.set_done_calls(index);
                self.mesh.restore_outgoing(home, out);
                return false;
            }
            if (index - first).is_multiple_of(PREFETCH_CALLS) {
                let next = (index..index + PREFETCH_CALLS).map_while(|index| batch.call(index));
                self.owner.shard.prefetch(call.db, next.filter_map(|(call, args)| call.command.lookup(args)));
            }
            if self.must_writes_ask() || !self.owner.aside.is_empty() || !self.owner.held.is_empty() {
                match self.turn_of_call(home, &call, args) {
                    Turn::Now => {}
                    Turn::Aside => {
                        index += 1;
                        continue;
                    }
                    Turn::Full => {
                        batch.set_done_calls(index);
                        self.mesh.stop_calls(home);
                        self.mesh.restore_outgoing(home, out);
                        return false;
                    }
                }
            }
            index += 1;
            self.answer_call(home, &call, args, &mut out);
        }
        self.mesh.restore_outgoing(home, out);
        true
    }

    /// Runs a peer's call and answers it, to the peer or to the client itself.
    #[inline]
    pub(crate) fn answer_call(&mut self, home: usize, call: &Call, args: Args<'_>, out: &mut Batch) {
        let Call { ticket, command, .. } = *call;
        if call.unread && call.direct.is_none() {
            return self.run_unread(call, args);
        }
        let Some(socket) = call.direct else {
            let Outcome { stream, duration_ns, .. } =
                out.push_reply(ticket, |replies| self.run_call(call, args, replies));
            if let Some(stream) = stream {
                self.note_streamed(home, ticket, stream, out.pop_reply());
            }
            if call.whole && self.server.is_slow(command, duration_ns) {
                out.slow.push(slow(call, args, duration_ns));
            }
            return;
        };
        let mut bytes = self.server.buffers.take();
        let Outcome { stream, duration_ns, .. } = self.run_call(call, args, &mut bytes);
        if let Some(stream) = stream {
            self.note_streamed(home, ticket, stream, bytes);
        } else if self.server.is_slow(command, duration_ns) || self.is_over_hard_limit(bytes.len()) {
            // The home closes the client if it is too long. If it was slow it goes into the log before its client knows
            // that it is done: the home must hear of it first.
            out.push_reply(ticket, |replies| replies.extend_from_slice(&bytes));
            out.slow.push(slow(call, args, duration_ns));
            self.server.buffers.give_back(bytes);
        } else if bytes.len() > DIRECT_MAX_LEN_BYTES {
            // A socket does not take all of it at once: the home has to write most of it anyway, and gets it as it is.
            self.mesh.note(home, ConnectionNote::DirectDone { ticket, rest: bytes });
        } else {
            self.reply_directly(home, ticket, SocketHandle(socket), bytes);
        }
    }

    /// Runs a call whose client has gone: what it was sent takes effect, but nothing is read for nobody.
    #[cold]
    fn run_unread(&mut self, call: &Call, args: Args<'_>) {
        if matches!(call.command.run, Run::Read(_)) {
            return;
        }
        if let Some(stream) = self.run_call(call, args, &mut Vec::new()).stream {
            self.owner.shard.close_stream(stream);
        }
    }
}

fn slow(call: &Call, args: Args<'_>, duration_ns: u64) -> Slow {
    Slow {
        connection: call.ticket.connection,
        command: call.command,
        duration_ns,
        words: OwnedArgs::from_words(args.iter()),
    }
}
